"""Doing a request once: a repeated key is answered with what the first one was answered.

The key's row is written in the same transaction as the work, so a key without its work, or work without its key,
cannot exist. A refused request leaves no row: it did nothing, and may be corrected and sent again.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.tables import idempotency

KEEP = timedelta(hours=48)


class KeyReused(ValueError):
    """The key was used before, for another body."""


@dataclass(frozen=True)
class Key:
    """An idempotency key in its scope.

    Attributes:
        scope: Hash of tenant, method, path and the client's key.
        body_sha256: Hash of the request's body.
    """

    scope: str
    body_sha256: str

    @classmethod
    def of(cls, *, tenant_id: str, method: str, path: str, key: str, body: bytes) -> "Key":
        """Make the key of one request."""
        scope = f"{tenant_id}\0{method}\0{path}\0{key}".encode()
        return cls(hashlib.sha256(scope).hexdigest(), hashlib.sha256(body).hexdigest())


@dataclass(frozen=True)
class Reply:
    """What a request was answered."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    replayed: bool = False


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
    """
    async with database.write() as connection:
        if key is None:
            return await work(connection)
        await connection.execute(delete(idempotency).where(idempotency.c.created_at < now - KEEP))
        row = (await connection.execute(select(idempotency).where(idempotency.c.scope == key.scope))).first()
        if row is not None:
            if row.body_sha256 != key.body_sha256:
                raise KeyReused("this Idempotency-Key was used for another request body")
            return Reply(row.status, row.body, row.headers, replayed=True)
        reply = await work(connection)
        await connection.execute(
            insert(idempotency).values(
                scope=key.scope,
                body_sha256=key.body_sha256,
                status=reply.status,
                headers=reply.headers,
                body=reply.body,
                created_at=now,
            )
        )
        return reply
