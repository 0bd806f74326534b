"""The fence around submitting: who may send, who has sent, and what became of it.

`attempts.state` is the only thing that decides whether an order may be written to a provider's socket:
granted -> sending happens at most once per attempt, in one guarded UPDATE, whoever asks, how often and how late.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from domain.generation import DeploymentMode, Generation, Take
from domain.ids import attempt_ref
from domain.line_up import name_of
from domain.messages import Claim, ClaimedAttempt, Limits, Order
from domain.moments import micros_of
from domain.outcomes import AttemptState, CancelOutcome
from domain.status import TERMINAL, Move, Position, Stage, Step, after
from storage import catalog, events
from storage.catalog import failure_of
from storage.endings import close_cancelled
from storage.projection import project
from storage.tables import attempts, generations, takes


async def claim(
    connection: AsyncConnection, wanted: Claim, mode: DeploymentMode, limits: Limits, now: datetime
) -> Order | None:
    """Give a run its work: the current take, and the attempt to go on with.

    A take that was replaced while it ran comes before the one that replaced it, until its job is stopped.

    Returns:
        None where nothing is to be done: no such generation, its takes are over, a newer run has it, or it is of the
        other mode, and waits until the deployment is.
    """
    generation = await catalog.find(connection, wanted.generation_id)
    if generation is None or generation.mode is not mode:
        return None
    if generation.deleted_at is not None:
        # A nudge was under way when it was deleted, and this run's history holds the prompt again.
        await connection.execute(
            update(generations).where(generations.c.id == generation.id).values(erased_at=None)
        )
        return None
    for take in generation.takes:
        if not take.status.is_terminal:
            order = await _claim_take(connection, generation, take, wanted, limits, now)
            if order is not None:
                return order
    return None


async def _claim_take(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    wanted: Claim,
    limits: Limits,
    now: datetime,
) -> Order | None:
    claimed = await connection.execute(
        update(takes)
        .where(
            takes.c.generation_id == generation.id,
            takes.c.number == take.number,
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
    if claimed.rowcount == 0:
        return None
    last = take.attempts[-1] if take.attempts else None
    if last is None or last.state.is_unsent:
        if take.cancel_requested_at is not None:
            outcome = CancelOutcome.STOPPED_BEFORE_SUBMIT
            await close_cancelled(connection, generation, take, outcome, now, billed=False)
            return None
        await _grant(connection, generation, take, (last.number if last else 0) + 1, limits, now)
    row = await _row_of_last(connection, generation.id, take.number)
    if generation.current.number == take.number:
        await connection.execute(
            update(generations)
            .where(generations.c.id == generation.id)
            .values(status=after(generation.status, Move.BEGIN), updated_at=now)
        )
    await project(
        connection,
        generation.id,
        Position(take=take.number, attempt=row.number, step=Step.CLAIM),
        now,
        stage=Stage.QUEUED,
    )
    return Order(
        generation_id=generation.id,
        take=take.number,
        mode=generation.mode,
        plan=take.plan,
        attempt=ClaimedAttempt(
            ref=row.ref,
            number=row.number,
            state=AttemptState(row.state),
            account=row.account,
            job_id=row.job_id,
            failure=failure_of(row.failure),
            deadline_micros=micros_of(row.deadline) if row.deadline else None,
        ),
        limits=limits,
        cancel_requested=take.cancel_requested_at is not None,
        is_last=take.number == generation.current.number,
    )


async def _grant(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    number: int,
    limits: Limits,
    now: datetime,
) -> None:
    await connection.execute(
        insert(attempts).values(
            ref=attempt_ref(generation.id, take.number, number),
            generation_id=generation.id,
            take=take.number,
            number=number,
            provider=take.plan.provider,
            account=take.plan.provider,
            model=take.plan.model,
            state=AttemptState.GRANTED,
            reserved_micros=take.plan.price,
            started_at=now,
            send_by=now + limits.send_within,
        )
    )


async def begin_sending(connection: AsyncConnection, order: Order, run_id: str, now: datetime) -> bool:
    """Take the one permission to send: the last thing before the order is written to the socket.

    Returns:
        True where the caller, and nobody else ever, may send now.
    """
    ref = order.attempt.ref
    wanted = exists().where(
        takes.c.generation_id == order.generation_id,
        takes.c.number == order.take,
        takes.c.status.not_in(TERMINAL),
        takes.c.cancel_requested_at.is_(None),
    )
    sending = await connection.execute(
        update(attempts)
        .where(
            attempts.c.ref == ref, attempts.c.state == AttemptState.GRANTED, attempts.c.send_by >= now, wanted
        )
        .values(state=AttemptState.SENDING, run_id=run_id, sent_at=now)
    )
    if sending.rowcount == 0:
        return False
    await events.append(
        connection,
        EventType.ATTEMPT_SUBMITTING,
        generation_id=order.generation_id,
        take=order.take,
        attempt=order.attempt.number,
        at=now,
        message=f"Sending the order to {name_of(order.plan.provider)}.",
        key=f"submitting/{ref}",
    )
    await project(
        connection,
        order.generation_id,
        Position(take=order.take, attempt=order.attempt.number, step=Step.SUBMIT),
        now,
        stage=Stage.SUBMITTING,
    )
    return True


async def _row_of_last(connection: AsyncConnection, generation_id: str, take: int) -> Row[Any]:
    query = (
        select(attempts)
        .where(attempts.c.generation_id == generation_id, attempts.c.take == take)
        .order_by(attempts.c.number.desc())
        .limit(1)
    )
    return (await connection.execute(query)).one()
