"""What SQL keeps for the accounts' gates: the tickets and leases that a new gate starts from, pauses, breakers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import AttemptState
from domain.gate.rows import GateNews, GateRows, TicketsWanted
from domain.gate.tickets import AccountLimits, BreakerRecord, Lease, Priority, Verdict
from domain.generation import DeploymentMode
from domain.messages import Limits
from domain.moments import micros_of, moment_of
from domain.status import TERMINAL
from storage.database import one_at_a_time
from storage.gate.tickets import ticket_of_row
from storage.tables import attempts, gates, generations, paused_tenants, takes

_HAS_JOB = (AttemptState.ACCEPTED, AttemptState.FOUND)
_IN_USE = or_(
    attempts.c.state == AttemptState.SENDING,
    attempts.c.state == AttemptState.UNKNOWN,
    and_(attempts.c.state.in_(_HAS_JOB), attempts.c.ended_at.is_(None)),
)


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
    of_mode = and_(generations.c.id == attempts.c.generation_id, generations.c.mode == mode)
    is_new = wanted.after is None and await _note_start(connection, wanted.account, now)
    query = (
        select(attempts)
        .join(
            takes, and_(takes.c.generation_id == attempts.c.generation_id, takes.c.number == attempts.c.take)
        )
        .join(generations, of_mode)
        .where(
            attempts.c.account == wanted.account,
            attempts.c.state == AttemptState.QUEUED,
            or_(attempts.c.not_before.is_(None), attempts.c.not_before <= now),
            takes.c.status.not_in(TERMINAL),
        )
        .order_by(attempts.c.ref)
        .limit(wanted.limit + 1)
    )
    if wanted.after is not None:
        query = query.where(attempts.c.ref > wanted.after)
    rows = (await connection.execute(query)).all()
    gate = (await connection.execute(select(gates).where(gates.c.account == wanted.account))).one()
    return GateRows(
        is_new=is_new,
        pause_reason=gate.pause_reason,
        paused_tenants=tuple(await paused(connection)),
        breaker=BreakerRecord.model_validate(gate.breaker or {}),
        hold_off_until=0 if gate.hold_off_until is None else micros_of(gate.hold_off_until),
        limits=account_limits,
        leases=() if wanted.after is not None else await _leases(connection, wanted.account, limits, now),
        tickets=tuple(ticket_of_row(row) for row in rows[: wanted.limit]),
        has_more=len(rows) > wanted.limit,
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


async def _leases(
    connection: AsyncConnection, account: str, limits: Limits, now: datetime
) -> tuple[Lease, ...]:
    query = select(attempts).where(attempts.c.account == account, _IN_USE).order_by(attempts.c.ref)
    leases = []
    for row in await connection.execute(query):
        until = in_use_until(row, limits, now)
        if until is not None:
            sent = micros_of(_sent_at(row))
            leases.append(
                Lease(
                    ref=row.ref,
                    tenant_id=row.tenant_id,
                    priority=Priority(row.priority),
                    queued_at=micros_of(row.started_at),
                    granted_at=sent,
                    send_by=sent,
                    sent_at=sent,
                    judge_at=micros_of(until),
                    # Its gate was told of the failure when the attempt was given up, or its answer was lost.
                    is_counted=row.failure is not None,
                )
            )
    return tuple(leases)


def in_use_until(row: Row[Any], limits: Limits, now: datetime) -> datetime | None:
    """Return until when an attempt keeps its slot, as far as its row tells; None where it has none (any more).

    A job that was not seen to end keeps it for as long as jobs may take, and as long again: then nobody can know.
    """
    match AttemptState(row.state):
        case AttemptState.SENDING:
            until = _sent_at(row) + limits.may_arrive + limits.job
        case AttemptState.UNKNOWN:
            until = _sent_at(row) + limits.job
        case AttemptState.ACCEPTED | AttemptState.FOUND if row.ended_at is None:
            until = (row.deadline or _sent_at(row) + limits.job) + limits.job
        case _:
            return None
    return until if until > now else None


def _sent_at(row: Row[Any]) -> datetime:
    sent: datetime = row.sent_at or row.accepted_at or row.started_at
    return sent


async def judge(
    connection: AsyncConnection, refs: Sequence[str], limits: Limits, now: datetime
) -> tuple[Verdict, ...]:
    """Say of each lease whether its slot is still in use."""
    rows = {
        row.ref: row for row in await connection.execute(select(attempts).where(attempts.c.ref.in_(refs)))
    }
    verdicts = []
    for ref in refs:
        until = in_use_until(rows[ref], limits, now) if ref in rows else None
        verdicts.append(Verdict(ref=ref, hold_until=None if until is None else micros_of(until)))
    return tuple(verdicts)


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


async def pauses(connection: AsyncConnection, account: str) -> tuple[str | None, Sequence[str]]:
    """Return why an account is paused, if it is, and the tenants who have paused their own tickets."""
    query = select(gates.c.pause_reason).where(gates.c.account == account)
    return (await connection.execute(query)).scalar_one_or_none(), await paused(connection)


async def paused(connection: AsyncConnection) -> Sequence[str]:
    """Return the tenants who have paused their own tickets."""
    query = select(paused_tenants.c.tenant_id).order_by(paused_tenants.c.tenant_id)
    return (await connection.execute(query)).scalars().all()


async def pause_tenant(connection: AsyncConnection, tenant_id: str, now: datetime) -> None:
    """Write that a tenant's tickets are to wait."""
    await one_at_a_time(connection, f"paused/{tenant_id}")
    if tenant_id not in await paused(connection):
        await connection.execute(insert(paused_tenants).values(tenant_id=tenant_id, paused_at=now))


async def resume_tenant(connection: AsyncConnection, tenant_id: str) -> None:
    """Write that they go on."""
    await connection.execute(delete(paused_tenants).where(paused_tenants.c.tenant_id == tenant_id))
