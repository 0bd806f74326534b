"""Passes as rows: login links, sessions and tickets, each found by a seal of its text, never by the text."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people.callers import Scope
from domain.people.keys import Pass, PassKind
from storage.tables import passes

_SWEPT_AT_ONCE = 100


async def add(connection: AsyncConnection, token_hmac: str, made: Pass) -> None:
    """Write a new pass, and remove some that are over.

    Args:
        connection: The transaction.
        token_hmac: The seal of its text.
        made: What is known of it.
    """
    over = select(passes.c.token_hmac).where(passes.c.expires_at < made.created_at).limit(_SWEPT_AT_ONCE)
    await connection.execute(
        delete(passes).where(passes.c.token_hmac.in_(over.with_for_update(skip_locked=True)))
    )
    values = made.model_dump() | {"scopes": sorted(made.scopes), "token_hmac": token_hmac}
    await connection.execute(insert(passes).values(**values))


async def find(connection: AsyncConnection, token_hmac: str, kind: PassKind, now: datetime) -> Pass | None:
    """Return a pass that is not over; None where there is none. Whether its key is still good is not looked at."""
    query = select(passes).where(
        passes.c.token_hmac == token_hmac, passes.c.kind == kind, passes.c.expires_at > now
    )
    row = (await connection.execute(query)).first()
    return None if row is None else _pass(row)


async def use_up(connection: AsyncConnection, token_hmac: str, kind: PassKind, now: datetime) -> Pass | None:
    """Use a pass that is good for one time; None where it is over, or was used before. Of many at once, one gets it."""
    used = (
        update(passes)
        .where(
            passes.c.token_hmac == token_hmac,
            passes.c.kind == kind,
            passes.c.expires_at > now,
            passes.c.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(passes)
    )
    row = (await connection.execute(used)).first()
    return None if row is None else _pass(row)


async def remove(connection: AsyncConnection, token_hmac: str) -> None:
    """Forget a pass, if it is there."""
    await connection.execute(delete(passes).where(passes.c.token_hmac == token_hmac))


def _pass(row: Row[Any]) -> Pass:
    return Pass(
        kind=PassKind(row.kind),
        key_id=row.key_id,
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        scopes=frozenset(map(Scope, row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        generation_id=row.generation_id,
    )
