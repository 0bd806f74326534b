"""Tickets as rows: a queued attempt is one, and whoever starts a gate anew reads them here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.codes import GATE_REFUSED, WAITED_TOO_LONG
from domain.attempts.deciding import alternatives, deadline_of
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import AttemptState
from domain.attempts.routing import Health, expected_wait
from domain.events import EventType
from domain.gate.tickets import Priority, Refusal, RefusalReason, Ticket
from domain.generation import Attempt, DeploymentMode, Generation, Take
from domain.moments import micros_of
from domain.orders.line_up import name_of
from domain.orders.plans import Plan
from domain.status import TERMINAL
from storage import events
from storage.money import ledger
from storage.tables import attempts, generations, takes
from storage.tables.joins import GENERATION_OF_ATTEMPT, TAKE_OF_ATTEMPT, is_take

TOO_LONG = timedelta(seconds=60)
"""How long a ticket waits where another provider could serve it sooner."""


@dataclass(frozen=True)
class Asked:
    """A new attempt.

    Attributes:
        not_before: When its wait for a retry is over; None: it may begin now.
        healths: How the accounts stand, to tell whether another one would be quicker.
        may_leave: False where it was decided to wait for this very account.
    """

    ref: str
    number: int
    plan: Plan
    not_before: datetime | None
    healths: Mapping[str, Health]
    may_leave: bool = True


async def queue(
    connection: AsyncConnection, generation: Generation, take: Take, asked: Asked, now: datetime
) -> None:
    """Write a new attempt, which waits for a slot at its account."""
    plan = asked.plan
    elsewhere = alternatives(generation, take, plan, asked.healths, now) if asked.may_leave else []
    await connection.execute(
        insert(attempts).values(
            ref=asked.ref,
            generation_id=generation.id,
            take=take.number,
            number=asked.number,
            provider=plan.provider,
            account=plan.provider,
            model=plan.model,
            plan=plan.model_dump(mode="json"),
            tenant_id=generation.tenant_id,
            priority=take.request.priority,
            state=AttemptState.QUEUED,
            reserved_micros=0,
            started_at=now,
            not_before=asked.not_before,
            give_up_at=_give_up_at(take, asked, elsewhere, now),
            may_leave=bool(elsewhere),
        )
    )
    await ledger.begin(connection, asked.ref, plan.price, now)
    if plan != take.plan:
        await connection.execute(
            update(takes).where(is_take(generation.id, take.number)).values(plan=plan.model_dump(mode="json"))
        )
    await events.append(
        connection,
        EventType.ATTEMPT_QUEUED,
        generation_id=generation.id,
        take=take.number,
        attempt=asked.number,
        at=now,
        message=f"Waiting for a turn at {name_of(plan.provider)}.",
        data={"account": plan.provider, "reason": _reason(asked.healths.get(plan.provider), now)},
        key=f"queued/{asked.ref}",
    )


def _give_up_at(take: Take, asked: Asked, elsewhere: list[Plan], now: datetime) -> datetime | None:
    """Return when the ticket is worth nothing any more, or another provider is to be asked."""
    deadline = deadline_of(take)
    healths = asked.healths
    here = healths.get(asked.plan.provider)
    sooner_elsewhere = here is not None and any(
        other.provider in healths
        and healths[other.provider].is_open(now)
        and expected_wait(healths[other.provider], now) < expected_wait(here, now)
        for other in elsewhere
    )
    too_long = (asked.not_before or now) + TOO_LONG if sooner_elsewhere else None
    return min((moment for moment in (deadline, too_long) if moment is not None), default=None)


def _reason(health: Health | None, now: datetime) -> str:
    """Return why the attempt waits, as far as it can be told without asking the gate."""
    if health is None:
        return "turn"
    if health.is_paused:
        return "paused"
    if not health.is_open(now):
        return "breaker"
    return "cap" if health.waiting or health.running >= health.max_concurrent else "turn"


def ticket_of(generation: Generation, take: Take, attempt: Attempt) -> Ticket:
    """Return the ticket of a queued attempt."""
    return Ticket(
        ref=attempt.ref,
        tenant_id=generation.tenant_id,
        priority=take.request.priority,
        queued_at=micros_of(attempt.started_at),
        give_up_at=None if attempt.give_up_at is None else micros_of(attempt.give_up_at),
        may_leave=attempt.may_leave,
    )


def _ticket_of_row(row: Row[Any]) -> Ticket:
    return Ticket(
        ref=row.ref,
        tenant_id=row.tenant_id,
        priority=Priority(row.priority),
        queued_at=micros_of(row.started_at),
        give_up_at=None if row.give_up_at is None else micros_of(row.give_up_at),
        may_leave=row.may_leave,
    )


async def due(
    connection: AsyncConnection,
    account: str,
    now: datetime,
    *,
    mode: DeploymentMode,
    after: str | None = None,
    limit: int,
) -> Sequence[Ticket]:
    """Return a page of the tickets that are to be in an account's queue by now, oldest ref first."""
    is_due = or_(attempts.c.not_before.is_(None), attempts.c.not_before <= now)
    return await _waiting(connection, account, is_due, mode=mode, after=after, limit=limit)


