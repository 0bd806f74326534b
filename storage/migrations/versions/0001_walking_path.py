"""The walking path: catalog, attempts, events, idempotency."""

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "generations",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=24), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("current_take", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("progress_percent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("progress_source", sa.String(length=16), nullable=True),
        sa.Column("progress_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("project_id", sa.String(length=128), nullable=True),
        sa.Column("scenario_id", sa.String(length=128), nullable=True),
        sa.Column("user_id", sa.String(length=128), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("completed_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generations")),
    )
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_generations_status_updated_at"), ["status", "updated_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_generations_tenant_id_id"), ["tenant_id", "id"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created_at"), ["created_at"], unique=False)

    op.create_table(
        "events",
        sa.Column("generation_id", sa.String(length=30), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("take", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=160), nullable=True),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_events_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("generation_id", "seq", name=op.f("pk_events")),
        sa.UniqueConstraint("generation_id", "key", name=op.f("uq_events_generation_id_key")),
    )
    op.create_table(
        "takes",
        sa.Column("generation_id", sa.String(length=30), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("wish_key", sa.String(length=128), nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("run_started_micros", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("cancel_outcome", sa.String(length=32), nullable=True),
        sa.Column("cancel_billed", sa.Boolean(), nullable=True),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("video", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_takes_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("generation_id", "number", name=op.f("pk_takes")),
        sa.UniqueConstraint("generation_id", "wish_key", name=op.f("uq_takes_generation_id_wish_key")),
    )
    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_takes_status_created_at"), ["status", "created_at"], unique=False
        )

    op.create_table(
        "attempts",
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("generation_id", sa.String(length=30), nullable=False),
        sa.Column("take", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.String(length=255), nullable=True),
        sa.Column("job_state", sa.String(length=16), nullable=True),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.Column("settled_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at_risk_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cancel_sent_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("cancel_billed", sa.Boolean(), nullable=True),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("send_by", UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("deadline", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["generation_id", "take"],
            ["takes.generation_id", "takes.number"],
            name=op.f("fk_attempts_generation_id_take_takes"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_attempts")),
        sa.UniqueConstraint("account", "job_id", name=op.f("uq_attempts_account_job_id")),
        sa.UniqueConstraint(
            "generation_id", "take", "number", name=op.f("uq_attempts_generation_id_take_number")
        ),
    )


def downgrade() -> None:
    op.drop_table("attempts")
    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_takes_status_created_at"))

    op.drop_table("takes")
    op.drop_table("events")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created_at"))

    op.drop_table("idempotency")
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_generations_tenant_id_id"))
        batch_op.drop_index(batch_op.f("ix_generations_status_updated_at"))

    op.drop_table("generations")
