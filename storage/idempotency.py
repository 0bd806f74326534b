"""Doing a request once: a repeated key is answered with what the first one was answered.

The key's row is written in the same transaction as the work, so a key without its work, or work without its key,
cannot exist. A refused request leaves no row: it did nothing, and may be corrected and sent again.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database, one_at_a_time
from storage.tables import idempotency

KEEP = timedelta(hours=48)
_SWEPT_AT_ONCE = 100
FORGOTTEN = 410
"""The status in the row of a key whose generation was deleted: the key stays used, what it was answered is gone."""


class KeyReused(ValueError):
    """The key was used before, for another body."""


@dataclass(frozen=True)
class Key:
    """An idempotency key in its scope.

    Attributes:
        scope: Hash of tenant, user, method, path and the client's key.
        body_sha256: Hash of the request's body.
    """

    scope: str
    body_sha256: str

    @classmethod
    def of(
        cls, *, tenant_id: str, user_id: str | None = None, method: str, path: str, key: str, body: bytes
    ) -> "Key":
        """Make the key of one request: another user's is another one, however it is called."""
        whose = tenant_id if user_id is None else f"{tenant_id}\0{user_id}"
        scope = f"{whose}\0{method}\0{path}\0{key}".encode()
        return cls(hashlib.sha256(scope).hexdigest(), hashlib.sha256(body).hexdigest())


@dataclass(frozen=True)
class Reply:
    """What a request was answered.

    Attributes:
        generation_id: What it was about.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    generation_id: str | None = None
    replayed: bool = False


class Gone(LookupError):
    """What the first request with this key had made was deleted since."""


Work = Callable[[AsyncConnection], Awaitable[Reply]]


async def once(database: Database, key: Key | None, now: datetime, work: Work) -> Reply:
    """Do the work in one transaction, or return the reply of the first time.

    Args:
        database: Where.
        key: None to do it unconditionally.
        now: The time.
        work: Writes through the connection it is given and returns the reply; it raises to change nothing.

    Raises:
        KeyReused: The key was used before for another body.
        Gone: What it made was deleted.
    """
    async with database.write() as connection:
        if key is None:
            return await work(connection)
        await one_at_a_time(connection, key.scope)
        known = select(idempotency).where(
            idempotency.c.scope == key.scope, idempotency.c.created_at >= now - KEEP
        )
        row = (await connection.execute(known)).first()
        if row is not None:
            if row.body_sha256 != key.body_sha256:
                raise KeyReused("this Idempotency-Key was used for another request body")
            if row.status == FORGOTTEN:
                raise Gone("what this Idempotency-Key made was deleted")
            return Reply(row.status, row.body, row.headers, row.generation_id, replayed=True)
        reply = await work(connection)
        await _sweep(connection, key, now)
        await connection.execute(
            insert(idempotency).values(
                scope=key.scope,
                body_sha256=key.body_sha256,
                status=reply.status,
                headers=reply.headers,
                body=reply.body,
                generation_id=reply.generation_id,
                created_at=now,
            )
        )
        return reply


async def was_used(database: Database, key: Key, now: datetime) -> bool:
    """Tell whether a key was used before: then what its work would need is not needed again.

    Nobody is kept from using it in the next moment; `once` decides.
    """
    known = select(idempotency.c.scope).where(
        idempotency.c.scope == key.scope, idempotency.c.created_at >= now - KEEP
    )
    async with database.read() as connection:
        return (await connection.execute(known)).first() is not None


async def _sweep(connection: AsyncConnection, key: Key, now: datetime) -> None:
    """Remove what is too old: this key's own row, and some that nobody else holds.

    After the work, and without waiting for others: whoever deletes a generation holds it and changes the rows of its
    keys, so that a row is never held here while a generation is waited for.
    """
    await connection.execute(delete(idempotency).where(idempotency.c.scope == key.scope))
    old = (
        select(idempotency.c.scope)
        .where(idempotency.c.created_at < now - KEEP)
        .limit(_SWEPT_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    await connection.execute(delete(idempotency).where(idempotency.c.scope.in_(old)))


async def forget(connection: AsyncConnection, generation_id: str) -> None:
    """Erase what was answered about a generation; the keys stay used, or a repeated order would be paid again."""
    await connection.execute(
        update(idempotency)
        .where(idempotency.c.generation_id == generation_id)
        .values(status=FORGOTTEN, headers={}, body={})
    )