async def overdue(
    connection: AsyncConnection,
    account: str,
    now: datetime,
    *,
    mode: DeploymentMode,
    older_than: timedelta,
    after: str | None = None,
    limit: int = 500,
) -> Sequence[Ticket]:
    """Return a page of the tickets that should have been in an account's queue for a while, oldest ref first.

    Also those that have given up waiting: the gate is the one who tells their holders so.
    """
    since = func.coalesce(attempts.c.not_before, attempts.c.started_at)
    return await _waiting(connection, account, since < now - older_than, mode=mode, after=after, limit=limit)


async def _waiting(
    connection: AsyncConnection,
    account: str,
    condition: ColumnElement[bool],
    *,
    mode: DeploymentMode,
    after: str | None,
    limit: int,
) -> Sequence[Ticket]:
    query = (
        select(attempts)
        .join(takes, TAKE_OF_ATTEMPT)
        .join(generations, GENERATION_OF_ATTEMPT)
        .where(
            attempts.c.account == account,
            attempts.c.state == AttemptState.QUEUED,
            takes.c.status.not_in(TERMINAL),
            generations.c.mode == mode,
            condition,
        )
        .order_by(attempts.c.ref)
        .limit(limit)
    )
    if after is not None:
        query = query.where(attempts.c.ref > after)
    return [_ticket_of_row(row) for row in await connection.execute(query)]


_SENT_AWAY = {
    RefusalReason.BREAKER: (
        GATE_REFUSED,
        "{name} has failed too often just now and is left alone for a while.",
    ),
    RefusalReason.WAITED_TOO_LONG: (WAITED_TOO_LONG, "The wait for a turn at {name} became too long."),
}


async def sent_away(connection: AsyncConnection, take: Take, refusal: Refusal, now: datetime) -> bool:
    """Write that a gate has sent a ticket away: nothing was sent, and it ends.

    Returns:
        False where the attempt waits no longer anyway.
    """
    code, words = _SENT_AWAY[refusal.reason]
    last = take.attempts[-1] if take.attempts else None
    if last is None or last.ref != refusal.ref:
        return False
    failure = Failure(
        category=Category.CAPACITY, code=code, detail=words.format(name=name_of(last.provider)), billed=False
    )
    ended = await connection.execute(
        update(attempts)
        .where(attempts.c.ref == refusal.ref, attempts.c.state == AttemptState.QUEUED)
        .values(
            state=AttemptState.ABANDONED,
            failure=failure.model_dump(mode="json"),
            ended_at=now,
            given_up_at=now,
        )
    )
    if ended.rowcount == 0:
        return False
    await ledger.write(connection, refusal.ref, ledger.NOTHING, now)
    return True
