"""The ledger, and its sums by day."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from storage.tables.columns import Storable, UtcDateTime, metadata

# What everything costs: entries are added and never changed, see domain.costs.ledger. They outlive their generation.
ledger = Table(
    "ledger",
    metadata,
    Column("ref", Storable(64), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("kind", Storable(16), nullable=False),
    Column("amount_micros", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("mode", Storable(16), nullable=False),
    Column("tenant_id", Storable(64), nullable=False),
    Column("user_id", Storable(128), nullable=False),
    Column("project_id", Storable(128), nullable=False),
    Column("provider", Storable(64), nullable=False),
    # The day (UTC, ISO) on which the take was accepted: whatever it costs in the end counts there.
    Column("day", Storable(10), nullable=False),
    Column("generation_id", Storable(30), nullable=False, index=True),
    Index(None, "tenant_id", "day"),
)

# The ledger, added up by day, user, project and provider ("" where there is none), and how much was ordered.
spending = Table(
    "spending",
    metadata,
    Column("mode", Storable(16), primary_key=True),
    Column("tenant_id", Storable(64), primary_key=True),
    Column("day", Storable(10), primary_key=True),
    Column("user_id", Storable(128), primary_key=True),
    Column("project_id", Storable(128), primary_key=True),
    Column("provider", Storable(64), primary_key=True),
    Column("orders", Integer, nullable=False, server_default="0"),
    Column("reserved_micros", BigInteger, nullable=False, server_default="0"),
    Column("settled_micros", BigInteger, nullable=False, server_default="0"),
    Column("at_risk_micros", BigInteger, nullable=False, server_default="0"),
)
