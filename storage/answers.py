"""What became of a submit: the provider's answer, or the verdict of the attempt's row where it was lost.

A fact is accepted however late: an id that comes after the take was given up is kept, a refusal takes the price
from the risk.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from domain.failures import Category, Failure
from domain.generation import Attempt
from domain.line_up import name_of
from domain.messages import Job, Order, Submitted
from domain.moments import micros_of, moment_of
from domain.money import to_usd
from domain.outcomes import Accepted, AttemptState, NotSent, Rejected, SubmitResult, Unknown
from domain.recovery import CANCELLED_BEFORE_SENDING, LOST_BEFORE_SENDING, Retry, decide
from domain.status import Position, Stage, Step
from storage import events
from storage.catalog import attempt_of, failure_of
from storage.projection import project
from storage.tables import attempts


async def finish_sending(
    connection: AsyncConnection, order: Order, result: SubmitResult, now: datetime
) -> Submitted | None:
    """Write how a submit ended, as the process that sent it saw it.

    Returns:
        None where the caller sent nothing but somebody else may have: the row's verdict counts, not the caller's.
    """
    match result:
        case Accepted(job_id=job_id):
            return await _accepted_unless_taken(connection, order, job_id, now)
        case Rejected(failure=failure):
            await _end(connection, order, AttemptState.REJECTED, failure, now, at_risk=0)
        case NotSent(failure=failure):
            if not await _end(connection, order, AttemptState.NOT_SENT, failure, now, at_risk=0):
                return None
            await _tell_retry(connection, order, NotSent(failure=failure), now)
        case Unknown(failure=failure):
            await _unknown(connection, order, failure, now)
    return Submitted(result=result)


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
        return await _accepted_unless_taken(connection, order, job_id or row.job_id, now)
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
            detail=f"The order was sent to {name_of(order.plan.provider)}, but the answer was lost with its process.",
        )
        await _unknown(connection, order, lost, now)
    result = _result_of(await _row(connection, order.attempt.ref))
    return None if result is None else Submitted(result=result)


async def accepted(connection: AsyncConnection, job: Job, now: datetime) -> Submitted:
    """Write that the provider has a job for an attempt: a fact, accepted however late."""
    row = await _row(connection, job.ref)
    if row.job_id is not None:
        return Submitted(result=Accepted(job_id=row.job_id), deadline_micros=micros_of(row.deadline))
    was_unknown = row.state == AttemptState.UNKNOWN
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref)
        .values(
            state=AttemptState.FOUND if was_unknown else AttemptState.ACCEPTED,
            job_id=job.job_id,
            accepted_at=now,
            deadline=moment_of(job.deadline_micros),
            ended_at=None,
            # What was thought to be over, and is not, may still be owed.
            **({} if row.ended_at is None else {"at_risk_micros": job.plan.price}),
        )
    )
    await events.append(
        connection,
        EventType.ATTEMPT_FOUND if was_unknown else EventType.ATTEMPT_ACCEPTED,
        generation_id=job.generation_id,
        take=job.take,
        attempt=job.attempt,
        at=now,
        message=f"{name_of(job.plan.provider)} accepted the order as job {job.job_id}.",
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


async def _accepted_unless_taken(
    connection: AsyncConnection, order: Order, job_id: str, now: datetime
) -> Submitted:
    """Accept a job, unless it belongs to another attempt: then nobody knows what became of this one."""
    owner = select(attempts.c.ref).where(
        attempts.c.account == order.attempt.account,
        attempts.c.job_id == job_id,
        attempts.c.ref != order.attempt.ref,
    )
    if (await connection.execute(owner)).first() is None:
        return await accepted(connection, job_of(order, job_id, now), now)
    failure = Failure(
        category=Category.SUBMISSION_UNKNOWN,
        code="job_taken",
        detail=f"{name_of(order.plan.provider)} answered with the job of another order.",
    )
    await _unknown(connection, order, failure, now)
    return Submitted(result=Unknown(client_reference=order.attempt.ref, failure=failure))


def job_of(order: Order, job_id: str, now: datetime) -> Job:
    """Return the job that an order became now, with the time it has."""
    return Job.of(order, job_id, micros_of(now + order.limits.job))


async def state_of(connection: AsyncConnection, ref: str) -> Attempt:
    """Return an attempt as its row stands."""
    return attempt_of((await connection.execute(select(attempts).where(attempts.c.ref == ref))).one())


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


_ENDS_FROM = {
    # Who holds no permission can only give up what nobody else has taken.
    AttemptState.NOT_SENT: [AttemptState.GRANTED],
    AttemptState.ABANDONED: [AttemptState.GRANTED],
    AttemptState.UNKNOWN: [AttemptState.GRANTED, AttemptState.SENDING],
    # A clear refusal that comes late is a fact all the same: then nothing is owed after all.
    AttemptState.REJECTED: [AttemptState.GRANTED, AttemptState.SENDING, AttemptState.UNKNOWN],
}


async def _tell_retry(connection: AsyncConnection, order: Order, result: NotSent, now: datetime) -> None:
    """Tell why nothing happens for a while; the workflow comes to the same decision by the same function."""
    decision = decide(result, order.attempt.number, order.limits.retry_delay)
    if not isinstance(decision, Retry):
        return
    await events.append(
        connection,
        EventType.RECOVERY_DECIDED,
        generation_id=order.generation_id,
        take=order.take,
        attempt=order.attempt.number,
        at=now,
        message=decision.reason,
        data={"strategy": decision.strategy, "not_before": (now + decision.delay).isoformat()},
        key=f"recovery/{order.attempt.ref}",
    )
    position = Position(take=order.take, attempt=order.attempt.number, step=Step.SUBMIT)
    await project(connection, order.generation_id, position, now, stage=Stage.WAITING_RETRY)


async def looking_up(connection: AsyncConnection, order: Order, now: datetime) -> None:
    """Show that nobody knows yet what became of a submit."""
    position = Position(take=order.take, attempt=order.attempt.number, step=Step.SUBMIT)
    await project(connection, order.generation_id, position, now, stage=Stage.LOOKING_UP)


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
        .where(attempts.c.ref == order.attempt.ref, attempts.c.state.in_(_ENDS_FROM[state]))
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


async def _row(connection: AsyncConnection, ref: str) -> Row[Any]:
    """Return the row, which nobody else changes before this transaction ends."""
    return (await connection.execute(select(attempts).where(attempts.c.ref == ref).with_for_update())).one()
