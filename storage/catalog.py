"""The catalog: generations with their takes, attempts and money, as they stand."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import Attempt, Generation, Take
from domain.model import Frozen
from domain.status import Status
from storage.records import attempt_of, generation_of, take_of
from storage.tables import attempts, generations, takes


class Filters(Frozen):
    """What a tenant's list of generations is narrowed to; all of it must hold."""

    status: Status | None = None
    provider: str | None = None
    project_id: str | None = None
    scenario_id: str | None = None
    user_id: str | None = None
    q: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


async def find(connection: AsyncConnection, generation_id: str) -> Generation | None:
    """Return one generation, or None where there is none of that id."""
    found = await select_where(connection, [generations.c.id == generation_id], limit=1)
    return found[0] if found else None


async def load(connection: AsyncConnection, generation_id: str) -> Generation:
    """Return one generation that is known to exist.

    Raises:
        LookupError: There is none of that id.
    """
    generation = await find(connection, generation_id)
    if generation is None:
        raise LookupError(f"no generation {generation_id}")
    return generation


async def page(
    connection: AsyncConnection,
    tenant_id: str,
    filters: Filters,
    *,
    only_user: str | None = None,
    before_id: str | None,
    limit: int,
) -> Sequence[Generation]:
    """Return a tenant's generations, the newest first.

    Args:
        connection: Where to read.
        tenant_id: Whose.
        filters: What they must be.
        only_user: Only this user's, whatever the filters say; None: everybody's.
        before_id: Only those older than this one.
        limit: How many at most.
    """
    conditions = [
        generations.c.tenant_id == tenant_id,
        generations.c.deleted_at.is_(None),
        *(
            generations.c[name] == value
            for name in ("status", "provider", "project_id", "scenario_id", "user_id")
            if (value := getattr(filters, name)) is not None
        ),
    ]
    if only_user is not None:
        conditions.append(generations.c.user_id == only_user)
    if before_id is not None:
        conditions.append(generations.c.id < before_id)
    if filters.q is not None:
        conditions.append(generations.c.prompt.icontains(filters.q, autoescape=True))
    if filters.created_after is not None:
        conditions.append(generations.c.created_at > filters.created_after)
    if filters.created_before is not None:
        conditions.append(generations.c.created_at < filters.created_before)
    return await select_where(connection, conditions, limit=limit)


async def select_where(
    connection: AsyncConnection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    is_oldest_first: bool = False,
) -> Sequence[Generation]:
    """Return the generations whose rows meet every condition, by their ids.

    Args:
        connection: Where to read.
        conditions: On the table `generations`.
        limit: How many at most.
        is_oldest_first: Else the newest come first.
    """
    by_age = generations.c.id if is_oldest_first else generations.c.id.desc()
    query = select(generations).where(*conditions).order_by(by_age).limit(limit)
    return await _with_takes(connection, (await connection.execute(query)).all())


async def _with_takes(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> Sequence[Generation]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    of_take: dict[tuple[str, int], list[Attempt]] = defaultdict(list)
    query = select(attempts).where(attempts.c.generation_id.in_(ids)).order_by(attempts.c.number)
    for row in await connection.execute(query):
        of_take[row.generation_id, row.take].append(attempt_of(row))
    of_generation: dict[str, list[Take]] = defaultdict(list)
    query = select(takes).where(takes.c.generation_id.in_(ids)).order_by(takes.c.number)
    for row in await connection.execute(query):
        of_generation[row.generation_id].append(take_of(row, of_take[row.generation_id, row.number]))
    return [generation_of(row, of_generation[row.id]) for row in rows]
