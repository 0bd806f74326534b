"""What an owner has in the making, and what of it waits for its turn, as SQL has it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import DeploymentMode, Generation
from domain.model import Frozen
from domain.status import TERMINAL, Stage
from storage import catalog
from storage.tables import generations

WAITING = frozenset({Stage.ACCEPTED, Stage.QUEUED, Stage.WAITING_RETRY})
"""Nothing is at a provider yet, or nothing any more."""


class Owner(Frozen):
    """Whose generations are looked at, and in which mode they were ordered.

    Attributes:
        only_user: Only this user's; None: everybody's at the tenant.
    """

    tenant_id: str
    mode: DeploymentMode
    only_user: str | None = None


async def own(
    connection: AsyncConnection, owner: Owner, *, waiting: bool, after_id: str | None = None, limit: int
) -> Sequence[Generation]:
    """Return what an owner has in the making, or waiting for it; the oldest first.

    Args:
        connection: Where to read.
        owner: Whose.
        waiting: Those that wait; else those that are with a provider, or on their way to it or back.
        after_id: Only those younger than this one.
        limit: How many at most.
    """
    conditions = _own(owner, waiting=waiting)
    if after_id is not None:
        conditions.append(generations.c.id > after_id)
    return await catalog.select_where(connection, conditions, limit=limit, is_oldest_first=True)


async def count(connection: AsyncConnection, owner: Owner, *, waiting: bool) -> int:
    """Return how many an owner has in the making, or waiting for it."""
    query = select(func.count()).select_from(generations).where(*_own(owner, waiting=waiting))
    counted: int = (await connection.execute(query)).scalar_one()
    return counted


def _own(owner: Owner, *, waiting: bool) -> list[ColumnElement[bool]]:
    stage = generations.c.stage
    whose = [] if owner.only_user is None else [generations.c.user_id == owner.only_user]
    return [
        *whose,
        generations.c.tenant_id == owner.tenant_id,
        generations.c.mode == owner.mode,
        generations.c.deleted_at.is_(None),
        generations.c.status.not_in(TERMINAL),
        stage.in_(WAITING) if waiting else stage.not_in(WAITING),
    ]
