"""Slots, by the attempts' rows: which are in use and until when, and which of a gate's leases nobody uses.

A gate judges a slot by its row only when somebody waits for it and its time is over; the rows may know much earlier.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import AttemptState
from domain.gate.tickets import Lease, Priority, Release, Verdict
from domain.limits import Limits
from domain.moments import micros_of, moment_of
from storage.tables import attempts

_HAS_JOB = (AttemptState.ACCEPTED, AttemptState.FOUND)
_IN_USE = or_(
    attempts.c.state == AttemptState.SENDING,
    attempts.c.state == AttemptState.UNKNOWN,
    and_(attempts.c.state.in_(_HAS_JOB), attempts.c.ended_at.is_(None)),
)


async def leases(
    connection: AsyncConnection, account: str, limits: Limits, now: datetime
) -> tuple[Lease, ...]:
    """Return the leases of an account's slots that are in use, oldest ref first."""
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


async def judge(
    connection: AsyncConnection, refs: Sequence[str], limits: Limits, now: datetime
) -> tuple[Verdict, ...]:
    """Say of each lease whether its slot is still in use."""
    rows = await _rows(connection, refs)
    verdicts = []
    for ref in refs:
        until = in_use_until(rows[ref], limits, now) if ref in rows else None
        verdicts.append(Verdict(ref=ref, hold_until=None if until is None else micros_of(until)))
    return tuple(verdicts)


async def nobodys(
    connection: AsyncConnection,
    granted: Sequence[Lease],
    limits: Limits,
    now: datetime,
    *,
    quiet_for: timedelta,
) -> Sequence[Release]:
    """Return how to give back the slots that nobody uses any more.

    A slot whose attempt still waits is none of these, whatever its lease says: giving it back would also withdraw its
    ticket. It joins again instead (`tickets.waiting`), which does both.

    Args:
        connection: Where to read; the rows must be read after the leases.
        granted: The leases, as the gate told them.
        limits: How long a job without an end keeps its slot.
        now: The time.
        quiet_for: How long an attempt is over before its slot counts as forgotten: its release may be on its way.
    """
    rows = await _rows(connection, [lease.ref for lease in granted])
    releases = []
    for lease in granted:
        row = rows.get(lease.ref)
        if row is None:
            is_over = moment_of(lease.send_by) < now - quiet_for
        elif row.state == AttemptState.QUEUED or in_use_until(row, limits, now) is not None:
            is_over = False
        else:
            is_over = row.ended_at is None or row.ended_at < now - quiet_for
        if is_over:
            releases.append(Release(ref=lease.ref, was_sent=row is not None and row.sent_at is not None))
    return releases


async def _rows(connection: AsyncConnection, refs: Sequence[str]) -> dict[str, Row[Any]]:
    query = select(attempts).where(attempts.c.ref.in_(refs))
    return {row.ref: row for row in await connection.execute(query)}


def _sent_at(row: Row[Any]) -> datetime:
    sent: datetime = row.sent_at or row.accepted_at or row.started_at
    return sent
