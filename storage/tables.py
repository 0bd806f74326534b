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
    return Column("id", String(30), primary_key=True)


generations = Table(
    "generations",
    metadata,
    _id(),
    Column("mode", String(16), nullable=False),
    Column("tenant_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("stage", String(24), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("prompt", Text, nullable=False),
    Column("current_take", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    # How far the newest writer of what is shown stood: see domain.status.Position.
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("progress_percent", Integer, nullable=False, server_default="0"),
    Column("progress_source", String(16)),
    Column("progress_at", UtcDateTime),
    Column("project_id", String(128)),
    Column("scenario_id", String(128)),
    Column("user_id", String(128)),
    Column("metadata", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("completed_at", UtcDateTime),
    Index(None, "tenant_id", "id"),
    Index(None, "status", "updated_at"),
)

takes = Table(
    "takes",
    metadata,
    Column("generation_id", ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("request", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    # The wish that made it, where a person's signal did: makes a repeated activity harmless.
    Column("wish_key", String(128)),
    # The claim: which run serves it. An older run never takes over from a newer one.
    Column("run_id", String(64)),
    Column("run_started_micros", BigInteger),
    Column("claimed_at", UtcDateTime),
    Column("cancel_requested_at", UtcDateTime),
    Column("cancel_reason", Text),
    Column("cancel_outcome", String(32)),
    Column("cancel_billed", Boolean),
    Column("failure", JSON),
    Column("video", JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("generation_id", "wish_key"),
    Index(None, "status", "created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("ref", String(64), primary_key=True),
    Column("generation_id", String(30), nullable=False),
    Column("take", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("provider", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    # The fence of section 7 of the design: see domain.outcomes.AttemptState.
    Column("state", String(16), nullable=False),
    Column("run_id", String(64)),
    Column("job_id", String(255)),
    Column("job_state", String(16)),
    Column("failure", JSON),
    Column("reserved_micros", BigInteger, nullable=False),
    Column("settled_micros", BigInteger, nullable=False, server_default="0"),
    Column("at_risk_micros", BigInteger, nullable=False, server_default="0"),
    Column("cancel_sent_at", UtcDateTime),
    Column("cancel_billed", Boolean),
    Column("started_at", UtcDateTime, nullable=False),
    Column("send_by", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("deadline", UtcDateTime),
    Column("ended_at", UtcDateTime),
    ForeignKeyConstraint(
        ["generation_id", "take"], ["takes.generation_id", "takes.number"], ondelete="CASCADE"
    ),
    UniqueConstraint("generation_id", "take", "number"),
    # A provider's job belongs to one attempt only.
    UniqueConstraint("account", "job_id"),
)

events = Table(
    "events",
    metadata,
    Column("generation_id", ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", String(48), nullable=False),
    Column("take", Integer, nullable=False),
    Column("attempt", Integer),
    # Makes a repeated activity harmless: the same thing is told once.
    Column("key", String(160)),
    Column("at", UtcDateTime, nullable=False),
    Column("message", Text, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("generation_id", "key"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(64), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "created_at"),
)
