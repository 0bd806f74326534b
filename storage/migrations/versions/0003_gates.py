"""Gates, routes and retries: tickets of queued attempts, what is known of each account, plans per attempt."""

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0003"
down_revision = "0002"

_OVER = ("not_sent", "rejected", "abandoned", "absent")


def upgrade() -> None:
    op.create_table(
        "gates",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("paused_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("breaker", sa.JSON(), nullable=True),
        sa.Column("hold_off_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_gates")),
    )
    op.create_table(
        "paused_tenants",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("paused_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_paused_tenants")),
    )
    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("route", sa.JSON(), nullable=True))
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plan", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("tenant_id", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("priority", sa.String(length=16), server_default="normal", nullable=False)
        )
        batch_op.add_column(sa.Column("not_before", UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("give_up_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("may_leave", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("given_up_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.alter_column("send_by", existing_type=UtcDateTime(timezone=True), nullable=True)
        batch_op.create_index(batch_op.f("ix_attempts_account_state"), ["account", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_state_ended_at"), ["state", "ended_at"], unique=False)
    _carry_over()


def _carry_over() -> None:
    """A granted attempt is a ticket now; what had failed was given up when it ended."""
    connection = op.get_bind()
    attempts = sa.table(
        "attempts",
        sa.column("generation_id"),
        sa.column("take"),
        sa.column("state"),
        sa.column("failure", sa.JSON()),
        sa.column("ended_at"),
        sa.column("given_up_at"),
        sa.column("tenant_id"),
        sa.column("plan", sa.JSON()),
    )
    generations = sa.table("generations", sa.column("id"), sa.column("tenant_id"))
    takes = sa.table(
        "takes",
        sa.column("generation_id"),
        sa.column("number"),
        sa.column("status"),
        sa.column("ended_at"),
        sa.column("plan", sa.JSON()),
    )
    connection.execute(sa.update(attempts).where(attempts.c.state == "granted").values(state="queued"))
    owner = sa.select(generations.c.tenant_id).where(generations.c.id == attempts.c.generation_id)
    connection.execute(sa.update(attempts).values(tenant_id=owner.scalar_subquery()))
    of_take = (takes.c.generation_id == attempts.c.generation_id, takes.c.number == attempts.c.take)
    plan = sa.select(takes.c.plan).where(*of_take)
    connection.execute(sa.update(attempts).values(plan=plan.scalar_subquery()))
    ended = sa.select(takes.c.ended_at).where(*of_take, takes.c.status.in_(("failed", "cancelled")))
    connection.execute(
        sa.update(attempts)
        .where(sa.exists(ended))
        .values(given_up_at=sa.func.coalesce(attempts.c.ended_at, ended.scalar_subquery()))
    )
    # A job that had failed before its take was closed: what follows is decided by the next claim.
    has_failed = sa.and_(
        attempts.c.state.in_(("accepted", "found")),
        attempts.c.ended_at.is_not(None),
        sa.cast(attempts.c.failure, sa.Text) != "null",
    )
    connection.execute(
        sa.update(attempts)
        .where(sa.or_(attempts.c.state.in_(_OVER), has_failed), attempts.c.given_up_at.is_(None))
        .values(given_up_at=attempts.c.ended_at)
    )


def downgrade() -> None:
    connection = op.get_bind()
    attempts = sa.table("attempts", sa.column("state"), sa.column("send_by"), sa.column("started_at"))
    connection.execute(sa.update(attempts).where(attempts.c.state == "queued").values(state="granted"))
    connection.execute(
        sa.update(attempts).where(attempts.c.send_by.is_(None)).values(send_by=attempts.c.started_at)
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_state_ended_at"))
        batch_op.drop_index(batch_op.f("ix_attempts_account_state"))
        batch_op.alter_column("send_by", existing_type=UtcDateTime(timezone=True), nullable=False)
        for name in (
            "given_up_at", "may_leave", "give_up_at", "not_before", "priority", "tenant_id", "plan",
        ):  # fmt: skip
            batch_op.drop_column(name)
    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.drop_column("route")
    op.drop_table("paused_tenants")
    op.drop_table("gates")
