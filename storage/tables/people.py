"""Who is let in, what operators did, and which requests were answered."""

from sqlalchemy import JSON, Column, Index, Integer, Table

from storage.tables.columns import Storable, UtcDateTime, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Storable(32), primary_key=True),
    Column("tenant_id", Storable(64), nullable=False, index=True),
    # Whose requests these are; None: the tenant's own, or with the scope `act_as` whoever the body names.
    Column("user_id", Storable(128)),
    Column("name", Storable(128), nullable=False),
    Column("secret_hmac", Storable(64), nullable=False),
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
    Column("token_hmac", Storable(64), primary_key=True),
    Column("kind", Storable(16), nullable=False),
    Column("key_id", Storable(32), nullable=False, index=True),
    Column("tenant_id", Storable(64), nullable=False),
    Column("user_id", Storable(128)),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
    # The one generation that a ticket shows; None: all of its caller's.
    Column("generation_id", Storable(30)),
)

# What operators and admins did.
audit = Table(
    "audit",
    metadata,
    Column("id", Storable(30), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("tenant_id", Storable(64), nullable=False),
    Column("actor", Storable(160), nullable=False),
    Column("action", Storable(64), nullable=False),
    Column("target", Storable(160), nullable=False),
    Column("data", JSON, nullable=False),
    Column("request_id", Storable(64), nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", Storable(64), primary_key=True),
    Column("body_sha256", Storable(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", JSON, nullable=False),
    # What it was about, so that a deleted generation leaves no prompt behind here.
    Column("generation_id", Storable(30), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "created_at"),
)
