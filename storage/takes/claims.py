"""Claiming: a run asks what there is to do, and is given one take and the attempt to go on with.

What follows from a failed attempt is decided here and nowhere else, by `domain.attempts.recovery` from what the rows
say: so a run that starts after a lost history goes on from the same story.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts import late
from domain.attempts.deciding import begin_with, go_on
from domain.attempts.outcomes import AttemptState
from domain.attempts.recovery import Again, Strategy
from domain.attempts.routing import Health
from domain.generation import Attempt, DeploymentMode, Generation, Take
from domain.ids import attempt_ref
from domain.limits import Limits
from domain.messages import Claim, Claimed, ClaimedAttempt, Ending, Order
from domain.moments import micros_of
from domain.people.tenants import Tenants
from domain.status import TERMINAL, Move, Position, Stage, Step, after
from storage import catalog
from storage.gate import tickets
from storage.money import quotas
from storage.projection import project
from storage.tables import generations, takes
from storage.tables.joins import is_take
from storage.takes import endings
from storage.takes.telling import tell_decision


@dataclass(frozen=True)
class Terms:
    """What a deployment gives to every order.

    Attributes:
        mode: Only its orders are served.
        limits: How long each step may take.
        healths: How the accounts stand; those that are missing are well.
        tenants: What each tenant and user may spend.
    """

    mode: DeploymentMode
    limits: Limits
    healths: Mapping[str, Health] = field(default_factory=dict)
    tenants: Tenants = field(default_factory=Tenants)


async def claim(connection: AsyncConnection, wanted: Claim, terms: Terms, now: datetime) -> Claimed:
    """Give a run its work: the first take that is not over, and the attempt to go on with.

    A take that was replaced while it ran comes before the one that replaced it, until its job is stopped.

    Returns:
        No order where nothing is to be done: no such generation, its takes are over, a newer run has it, or it is of
        the other mode, and waits until the deployment is.
    """
    generation = await catalog.find(connection, wanted.generation_id)
    if generation is None or generation.mode is not terms.mode:
        return Claimed()
    jobs = late.late_jobs(generation, terms.limits, now)
    if generation.deleted_at is not None:
        # A nudge was under way when it was deleted, and this run's history holds the prompt again.
        await connection.execute(
            update(generations).where(generations.c.id == generation.id).values(erased_at=None)
        )
        return Claimed(late=jobs, limits=terms.limits)
    order = None
    for take in generation.takes:
        if order is None and not take.status.is_terminal:
            order = await _claim_take(connection, generation, take, wanted, terms, now)
    if order is not None:
        return Claimed(order=order, late=jobs, limits=terms.limits)
    if not generation.is_over:
        generation = await catalog.load(connection, generation.id)
        jobs = late.late_jobs(generation, terms.limits, now)
    if not generation.status.is_terminal:
        return Claimed(late=jobs, limits=terms.limits)
    failure = generation.current.failure
    ending = Ending(status=generation.status, cost=generation.cost, failure=failure)
    return Claimed(ending=ending, late=jobs, limits=terms.limits)


async def _claim_take(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    wanted: Claim,
    terms: Terms,
    now: datetime,
) -> Order | None:
    if not await _is_ours(connection, generation, take, wanted, now):
        return None
    if wanted.refusal is not None and await tickets.sent_away(connection, take, wanted.refusal, now):
        take = (await catalog.load(connection, generation.id)).take(take.number)
    last = take.attempts[-1] if take.attempts else None
    if last is None or not last.is_open:
        if take.cancel_requested_at is not None:
            await endings.close_at_rest(connection, generation, take, now)
            return None
        last = await _next_attempt(connection, generation, take, last, terms, now)
        if last is None:
            return None
    await _show(connection, generation, take, last, now)
    return _order(generation, take, last, terms.limits, now)


async def _is_ours(
    connection: AsyncConnection, generation: Generation, take: Take, wanted: Claim, now: datetime
) -> bool:
    """Take the take for this run, unless a newer run has it."""
    claimed = await connection.execute(
        update(takes)
        .where(
            is_take(generation.id, take.number),
            takes.c.status.not_in(TERMINAL),
            or_(
                takes.c.run_started_micros.is_(None), takes.c.run_started_micros <= wanted.run_started_micros
            ),
        )
        .values(
            status=after(take.status, Move.BEGIN),
            run_id=wanted.run_id,
            run_started_micros=wanted.run_started_micros,
            claimed_at=now,
        )
    )
    return claimed.rowcount == 1


async def _next_attempt(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    last: Attempt | None,
    terms: Terms,
    now: datetime,
) -> Attempt | None:
    """Decide what follows, and write it: another attempt, or the end of the take."""
    number, not_before, may_leave = 1, None, True
    entitlement = terms.tenants.entitlement(generation.tenant_id, generation.user_id)
    room = await quotas.room(connection, entitlement, generation.mode, take.created_at)
    if last is None:
        plan = begin_with(take, terms.healths, room, now)
    else:
        decision = go_on(generation, take, terms.limits.retry_delay, terms.healths, room, now)
        await tell_decision(connection, generation, take, decision, now)
        if not isinstance(decision, Again):
            await endings.close_failed(connection, generation, take, decision.failure, now)
            return None
        plan, number = decision.plan, last.number + 1
        not_before = decision.not_before if decision.not_before > now else None
        may_leave = decision.strategy is not Strategy.QUEUE_DELAY
    ref = attempt_ref(generation.id, take.number, number)
    asked = tickets.Asked(ref, number, plan, not_before, terms.healths, may_leave=may_leave)
    await tickets.queue(connection, generation, take, asked, now)
    fresh = await catalog.load(connection, generation.id)
    return fresh.take(take.number).attempts[-1]


async def _show(
    connection: AsyncConnection, generation: Generation, take: Take, attempt: Attempt, now: datetime
) -> None:
    if generation.current.number == take.number:
        await connection.execute(
            update(generations)
            .where(generations.c.id == generation.id)
            .values(status=after(generation.status, Move.BEGIN), provider=attempt.provider, updated_at=now)
        )
    waits = attempt.not_before is not None and attempt.not_before > now
    await project(
        connection,
        generation.id,
        Position(take=take.number, attempt=attempt.number, step=Step.CLAIM),
        now,
        stage=Stage.WAITING_RETRY if waits else Stage.QUEUED,
    )


def _order(generation: Generation, take: Take, attempt: Attempt, limits: Limits, now: datetime) -> Order:
    is_queued = attempt.state is AttemptState.QUEUED
    not_before = attempt.not_before if attempt.not_before and attempt.not_before > now else None
    return Order(
        generation_id=generation.id,
        take=take.number,
        mode=generation.mode,
        plan=attempt.plan or take.plan,
        attempt=ClaimedAttempt(
            ref=attempt.ref,
            number=attempt.number,
            state=attempt.state,
            account=attempt.account,
            job_id=attempt.job_id,
            failure=attempt.failure,
            deadline_micros=None if attempt.deadline is None else micros_of(attempt.deadline),
        ),
        limits=limits,
        cancel_requested=take.cancel_requested_at is not None,
        is_last=take.number == generation.current.number,
        ticket=tickets.ticket_of(generation, take, attempt) if is_queued else None,
        not_before=None if not_before is None else micros_of(not_before),
    )
