"""What activities find out about jobs, and how takes end. Facts are keyed by attempt and accepted however late."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import CancelOutcome, JobState, JobStatus
from domain.costs.billing import bill_of, billed
from domain.events import EventType
from domain.generation import Cost, Take
from domain.messages import CancelResult, Job
from domain.orders.line_up import name_of
from domain.status import TERMINAL, Position, Stage, Step
from storage import events
from storage.attempts import answers
from storage.money import ledger
from storage.tables import attempts, generations, takes
from storage.takes import catalog
from storage.takes.endings import close_cancelled, tell_too_late
from storage.takes.projection import project
from storage.takes.telling import cost_json

_MAYBE_OURS = frozenset({JobState.GONE, JobState.CANCELLED})
"""Ends that a cancel of ours brings about; then the cancel writes the truth about it."""


async def observed(
    connection: AsyncConnection,
    job: Job,
    look: JobStatus,
    activity_attempt: int,
    now: datetime,
    *,
    tell: bool,
) -> None:
    """Show one look at a running job.

    Args:
        connection: The transaction.
        job: Whose.
        look: What the provider said.
        activity_attempt: Which try of the watch this is.
        now: The time.
        tell: Whether a progress event is due as well.
    """
    running = look.state is JobState.RUNNING
    stage = Stage.GENERATING if running else Stage.PROVIDER_QUEUED
    position = Position(
        take=job.take, attempt=job.attempt, step=Step.WATCH, activity_attempt=activity_attempt
    )
    shown = await project(
        connection,
        job.generation_id,
        position,
        now,
        stage=stage,
        progress_percent=look.progress_percent,
        progress_source="provider" if look.progress_percent is not None else None,
    )
    if not shown:
        return
    kind = EventType.ATTEMPT_GENERATING if running else EventType.ATTEMPT_PROVIDER_QUEUED
    words = "is generating the video" if running else "has the job in its queue"
    await events.tell(
        connection, job, kind, f"{name_of(job.plan.provider)} {words}.", now, key=f"{kind}/{job.ref}"
    )
    if tell and look.progress_percent is not None:
        if look.progress_percent < await _percent_shown(connection, job.generation_id):
            return  # a provider may count backwards; what users are told never does
        await events.tell(
            connection,
            job,
            EventType.ATTEMPT_PROGRESS,
            f"{look.progress_percent} % done.",
            now,
            data={"percent": look.progress_percent, "source": "provider"},
            key=f"progress/{job.ref}/{look.progress_percent}",
        )


async def job_ended(connection: AsyncConnection, job: Job, end: JobStatus, now: datetime) -> bool:
    """Write how a job ended and what it costs; nothing where the user's cancel ended it, which writes it itself.

    Returns:
        False where the end was known before, or the job was ended by the user's cancel.
    """
    row = await _attempt(connection, job.ref)
    if row.ended_at is not None:
        return False
    bill = bill_of(job.plan.price, end)
    if end.state in _MAYBE_OURS and row.cancel_sent_at is not None:
        if row.given_up_at is None:
            return False
        bill = billed(job.plan.price, row.cancel_billed)
    is_failed = end.failure is not None and row.given_up_at is None
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref)
        .values(
            job_state=end.state,
            ended_at=now,
            # What an attempt was given up for stays its failure.
            **({"failure": _json(end.failure), "given_up_at": now} if is_failed else {}),
        )
    )
    await ledger.write(connection, job.ref, bill, now)
    if end.failure is not None:
        await events.tell(
            connection,
            job,
            EventType.ATTEMPT_FAILED,
            end.failure.detail,
            now,
            data={"failure": end.failure.model_dump(mode="json", exclude_none=True), "cost": cost_json(bill)},
            key=f"failed/{job.ref}",
        )
    return True


async def storing(connection: AsyncConnection, job: Job, activity_attempt: int, now: datetime) -> None:
    """Show that the output is being fetched."""
    position = Position(
        take=job.take, attempt=job.attempt, step=Step.STORE, activity_attempt=activity_attempt
    )
    if await project(connection, job.generation_id, position, now, stage=Stage.STORING):
        await events.tell(
            connection,
            job,
            EventType.TAKE_STORING,
            "The video is made; fetching and proving it.",
            now,
            key=f"storing/{job.ref}",
        )


async def cancel_sending(
    connection: AsyncConnection,
    job: Job,
    now: datetime,
    *,
    will_bill: bool | None,
    because: Failure | None = None,
) -> bool | None:
    """Write that a cancel is about to be sent, so that a vanished job is known to be our doing.

    Args:
        connection: The transaction.
        job: Whose.
        now: The time.
        will_bill: Whether the provider bills what it has done so far.
        because: Why the service itself gives the job up; None where the user asked.

    Returns:
        Whether the provider bills it, by the most that was seen before any cancel that was sent.
    """
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref, attempts.c.cancel_sent_at.is_(None))
        .values(cancel_sent_at=now, cancel_billed=will_bill)
    )
    if because is not None:
        await _give_up(connection, job, because, now)
    row = await _attempt(connection, job.ref)
    if will_bill and not row.cancel_billed:
        # An earlier cancel was lost, and the job has gone on since: now it costs something.
        await connection.execute(update(attempts).where(attempts.c.ref == job.ref).values(cancel_billed=True))
        return True
    answer: bool | None = row.cancel_billed
    return answer


async def cancel_was_sent(connection: AsyncConnection, ref: str) -> tuple[bool, bool | None]:
    """Return whether we sent a cancel for the attempt, and whether that was going to be billed."""
    row = await _attempt(connection, ref)
    return row.cancel_sent_at is not None, row.cancel_billed


async def given_up(connection: AsyncConnection, job: Job, failure: Failure, now: datetime) -> None:
    """Write that an attempt will give its take no video, though it has (or had) a job."""
    if not await _give_up(connection, job, failure, now):
        return
    cost = (await answers.state_of(connection, job.ref)).cost
    await events.tell(
        connection,
        job,
        EventType.ATTEMPT_FAILED,
        failure.detail,
        now,
        data={"failure": failure.model_dump(mode="json", exclude_none=True), "cost": cost_json(cost)},
        key=f"failed/{job.ref}",
    )


async def _give_up(connection: AsyncConnection, job: Job, failure: Failure, now: datetime) -> bool:
    # A late video that turns out to be broken is not looked for again.
    is_last_word = failure.category is Category.BAD_OUTPUT
    written = await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref, or_(attempts.c.given_up_at.is_(None), literal(is_last_word)))
        .values(failure=_json(failure), given_up_at=now)
    )
    return written.rowcount == 1


async def cancel_ended(
    connection: AsyncConnection, job: Job, result: CancelResult, now: datetime, *, because: Failure | None
) -> None:
    """Write the true outcome of a cancel: the bill where the job stopped, and the end of a cancelled take.

    Args:
        connection: The transaction.
        job: Whose.
        result: What became of the cancel.
        now: The time.
        because: Why the service itself gave the job up; None where the user asked.
    """
    generation = await catalog.load(connection, job.generation_id)
    take = generation.take(job.take)
    if result.outcome is CancelOutcome.STOPPED:
        bill = billed(job.plan.price, result.billed)
        await _unless_ended(connection, job, bill, now, job_state=JobState.CANCELLED, ended_at=now)
    elif result.outcome is CancelOutcome.GOES_ON:
        # The cancel did nothing: whatever end is seen from now on is the job's own.
        await _unless_ended(connection, job, Cost(at_risk=job.plan.price), now, cancel_sent_at=None)
    if because is not None:
        await _stopped_late(connection, take, job, result, because, now)
        return
    if result.outcome is CancelOutcome.TOO_LATE:
        await connection.execute(
            update(takes)
            .where(
                takes.c.generation_id == job.generation_id,
                takes.c.number == job.take,
                takes.c.status.not_in(TERMINAL),
            )
            .values(cancel_outcome=result.outcome)
        )
        await connection.execute(
            update(generations)
            .where(
                generations.c.id == job.generation_id,
                generations.c.current_take == job.take,
                generations.c.stage == Stage.CANCELLING,
            )
            .values(stage=Stage.GENERATING)
        )
        await tell_too_late(connection, generation, job, now)
        return
    await close_cancelled(connection, generation, take, result.outcome, now, billed=result.billed)


async def _unless_ended(
    connection: AsyncConnection, job: Job, cost: Cost, now: datetime, **values: Any
) -> None:
    """Write how a job and its money stand, unless its end was seen: that counts."""
    written = await connection.execute(
        update(attempts).where(attempts.c.ref == job.ref, attempts.c.ended_at.is_(None)).values(**values)
    )
    if written.rowcount == 1:
        await ledger.write(connection, job.ref, cost, now)


async def _stopped_late(
    connection: AsyncConnection, take: Take, job: Job, result: CancelResult, because: Failure, now: datetime
) -> None:
    """Write what became of the cancel of a job that outlived its time."""
    if result.outcome is CancelOutcome.TOO_LATE:
        # It ended in this very moment: its end counts after all, unless what follows was decided by now.
        attempt = take.attempts[job.attempt - 1]
        is_made = attempt.job_state is JobState.SUCCEEDED and attempt.failure == because
        if attempt == take.attempts[-1] and (attempt.ended_at is None or is_made):
            await connection.execute(
                update(attempts).where(attempts.c.ref == job.ref).values(failure=None, given_up_at=None)
            )
        return
    await _give_up(connection, job, because, now)
    cost = (await answers.state_of(connection, job.ref)).cost
    await events.tell(
        connection,
        job,
        EventType.ATTEMPT_FAILED,
        because.detail,
        now,
        data={"failure": because.model_dump(mode="json", exclude_none=True), "cost": cost_json(cost)},
        key=f"failed/{job.ref}",
    )


async def _percent_shown(connection: AsyncConnection, generation_id: str) -> int:
    query = select(generations.c.progress_percent).where(generations.c.id == generation_id)
    percent: int = (await connection.execute(query)).scalar_one()
    return percent


async def _attempt(connection: AsyncConnection, ref: str) -> Row[Any]:
    return (await connection.execute(select(attempts).where(attempts.c.ref == ref))).one()


def _json(failure: Failure | None) -> dict[str, Any] | None:
    return None if failure is None else failure.model_dump(mode="json")
