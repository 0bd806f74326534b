"""What became of a submit: the provider's answer, or the verdict of the attempt's row where it was lost.

A fact is accepted however late: an id that comes after the take was given up is kept, a refusal takes the price
from the risk.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.codes import LOST_BEFORE_SENDING
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import Accepted, AttemptState, NotSent, Rejected, SubmitResult, Unknown
from domain.events import EventType
from domain.generation import Attempt, Cost
from domain.messages import Job, Order, Submitted
from domain.moments import micros_of, moment_of
from domain.money import to_usd
from domain.orders.line_up import can_list, name_of
from domain.status import Position, Stage, Step
from storage import events
from storage.attempts.fence import SENT_BY_NOBODY_ELSE, end_attempt, result_of, row_of
from storage.database import one_at_a_time
from storage.money import ledger
from storage.projection import project
from storage.records import attempt_of
from storage.tables import attempts


async def finish_sending(
    connection: AsyncConnection,
    order: Order,
    result: SubmitResult,
    now: datetime,
    *,
    has_permission: bool = False,
) -> Submitted | None:
    """Write how a submit ended, as the process that sent it saw it.

    Args:
        connection: The transaction.
        order: Whose submit it is.
        result: How it ended.
        now: The time.
        has_permission: Whether the caller holds the one permission to send: then nobody else has sent it either.

    Returns:
        None where the caller sent nothing but somebody else may have: the row's verdict counts, not the caller's.
    """
    match result:
        case Accepted(job_id=job_id):
            return await accepted_unless_taken(connection, order, job_id, now)
        case Rejected(failure=failure):
            await end_attempt(connection, order, AttemptState.REJECTED, failure, now, at_risk=0)
        case NotSent(failure=failure):
            also_from = SENT_BY_NOBODY_ELSE if has_permission else ()
            if not await end_attempt(
                connection, order, AttemptState.NOT_SENT, failure, now, at_risk=0, also_from=also_from
            ):
                return None
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
    row = await row_of(connection, order.attempt.ref)
    if job_id is not None or row.job_id is not None:
        return await accepted_unless_taken(connection, order, job_id or row.job_id, now)
    if row.state == AttemptState.QUEUED:
        lost = Failure(
            category=Category.NETWORK,
            code=LOST_BEFORE_SENDING,
            detail="The process that was to send the order ended before it did.",
        )
        await end_attempt(connection, order, AttemptState.ABANDONED, lost, now, at_risk=0)
    elif row.state == AttemptState.SENDING and now >= row.sent_at + order.limits.answer_within:
        lost = Failure(
            category=Category.SUBMISSION_UNKNOWN,
            code="answer_lost",
            detail=f"The order was sent to {name_of(order.plan.provider)}, but the answer was lost with its process.",
        )
        await _unknown(connection, order, lost, now)
    result = result_of(await row_of(connection, order.attempt.ref))
    return None if result is None else Submitted(result=result)


async def accepted(connection: AsyncConnection, job: Job, now: datetime) -> Submitted:
    """Write that the provider has a job for an attempt: a fact, accepted however late, unless another owns it."""
    row = await row_of(connection, job.ref)
    if row.job_id is not None:
        return Submitted(result=Accepted(job_id=row.job_id), deadline_micros=micros_of(row.deadline))
    if await _is_taken(connection, job.account, job.job_id, job.ref):
        failure = _job_taken(job.plan.provider)
        return Submitted(result=Unknown(client_reference=job.ref, failure=failure))
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
            # An answer that was only late is no failure; what the take has given up stays given up.
            **({"failure": None} if row.given_up_at is None else {}),
        )
    )
    if row.ended_at is not None:
        # What was thought to be over, and is not, may still be owed.
        await ledger.write(connection, job.ref, Cost(settled=row.settled_micros, at_risk=job.plan.price), now)
    await events.tell(
        connection,
        job,
        EventType.ATTEMPT_FOUND if was_unknown else EventType.ATTEMPT_ACCEPTED,
        f"{name_of(job.plan.provider)} accepted the order as job {job.job_id}.",
        now,
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


async def accepted_unless_taken(
    connection: AsyncConnection, order: Order, job_id: str, now: datetime
) -> Submitted:
    """Accept a job, unless it belongs to another attempt: then nobody knows what became of this one."""
    submitted = await accepted(connection, job_of(order, job_id, now), now)
    if isinstance(submitted.result, Unknown):
        await _unknown(connection, order, submitted.result.failure, now)
    return submitted


async def _is_taken(connection: AsyncConnection, account: str, job_id: str, by_other_than: str) -> bool:
    """Tell whether a job belongs to another attempt; nobody else takes it before this transaction ends."""
    await one_at_a_time(connection, f"{account}/{job_id}")
    owner = select(attempts.c.ref).where(
        attempts.c.account == account, attempts.c.job_id == job_id, attempts.c.ref != by_other_than
    )
    return (await connection.execute(owner)).first() is not None


def _job_taken(provider: str) -> Failure:
    return Failure(
        category=Category.SUBMISSION_UNKNOWN,
        code="job_taken",
        detail=f"{name_of(provider)} answered with the job of another order.",
    )


def job_of(order: Order, job_id: str, now: datetime) -> Job:
    """Return the job that an order became now, with the time it has."""
    return Job.of(order, job_id, micros_of(now + order.limits.job))


async def state_of(connection: AsyncConnection, ref: str) -> Attempt:
    """Return an attempt as its row stands."""
    return attempt_of(await row_of(connection, ref))


async def _unknown(connection: AsyncConnection, order: Order, failure: Failure, now: datetime) -> None:
    """Write that a job may exist: its price is at risk."""
    ref = order.attempt.ref
    if await end_attempt(connection, order, AttemptState.UNKNOWN, failure, now, at_risk=order.plan.price):
        await events.tell(
            connection,
            order,
            EventType.ATTEMPT_UNKNOWN,
            f"{failure.detail} ${to_usd(order.plan.price)} may be owed.",
            now,
            data={"at_risk_usd": to_usd(order.plan.price), "looking_until": _looking_until(order, now)},
            key=f"unknown/{ref}",
        )


def _looking_until(order: Order, now: datetime) -> str | None:
    """Return until when the job is looked for, where its provider can be asked."""
    if not can_list(order.plan.provider):
        return None
    return (now + order.limits.look_up).isoformat()
