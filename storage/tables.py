"""The tables. One Alembic history makes them on SQLite and PostgreSQL alike."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with its zone; SQLite keeps none, so there it is UTC by agreement."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class _Storable(TypeDecorator[str]):
    """Text that every database takes: PostgreSQL has no NUL, and UTF-8 no half of a surrogate pair.

    What users send is refused before it comes here; what providers say may be anything, and must not keep an end
    from being written.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the same on all
        """Store readable signs instead of what cannot be stored."""
        if value is None:
            return None
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class _StorableText(_Storable):
    """The same without a limit of length."""

    impl = Text
    cache_ok = True


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[Any]:
    return Column("id", _Storable(30), primary_key=True)


generations = Table(
    "generations",
    metadata,
    _id(),
    Column("mode", _Storable(16), nullable=False),
    Column("tenant_id", _Storable(64), nullable=False),
    Column("status", _Storable(16), nullable=False),
    Column("stage", _Storable(24), nullable=False),
    Column("provider", _Storable(64), nullable=False),
    Column("prompt", _StorableText, nullable=False),
    Column("current_take", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    # How far the newest writer of what is shown stood: see domain.status.Position.
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("progress_percent", Integer, nullable=False, server_default="0"),
    Column("progress_source", _Storable(16)),
    Column("progress_at", UtcDateTime),
    Column("project_id", _Storable(128)),
    Column("scenario_id", _Storable(128)),
    Column("user_id", _Storable(128)),
    # Of what was asked for, so that the same wish asked twice in a row is recognised.
    Column("request_sha256", _Storable(64)),
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
    Column("status", _Storable(16), nullable=False),
    Column("request", JSON, nullable=False),
    # What is being made: the plan of the newest attempt. The route has every plan that may serve the take.
    Column("plan", JSON, nullable=False),
    Column("route", JSON),
    # Held for the first attempt while there is none.
    Column("reserved_micros", BigInteger, nullable=False, server_default="0"),
    Column("image_id", _Storable(64), index=True),
    # The wish that made it, where a person's signal did: makes a repeated activity harmless.
    Column("wish_key", _Storable(128)),
    # The claim: which run serves it. An older run never takes over from a newer one.
    Column("run_id", _Storable(64)),
    Column("run_started_micros", BigInteger),
    Column("claimed_at", UtcDateTime),
    Column("cancel_requested_at", UtcDateTime),
    Column("cancel_reason", _StorableText),
    Column("cancel_outcome", _Storable(32)),
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
    Column("ref", _Storable(64), primary_key=True),
    Column("generation_id", _Storable(30), nullable=False),
    Column("take", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("provider", _Storable(64), nullable=False),
    Column("account", _Storable(64), nullable=False),
    Column("model", _Storable(64), nullable=False),
    Column("plan", JSON),
    # The ticket: what the account's gate knows of a queued attempt, and is told again when it starts anew.
    Column("tenant_id", _Storable(64), nullable=False, server_default=""),
    Column("priority", _Storable(16), nullable=False, server_default="normal"),
    Column("not_before", UtcDateTime),
    Column("give_up_at", UtcDateTime),
    Column("may_leave", Boolean, nullable=False, server_default=false()),
    # The fence of section 7 of the design: see domain.outcomes.AttemptState.
    Column("state", _Storable(16), nullable=False),
    Column("run_id", _Storable(64)),
    Column("job_id", _Storable(255)),
    Column("job_state", _Storable(16)),
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

# What is known of each account's gate without asking it.
gates = Table(
    "gates",
    metadata,
    Column("account", _Storable(64), primary_key=True),
    # When its first gate began; None where it was paused before it ever had one.
    Column("started_at", UtcDateTime),
    Column("pause_reason", _StorableText),
    Column("paused_at", UtcDateTime),
    Column("breaker", JSON),
    Column("hold_off_until", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Who has paused their own tickets.
paused_tenants = Table(
    "paused_tenants",
    metadata,
    Column("tenant_id", _Storable(64), primary_key=True),
    Column("paused_at", UtcDateTime, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("generation_id", ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", _Storable(48), nullable=False),
    Column("take", Integer, nullable=False),
    Column("attempt", Integer),
    # Makes a repeated activity harmless: the same thing is told once.
    Column("key", _Storable(160)),
    Column("at", UtcDateTime, nullable=False),
    Column("message", _StorableText, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("generation_id", "key"),
)

images = Table(
    "images",
    metadata,
    Column("id", _Storable(64), primary_key=True),
    Column("tenant_id", _Storable(64), nullable=False),
    Column("sha256", _Storable(64), nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("source_type", _Storable(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Deleted by its owner: nobody is shown it any more, and the row goes with the file.
    Column("deleted_at", UtcDateTime),
)

# Which takes use which stored files: a file is erased with its last use.
asset_uses = Table(
    "asset_uses",
    metadata,
    Column("sha256", _Storable(64), primary_key=True),
    Column("suffix", _Storable(8), primary_key=True),
    Column("generation_id", _Storable(30), primary_key=True, index=True),
    Column("take", Integer, primary_key=True, autoincrement=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", _Storable(64), primary_key=True),
    Column("body_sha256", _Storable(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", JSON, nullable=False),
    # What it was about, so that a deleted generation leaves no prompt behind here.
    Column("generation_id", _Storable(30), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "created_at"),
)

# What everything costs: entries are added and never changed, see domain.ledger. They outlive their generation.
ledger = Table(
    "ledger",
    metadata,
    Column("ref", _Storable(64), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("kind", _Storable(16), nullable=False),
    Column("amount_micros", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("mode", _Storable(16), nullable=False),
    Column("tenant_id", _Storable(64), nullable=False),
    Column("user_id", _Storable(128), nullable=False),
    Column("project_id", _Storable(128), nullable=False),
    Column("provider", _Storable(64), nullable=False),
    # The day (UTC, ISO) on which the take was accepted: whatever it costs in the end counts there.
    Column("day", _Storable(10), nullable=False),
    Column("generation_id", _Storable(30), nullable=False, index=True),
    Index(None, "tenant_id", "day"),
)

# The ledger, added up by day, user, project and provider ("" where there is none), and how much was ordered.
spending = Table(
    "spending",
    metadata,
    Column("mode", _Storable(16), primary_key=True),
    Column("tenant_id", _Storable(64), primary_key=True),
    Column("day", _Storable(10), primary_key=True),
    Column("user_id", _Storable(128), primary_key=True),
    Column("project_id", _Storable(128), primary_key=True),
    Column("provider", _Storable(64), primary_key=True),
    Column("orders", Integer, nullable=False, server_default="0"),
    Column("reserved_micros", BigInteger, nullable=False, server_default="0"),
    Column("settled_micros", BigInteger, nullable=False, server_default="0"),
    Column("at_risk_micros", BigInteger, nullable=False, server_default="0"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _Storable(32), primary_key=True),
    Column("tenant_id", _Storable(64), nullable=False, index=True),
    # Whose requests these are; None: the tenant's own, or with the scope `act_as` whoever the body names.
    Column("user_id", _Storable(128)),
    Column("name", _Storable(128), nullable=False),
    Column("secret_hmac", _Storable(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)

# What a browser is let in by instead of a key: login links (once), session cookies, tickets. They die with their key.
passes = Table(
    "passes",
    metadata,
    Column("token_hmac", _Storable(64), primary_key=True),
    Column("kind", _Storable(16), nullable=False),
    Column("key_id", _Storable(32), nullable=False, index=True),
    Column("tenant_id", _Storable(64), nullable=False),
    Column("user_id", _Storable(128)),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
    # The one generation that a ticket shows; None: all of its caller's.
    Column("generation_id", _Storable(30)),
)

# What operators and admins did.
audit = Table(
    "audit",
    metadata,
    Column("id", _Storable(30), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("tenant_id", _Storable(64), nullable=False),
    Column("actor", _Storable(160), nullable=False),
    Column("action", _Storable(64), nullable=False),
    Column("target", _Storable(160), nullable=False),
    Column("data", JSON, nullable=False),
    Column("request_id", _Storable(64), nullable=False),
)
