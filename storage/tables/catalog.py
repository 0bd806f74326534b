"""The catalog and its log: generations, their takes, the attempts at them, and what was told of them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    false,
)

from storage.tables.columns import Storable, StorableText, UtcDateTime, metadata

generations = Table(
    "generations",
    metadata,
    Column("id", Storable(30), primary_key=True),
    Column("mode", Storable(16), nullable=False),
    Column("tenant_id", Storable(64), nullable=False),
    Column("status", Storable(16), nullable=False),
    Column("stage", Storable(24), nullable=False),
    Column("provider", Storable(64), nullable=False),
    Column("prompt", StorableText, nullable=False),
    Column("current_take", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    # How far the newest writer of what is shown stood: see domain.status.Position.
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("progress_percent", Integer, nullable=False, server_default="0"),
    Column("progress_source", Storable(16)),
    Column("progress_at", UtcDateTime),
    Column("project_id", Storable(128)),
    Column("scenario_id", Storable(128)),
    Column("user_id", Storable(128)),
    # Of what was asked for, so that the same wish asked twice in a row is recognised.
    Column("request_sha256", Storable(64)),
    Column("metadata", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("completed_at", UtcDateTime),
    # Deleted by its owner: nobody is shown it any more. Erased: its files and histories are gone, too.
    Column("deleted_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
    Index(None, "tenant_id", "id"),
    Index(None, "tenant_id", "request_sha256"),
    Index(None, "status", "updated_at"),
)

takes = Table(
    "takes",
    metadata,
    Column("generation_id", ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("status", Storable(16), nullable=False),
    Column("request", JSON, nullable=False),
    # What is being made: the plan of the newest attempt. The route has every plan that may serve the take.
    Column("plan", JSON, nullable=False),
    Column("route", JSON),
    # Held for the first attempt while there is none.
    Column("reserved_micros", BigInteger, nullable=False, server_default="0"),
    Column("image_id", Storable(64), index=True),
    # The wish that made it, where a person's signal did: makes a repeated activity harmless.
    Column("wish_key", Storable(128)),
    # The claim: which run serves it. An older run never takes over from a newer one.
    Column("run_id", Storable(64)),
    Column("run_started_micros", BigInteger),
    Column("claimed_at", UtcDateTime),
    Column("cancel_requested_at", UtcDateTime),
    Column("cancel_reason", StorableText),
    Column("cancel_outcome", Storable(32)),
    Column("cancel_billed", Boolean),
    Column("failure", JSON),
    Column("video", JSON),
    # The take that was asked for while this one was running.
    Column("superseded_by", Integer),
    Column("kept", Boolean, nullable=False, server_default=false()),
    Column("feedback", JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("generation_id", "wish_key"),
    Index(None, "status", "created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("ref", Storable(64), primary_key=True),
    Column("generation_id", Storable(30), nullable=False),
    Column("take", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("provider", Storable(64), nullable=False),
    Column("account", Storable(64), nullable=False),
    Column("model", Storable(64), nullable=False),
    Column("plan", JSON),
    # The ticket: what the account's gate knows of a queued attempt, and is told again when it starts anew.
    Column("tenant_id", Storable(64), nullable=False, server_default=""),
    Column("priority", Storable(16), nullable=False, server_default="normal"),
    Column("not_before", UtcDateTime),
    Column("give_up_at", UtcDateTime),
    Column("may_leave", Boolean, nullable=False, server_default=false()),
    # The fence of section 7 of the design: see domain.attempts.outcomes.AttemptState.
    Column("state", Storable(16), nullable=False),
    Column("run_id", Storable(64)),
    Column("job_id", Storable(255)),
    Column("job_state", Storable(16)),
    Column("failure", JSON),
    Column("reserved_micros", BigInteger, nullable=False),
    Column("settled_micros", BigInteger, nullable=False, server_default="0"),
    Column("at_risk_micros", BigInteger, nullable=False, server_default="0"),
    Column("cancel_sent_at", UtcDateTime),
    Column("cancel_billed", Boolean),
    Column("started_at", UtcDateTime, nullable=False),
    Column("send_by", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("deadline", UtcDateTime),
    Column("ended_at", UtcDateTime),
    # Since when its take does not wait for it any more: it will give no video, unless late.
    Column("given_up_at", UtcDateTime),
    ForeignKeyConstraint(
        ["generation_id", "take"], ["takes.generation_id", "takes.number"], ondelete="CASCADE"
    ),
    UniqueConstraint("generation_id", "take", "number"),
    # A provider's job belongs to one attempt only.
    UniqueConstraint("account", "job_id"),
    Index(None, "account", "state"),
    Index(None, "state", "ended_at"),
)

events = Table(
    "events",
    metadata,
    Column("generation_id", ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", Storable(48), nullable=False),
    Column("take", Integer, nullable=False),
    Column("attempt", Integer),
    # Makes a repeated activity harmless: the same thing is told once.
    Column("key", Storable(160)),
    Column("at", UtcDateTime, nullable=False),
    Column("message", StorableText, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("generation_id", "key"),
)
