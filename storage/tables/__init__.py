"""The tables. One Alembic history makes them on SQLite and PostgreSQL alike."""

from storage.tables.catalog import attempts, events, generations, takes
from storage.tables.columns import UtcDateTime, metadata
from storage.tables.files import asset_uses, images
from storage.tables.gates import gates, paused_tenants
from storage.tables.money import ledger, spending
from storage.tables.people import api_keys, audit, idempotency, passes

__all__ = [
    "UtcDateTime",
    "api_keys",
    "asset_uses",
    "attempts",
    "audit",
    "events",
    "gates",
    "generations",
    "idempotency",
    "images",
    "ledger",
    "metadata",
    "passes",
    "paused_tenants",
    "spending",
    "takes",
]
