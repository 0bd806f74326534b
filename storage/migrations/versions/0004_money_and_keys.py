"""Money and people: the ledger and what it adds up to, keys and passes, the audit log."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("project_id", sa.String(length=128), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("generation_id", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("ref", "n", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_generation_id"), "ledger", ["generation_id"])
    op.create_index(op.f("ix_ledger_tenant_id_day"), "ledger", ["tenant_id", "day"])
    op.create_table(
        "spending",
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("project_id", sa.String(length=128), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("orders", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at_risk_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "mode", "tenant_id", "day", "user_id", "project_id", "provider", name=op.f("pk_spending")
        ),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=True),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("secret_hmac", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_tenant_id"), "api_keys", ["tenant_id"])
    op.create_table(
        "passes",
        sa.Column("token_hmac", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("generation_id", sa.String(length=30), nullable=True),
        sa.PrimaryKeyConstraint("token_hmac", name=op.f("pk_passes")),
    )
    op.create_index(op.f("ix_passes_key_id"), "passes", ["key_id"])
    op.create_index(op.f("ix_passes_expires_at"), "passes", ["expires_at"])
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=160), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("request_sha256", sa.String(length=64), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_generations_tenant_id_request_sha256"), ["tenant_id", "request_sha256"]
        )
    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reserved_micros", sa.BigInteger(), server_default="0", nullable=False))
    _open_the_books()


def _open_the_books() -> None:
    """Write entries for the money that there is already, so that the books begin without a difference."""
    connection = op.get_bind()
    known = sa.MetaData()
    known.reflect(connection, only=("generations", "takes", "attempts", "ledger", "spending"))
    generations, takes, attempts = (known.tables[name] for name in ("generations", "takes", "attempts"))
    ledger, spending = known.tables["ledger"], known.tables["spending"]
    asked = sa.select(
        takes.c.generation_id, takes.c.number, takes.c.status, takes.c.plan, takes.c.created_at,
        generations.c.mode, generations.c.tenant_id, generations.c.user_id, generations.c.project_id,
        generations.c.provider,
    ).join(generations, generations.c.id == takes.c.generation_id)  # fmt: skip
    totals: dict[tuple[str, ...], list[int]] = {}
    for take in connection.execute(asked).all():
        day = _day(take.created_at)
        made = connection.execute(
            sa.select(attempts).where(
                attempts.c.generation_id == take.generation_id, attempts.c.take == take.number
            )
        ).all()
        rows = [
            (
                one.ref,
                one.provider,
                one.reserved_micros,
                one.settled_micros,
                one.at_risk_micros,
                one.started_at,
            )
            for one in made
        ]
        if not made and take.status in {"pending", "processing"}:
            price = (take.plan or {}).get("price", 0)
            connection.execute(
                sa.update(takes)
                .where(takes.c.generation_id == take.generation_id, takes.c.number == take.number)
                .values(reserved_micros=price)
            )
            ref = f"{take.generation_id}.{take.number}.1"
            rows.append((ref, take.provider, price, 0, 0, take.created_at))
        whose = {
            "mode": take.mode,
            "tenant_id": take.tenant_id,
            "user_id": take.user_id or "",
            "project_id": take.project_id or "",
            "day": day,
        }
        if not rows:
            rows = [("", take.provider, 0, 0, 0, take.created_at)]
        for number, (ref, provider, reserved, settled, at_risk, at) in enumerate(rows):
            sums = totals.setdefault((*whose.values(), provider), [0, 0, 0, 0])
            sums[0] += number == 0
            for place, amount in enumerate((reserved, settled, at_risk), start=1):
                sums[place] += amount
            promised = reserved + settled + at_risk
            entries = [("reserve", promised), ("settle", settled), ("at_risk", at_risk)]
            for n, (kind, amount) in enumerate((one for one in entries if one[1]), start=1):
                entry = {"ref": ref, "n": n, "kind": kind, "amount_micros": amount, "at": at}
                of = {"provider": provider, "generation_id": take.generation_id}
                connection.execute(sa.insert(ledger).values(**entry, **of, **whose))
    for key, sums in totals.items():
        of = dict(zip(("mode", "tenant_id", "user_id", "project_id", "day", "provider"), key, strict=True))
        names = ("orders", "reserved_micros", "settled_micros", "at_risk_micros")
        connection.execute(sa.insert(spending).values(**of, **dict(zip(names, sums, strict=True))))


def _day(moment: datetime) -> str:
    """Return the day of a moment as the database gives it: SQLite keeps no zone, and means UTC."""
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date().isoformat()


def downgrade() -> None:
    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.drop_column("reserved_micros")
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_generations_tenant_id_request_sha256"))
        batch_op.drop_column("request_sha256")
    for name in ("audit", "passes", "api_keys", "spending", "ledger"):
        op.drop_table(name)
