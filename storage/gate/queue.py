"""What a tenant may see: its own list, and its own part of the queue, as SQL has them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import DeploymentMode, Generation
from domain.model import Frozen
from domain.status import TERMINAL, Stage
from storage.gate import gates
from storage.tables import gates as gates_table
from storage.tables import generations
from storage.takes import catalog

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


class Account(Frozen):
    """What SQL knows of an account's gate.

    Attributes:
        has_gate: Whether it ever had one.
    """

    has_gate: bool = False
    pause_reason: str | None = None


async def page(
    connection: AsyncConnection,
    tenant_id: str,
    filters: catalog.Filters,
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
    conditions: list[Any] = [
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
    return await _load(connection, conditions, generations.c.id.desc(), limit)


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
    return await _load(connection, conditions, generations.c.id, limit)


async def count(connection: AsyncConnection, owner: Owner, *, waiting: bool) -> int:
    """Return how many an owner has in the making, or waiting for it."""
    query = select(func.count()).select_from(generations).where(*_own(owner, waiting=waiting))
    counted: int = (await connection.execute(query)).scalar_one()
    return counted


async def is_paused(connection: AsyncConnection, tenant_id: str) -> bool:
    """Tell whether a tenant has paused its own tickets."""
    return tenant_id in await gates.paused(connection)


async def pause_reason(connection: AsyncConnection, account: str) -> str | None:
    """Return why an operator has paused an account; None where it is not paused."""
    query = select(gates_table.c.pause_reason).where(gates_table.c.account == account)
    reason: str | None = (await connection.execute(query)).scalar_one_or_none()
    return reason


async def accounts(connection: AsyncConnection) -> dict[str, Account]:
    """Return what is known of the accounts that ever had a gate."""
    query = select(gates_table.c.account, gates_table.c.pause_reason)
    return {
        row.account: Account(has_gate=True, pause_reason=row.pause_reason)
        for row in await connection.execute(query)
    }


def _own(owner: Owner, *, waiting: bool) -> list[Any]:
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


async def _load(
    connection: AsyncConnection,
    conditions: Collection[Any],
    order: Any,  # noqa: ANN401 - a column, in either direction
    limit: int,
) -> Sequence[Generation]:
    query = select(generations).where(*conditions).order_by(order).limit(limit)
    rows = (await connection.execute(query)).all()
    return await catalog._assemble(connection, rows)  # noqa: SLF001 - the catalog's own way to make records of rows
