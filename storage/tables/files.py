"""Which stored files there are, and what uses them."""

from sqlalchemy import BigInteger, Column, Integer, Table

from storage.tables.columns import Storable, UtcDateTime, metadata

images = Table(
    "images",
    metadata,
    Column("id", Storable(64), primary_key=True),
    Column("tenant_id", Storable(64), nullable=False),
    Column("sha256", Storable(64), nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("source_type", Storable(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Deleted by its owner: nobody is shown it any more, and the row goes with the file.
    Column("deleted_at", UtcDateTime),
)

# Which takes use which stored files: a file is erased with its last use.
asset_uses = Table(
    "asset_uses",
    metadata,
    Column("sha256", Storable(64), primary_key=True),
    Column("suffix", Storable(8), primary_key=True),
    Column("generation_id", Storable(30), primary_key=True, index=True),
    Column("take", Integer, primary_key=True, autoincrement=False),
)
