"""The fence around submitting: who may send, who has sent, and what became of it.

`attempts.state` is the only thing that decides whether an order may be written to a provider's socket:
granted -> sending happens at most once per attempt, in one guarded UPDATE, whoever asks, how often and how late.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from domain.failures import Category, Failure
from domain.generation import Attempt, Generation, Take
from domain.ids import attempt_ref
from domain.messages import Claim, ClaimedAttempt, Job, Limits, Order, Submitted
from domain.money import to_usd
from domain.outcomes import Accepted, AttemptState, NotSent, Rejected, SubmitResult, Unknown
from domain.recovery import CANCELLED_BEFORE_SENDING, LOST_BEFORE_SENDING
from domain.status import TERMINAL, Move, Position, Stage, Step, after
from storage import catalog, events
from storage.catalog import attempt_of, failure_of
from storage.projection import project
from storage.tables import attempts, generations, takes


async def claim(connection: AsyncConnection, wanted: Claim, limits: Limits, now: datetime) -> Order | None:
    """Give a run its work: the current take, and the attempt to go on with.

    Returns:
        None where nothing is to be done: no such generation, its take is over, or a newer run has it.
    """
    generation = await catalog.find(connection, wanted.generation_id)
    if generation is None or generation.current.status.is_terminal:
        return None
    take = generation.current
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
        await _grant(connection, generation, take, (last.number if last else 0) + 1, limits, now)
    row = await _row_of_last(connection, generation.id, take.number)
    await connection.execute(
        update(generations)
        .where(generations.c.id == generation.id, generations.c.current_take == take.number)
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
            deadline_micros=micros(row.deadline) if row.deadline else None,
        ),
        limits=limits,
        cancel_requested=take.cancel_requested_at is not None,
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
        message=f"Sending the order to {order.plan.provider}.",
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


def _result_of(row: Row[Any]) -> SubmitResult | None:
    """Return what a row says of its attempt; None while the answer is still awaited."""
    failure = failure_of(row.failure)
    match AttemptState(row.state):
        case AttemptState.ACCEPTED | AttemptState.FOUND:
            return Accepted(job_id=row.job_id)
        case AttemptState.REJECTED if failure:
            return Rejected(failure=failure)
        case AttemptState.UNKNOWN if failure:
            return Unknown(client_reference=row.ref, failure=failure)
        case AttemptState.GRANTED | AttemptState.SENDING:
            return None
        case _:
            return NotSent(failure=failure or _cancelled())


def _cancelled() -> Failure:
    return Failure(
        category=Category.NETWORK,
        code=CANCELLED_BEFORE_SENDING,
        detail="Cancelled before the order was sent.",
        billed=False,
    )


async def accepted(connection: AsyncConnection, job: Job, now: datetime) -> Submitted:
    """Write that the provider has a job for an attempt: a fact, accepted however late."""
    row = await _row(connection, job.ref)
    if row.job_id is not None:
        return Submitted(result=Accepted(job_id=row.job_id), deadline_micros=micros(row.deadline))
    was_unknown = row.state == AttemptState.UNKNOWN
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref)
        .values(
            state=AttemptState.FOUND if was_unknown else AttemptState.ACCEPTED,
            job_id=job.job_id,
            accepted_at=now,
            deadline=datetime.fromtimestamp(job.deadline_micros / 1_000_000, UTC),
            ended_at=None,
        )
    )
    await events.append(
        connection,
        EventType.ATTEMPT_FOUND if was_unknown else EventType.ATTEMPT_ACCEPTED,
        generation_id=job.generation_id,
        take=job.take,
        attempt=job.attempt,
        at=now,
        message=f"{job.plan.provider} accepted the order as job {job.job_id}.",
        data={"job_id": job.job_id},
        key=f"accepted/{job.ref}",
    )
    await project(
        connection,
        job.generation_id,
        Position(take=job.take, attempt=job.attempt, step=Step.SUBMIT),
        now,
        stage=Stage.PROVIDER_QUEUED,
    )
    return Submitted(result=Accepted(job_id=job.job_id), deadline_micros=job.deadline_micros)


def job_of(order: Order, job_id: str, now: datetime) -> Job:
    """Return the job that an order became now, with the time it has."""
    return Job.of(order, job_id, micros(now + order.limits.job))


async def finish_sending(
    connection: AsyncConnection, order: Order, result: SubmitResult, now: datetime
) -> Submitted:
    """Write how a submit ended, as the process that sent it saw it."""
    match result:
        case Accepted(job_id=job_id):
            return await accepted(connection, job_of(order, job_id, now), now)
        case Rejected(failure=failure):
            await _end(connection, order, AttemptState.REJECTED, failure, now, at_risk=0)
        case NotSent(failure=failure):
            await _end(connection, order, AttemptState.NOT_SENT, failure, now, at_risk=0)
        case Unknown(failure=failure):
            await _unknown(connection, order, failure, now)
    return Submitted(result=result)


async def _unknown(connection: AsyncConnection, order: Order, failure: Failure, now: datetime) -> None:
    """Write that a job may exist: its price is at risk."""
    ref = order.attempt.ref
    if await _end(connection, order, AttemptState.UNKNOWN, failure, now, at_risk=order.plan.price):
        await events.append(
            connection,
            EventType.ATTEMPT_UNKNOWN,
            generation_id=order.generation_id,
            take=order.take,
            attempt=order.attempt.number,
            at=now,
            message=f"{failure.detail} ${to_usd(order.plan.price)} may be owed.",
            data={"at_risk_usd": to_usd(order.plan.price)},
            key=f"unknown/{ref}",
        )


async def _end(
    connection: AsyncConnection,
    order: Order,
    state: AttemptState,
    failure: Failure,
    now: datetime,
    *,
    at_risk: int,
) -> bool:
    ended = await connection.execute(
        update(attempts)
        .where(
            attempts.c.ref == order.attempt.ref,
            attempts.c.state.in_([AttemptState.GRANTED, AttemptState.SENDING]),
        )
        .values(
            state=state,
            failure=failure.model_dump(mode="json"),
            reserved_micros=0,
            at_risk_micros=at_risk,
            ended_at=now,
        )
    )
    if ended.rowcount == 1 and state is not AttemptState.UNKNOWN:
        await events.append(
            connection,
            EventType.ATTEMPT_FAILED,
            generation_id=order.generation_id,
            take=order.take,
            attempt=order.attempt.number,
            at=now,
            message=failure.detail,
            data={"failure": failure.model_dump(mode="json", exclude_none=True), "cost_usd": "0.00"},
            key=f"failed/{order.attempt.ref}",
        )
    return ended.rowcount == 1


async def verdict(
    connection: AsyncConnection, order: Order, job_id: str | None, now: datetime
) -> Submitted | None:
    """Decide what became of a submit that this process cannot vouch for; the row is the judge.

    What was not sent by now never will be: its permission is withdrawn in the same transaction.

    Args:
        connection: The transaction.
        order: Whose submit it is.
        job_id: The id that a lost process had reported, where it had.
        now: The time.

    Returns:
        None while the answer may still come: another process may be between its write and the answer.
    """
    row = await _row(connection, order.attempt.ref)
    if job_id is not None or row.job_id is not None:
        return await accepted(connection, job_of(order, job_id or row.job_id, now), now)
    if row.state == AttemptState.GRANTED:
        lost = Failure(
            category=Category.NETWORK,
            code=LOST_BEFORE_SENDING,
            detail="The process that was to send the order ended before it did.",
        )
        await _end(connection, order, AttemptState.ABANDONED, lost, now, at_risk=0)
    elif row.state == AttemptState.SENDING and now >= row.sent_at + order.limits.answer_within:
        lost = Failure(
            category=Category.SUBMISSION_UNKNOWN,
            code="answer_lost",
            detail=f"The order was sent to {order.plan.provider}, but the answer was lost with its process.",
        )
        await _unknown(connection, order, lost, now)
    result = _result_of(await _row(connection, order.attempt.ref))
    return None if result is None else Submitted(result=result)


async def state_of(connection: AsyncConnection, ref: str) -> Attempt:
    """Return an attempt as its row stands."""
    return attempt_of(await _row(connection, ref))


async def _row(connection: AsyncConnection, ref: str) -> Row[Any]:
    return (await connection.execute(select(attempts).where(attempts.c.ref == ref))).one()


async def _row_of_last(connection: AsyncConnection, generation_id: str, take: int) -> Row[Any]:
    query = (
        select(attempts)
        .where(attempts.c.generation_id == generation_id, attempts.c.take == take)
        .order_by(attempts.c.number.desc())
        .limit(1)
    )
    return (await connection.execute(query)).one()


def micros(moment: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return int(moment.timestamp() * 1_000_000)
