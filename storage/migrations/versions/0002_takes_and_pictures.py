"""Pictures as input, replaced and kept takes, feedback, and erasing: what the first line-up needs."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("source_type", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
    )
    with op.batch_alter_table("images", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_images_sha256"), ["sha256"], unique=False)

    op.create_table(
        "asset_uses",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("suffix", sa.String(length=8), nullable=False),
        sa.Column("generation_id", sa.String(length=30), nullable=False),
        sa.Column("take", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "suffix", "generation_id", "take", name=op.f("pk_asset_uses")),
    )
    with op.batch_alter_table("asset_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_uses_generation_id"), ["generation_id"], unique=False)

    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deleted_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("erased_at", UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("image_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("superseded_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("kept", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("feedback", sa.JSON(), nullable=True))
        batch_op.create_index(batch_op.f("ix_takes_image_id"), ["image_id"], unique=False)

    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.add_column(sa.Column("generation_id", sa.String(length=30), nullable=True))
        batch_op.create_index(batch_op.f("ix_idempotency_generation_id"), ["generation_id"], unique=False)

    _note_what_is_stored()
    _note_what_was_answered()


def _note_what_is_stored() -> None:
    """Note which takes use which files; until now the takes' videos alone said so."""
    takes = sa.table("takes", sa.column("generation_id"), sa.column("number"), sa.column("video", sa.JSON()))
    uses = sa.table(
        "asset_uses", sa.column("sha256"), sa.column("suffix"), sa.column("generation_id"), sa.column("take")
    )
    rows: list[dict[str, Any]] = []
    stored = sa.select(takes.c.generation_id, takes.c.number, takes.c.video)
    for generation_id, number, video in op.get_bind().execute(stored):
        if video is None:
            continue
        rows += [
            {"sha256": video[name], "suffix": suffix, "generation_id": generation_id, "take": number}
            for name, suffix in (("sha256", ".mp4"), ("poster_sha256", ".jpg"))
        ]
    if rows:
        op.bulk_insert(uses, rows)


def _note_what_was_answered() -> None:
    """Note which generations the kept answers are about, so that they can be forgotten with them."""
    kept = sa.table(
        "idempotency", sa.column("scope"), sa.column("generation_id"), sa.column("body", sa.JSON())
    )
    connection = op.get_bind()
    for scope, body in connection.execute(sa.select(kept.c.scope, kept.c.body)).all():
        about = body.get("generation_id") or body.get("id")
        connection.execute(sa.update(kept).where(kept.c.scope == scope).values(generation_id=about))


def downgrade() -> None:
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_generation_id"))
        batch_op.drop_column("generation_id")

    with op.batch_alter_table("takes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_takes_image_id"))
        batch_op.drop_column("feedback")
        batch_op.drop_column("kept")
        batch_op.drop_column("superseded_by")
        batch_op.drop_column("image_id")

    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.drop_column("erased_at")
        batch_op.drop_column("deleted_at")

    op.drop_table("asset_uses")
    op.drop_table("images")
