"""Keys as rows: who they are for and what they are for, and a seal of each secret, never the secret."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people.callers import Scope
from domain.people.keys import Key
from storage.tables import api_keys

TOUCHED_EVERY = timedelta(minutes=1)


async def add(connection: AsyncConnection, key: Key, secret_hmac: str) -> None:
    """Write a new key.

    Args:
        connection: The transaction.
        key: What is known of it.
        secret_hmac: The seal of its secret.
    """
    values = key.model_dump() | {"scopes": sorted(key.scopes), "secret_hmac": secret_hmac}
    await connection.execute(insert(api_keys).values(**values))


async def find(connection: AsyncConnection, key_id: str) -> tuple[Key, str] | None:
    """Return a key and the seal of its secret; None where there is none of that id."""
    row = (await connection.execute(select(api_keys).where(api_keys.c.id == key_id))).first()
    return None if row is None else (_key(row), row.secret_hmac)


async def exist(connection: AsyncConnection) -> bool:
    """Tell whether a key was ever made; one that was revoked counts."""
    return (await connection.execute(select(api_keys.c.id).limit(1))).first() is not None


async def page(
    connection: AsyncConnection,
    tenant_id: str,
    *,
    user_id: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[Key]:
    """Return a tenant's keys, the newest first.

    Args:
        connection: Where to read.
        tenant_id: Whose.
        user_id: Only those of this user; None: all.
        before: Only those that are older than the one with this time and id.
        limit: How many at most.
    """
    conditions = [api_keys.c.tenant_id == tenant_id]
    if user_id is not None:
        conditions.append(api_keys.c.user_id == user_id)
    if before is not None:
        made_at, key_id = before
        same_time = (api_keys.c.created_at == made_at) & (api_keys.c.id < key_id)
        conditions.append(or_(api_keys.c.created_at < made_at, same_time))
    query = (
        select(api_keys)
        .where(*conditions)
        .order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc())
        .limit(limit)
    )
    return [_key(row) for row in await connection.execute(query)]


async def revoke(connection: AsyncConnection, key_id: str, now: datetime) -> None:
    """Write that a key is worth nothing from now on; what was made with it ends too. Twice is once."""
    await connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def touch(connection: AsyncConnection, key_id: str, now: datetime) -> None:
    """Write that a key was used."""
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=now))


def _key(row: Row[Any]) -> Key:
    return Key(
        id=row.id,
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        name=row.name,
        scopes=frozenset(map(Scope, row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
