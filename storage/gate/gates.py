"""What SQL keeps for the accounts' gates: what a new gate starts from, its breaker, and who is paused."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import AttemptState
from domain.gate.rows import GateNews, GateRows, TicketsWanted
from domain.gate.tickets import AccountLimits, BreakerRecord
from domain.generation import DeploymentMode
from domain.limits import Limits
from domain.model import Frozen
from domain.moments import micros_of, moment_of
from storage.database import one_at_a_time
from storage.gate import slots, tickets
from storage.tables import attempts, gates, paused_tenants


async def read(
    connection: AsyncConnection,
    wanted: TicketsWanted,
    account_limits: AccountLimits,
    limits: Limits,
    now: datetime,
    *,
    mode: DeploymentMode,
) -> GateRows:
    """Return what is under way at an account and a page of what waits there, oldest ref first."""
    is_new = wanted.after is None and await _note_start(connection, wanted.account, now)
    waiting = await tickets.due(
        connection, wanted.account, now, mode=mode, after=wanted.after, limit=wanted.limit + 1
    )
    gate = (await connection.execute(select(gates).where(gates.c.account == wanted.account))).one()
    return GateRows(
        is_new=is_new,
        pause_reason=gate.pause_reason,
        paused_tenants=tuple(await paused(connection)),
        breaker=BreakerRecord.model_validate(gate.breaker or {}),
        hold_off_until=0 if gate.hold_off_until is None else micros_of(gate.hold_off_until),
        limits=account_limits,
        leases=()
        if wanted.after is not None
        else await slots.leases(connection, wanted.account, limits, now),
        tickets=tuple(waiting[: wanted.limit]),
        has_more=len(waiting) > wanted.limit,
    )


async def _note_start(connection: AsyncConnection, account: str, now: datetime) -> bool:
    """Note that the account has a gate; tell whether it is the first one ever."""
    await _make_row(connection, account, now)
    first = await connection.execute(
        update(gates)
        .where(gates.c.account == account, gates.c.started_at.is_(None))
        .values(started_at=now, updated_at=now)
    )
    return first.rowcount == 1


async def _make_row(connection: AsyncConnection, account: str, now: datetime) -> None:
    await one_at_a_time(connection, f"gate/{account}")
    known = await connection.execute(select(gates.c.account).where(gates.c.account == account))
    if known.first() is None:
        await connection.execute(insert(gates).values(account=account, updated_at=now))


async def write(connection: AsyncConnection, news: GateNews, now: datetime) -> None:
    """Write how a gate stands, for those who choose an account without asking it."""
    hold_off = moment_of(news.hold_off_until) if news.hold_off_until else None
    await connection.execute(
        update(gates)
        .where(gates.c.account == news.account)
        .values(breaker=news.breaker.model_dump(mode="json"), hold_off_until=hold_off, updated_at=now)
    )


async def pause(connection: AsyncConnection, account: str, reason: str | None, now: datetime) -> None:
    """Write that an operator has paused an account, or (without a reason) that it goes on."""
    await _make_row(connection, account, now)
    await connection.execute(
        update(gates)
        .where(gates.c.account == account)
        .values(pause_reason=reason, paused_at=None if reason is None else now, updated_at=now)
    )


async def pause_reason(connection: AsyncConnection, account: str) -> str | None:
    """Return why an operator has paused an account; None where it is not paused."""
    query = select(gates.c.pause_reason).where(gates.c.account == account)
    reason: str | None = (await connection.execute(query)).scalar_one_or_none()
    return reason


async def paused(connection: AsyncConnection) -> Sequence[str]:
    """Return the tenants who have paused their own tickets."""
    query = select(paused_tenants.c.tenant_id).order_by(paused_tenants.c.tenant_id)
    return (await connection.execute(query)).scalars().all()


async def is_paused(connection: AsyncConnection, tenant_id: str) -> bool:
    """Tell whether a tenant has paused its own tickets."""
    return tenant_id in await paused(connection)


async def pause_tenant(connection: AsyncConnection, tenant_id: str, now: datetime) -> None:
    """Write that a tenant's tickets are to wait."""
    await one_at_a_time(connection, f"paused/{tenant_id}")
    if not await is_paused(connection, tenant_id):
        await connection.execute(insert(paused_tenants).values(tenant_id=tenant_id, paused_at=now))


async def resume_tenant(connection: AsyncConnection, tenant_id: str) -> None:
    """Write that they go on."""
    await connection.execute(delete(paused_tenants).where(paused_tenants.c.tenant_id == tenant_id))


class Account(Frozen):
    """What SQL knows of an account's gate.

    Attributes:
        has_gate: Whether it ever had one.
    """

    has_gate: bool = False
    pause_reason: str | None = None


async def known(connection: AsyncConnection) -> dict[str, Account]:
    """Return what is known of the accounts that ever had a gate."""
    query = select(gates.c.account, gates.c.pause_reason)
    return {
        row.account: Account(has_gate=True, pause_reason=row.pause_reason)
        for row in await connection.execute(query)
    }


async def accounts(connection: AsyncConnection) -> Sequence[str]:
    """Return the accounts that have a gate, or should have one."""
    with_gate = (await connection.execute(select(gates.c.account))).scalars().all()
    waiting = select(attempts.c.account).where(attempts.c.state == AttemptState.QUEUED).distinct()
    return sorted({*with_gate, *(await connection.execute(waiting)).scalars().all()})
