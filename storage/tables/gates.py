"""What is known of the accounts' gates without asking them."""

from sqlalchemy import JSON, Column, Table

from storage.tables.columns import Storable, StorableText, UtcDateTime, metadata

# What is known of each account's gate without asking it.
gates = Table(
    "gates",
    metadata,
    Column("account", Storable(64), primary_key=True),
    # When its first gate began; None where it was paused before it ever had one.
    Column("started_at", UtcDateTime),
    Column("pause_reason", StorableText),
    Column("paused_at", UtcDateTime),
    Column("breaker", JSON),
    Column("hold_off_until", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Who has paused their own tickets.
paused_tenants = Table(
    "paused_tenants",
    metadata,
    Column("tenant_id", Storable(64), primary_key=True),
    Column("paused_at", UtcDateTime, nullable=False),
)
