"""What is seen of jobs: how far they are, how they end and what they cost, and that a take waits for one no more.

The looks of a running job are projections; its end and its bill are facts, keyed by attempt, accepted however late.
"""

from datetime import datetime

from sqlalchemy import literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import JobState, JobStatus
from domain.costs.billing import bill_of, billed
from domain.events import EventType
from domain.messages import Job
from domain.orders.line_up import name_of
from domain.status import Position, Stage, Step
from storage import events
from storage.attempts.fence import row_of, tell_failed
from storage.money import ledger
from storage.projection import project
from storage.records import attempt_of
from storage.tables import attempts, generations

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


async def ended(connection: AsyncConnection, job: Job, end: JobStatus, now: datetime) -> bool:
    """Write how a job ended and what it costs; nothing where the user's cancel ended it, which writes it itself.

    Returns:
        False where the end was known before, or the job was ended by the user's cancel.
    """
    row = await row_of(connection, job.ref)
    if row.ended_at is not None:
        return False
    bill = bill_of(job.plan.price, end)
    if end.state in _MAYBE_OURS and row.cancel_sent_at is not None:
        if row.given_up_at is None:
            return False
        bill = billed(job.plan.price, row.cancel_billed)
    # What an attempt was given up for stays its failure.
    is_news = end.failure is not None and row.given_up_at is None
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref)
        .values(
            job_state=end.state,
            ended_at=now,
            failure=end.failure.model_dump(mode="json") if end.failure and is_news else attempts.c.failure,
            given_up_at=now if is_news else attempts.c.given_up_at,
        )
    )
    await ledger.write(connection, job.ref, bill, now)
    if end.failure is not None:
        await tell_failed(connection, job, job.ref, end.failure, bill, now)
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


async def given_up(connection: AsyncConnection, job: Job, failure: Failure, now: datetime) -> None:
    """Write that an attempt will give its take no video, though it has (or had) a job."""
    if not await leave(connection, job, failure, now):
        return
    cost = attempt_of(await row_of(connection, job.ref)).cost
    await tell_failed(connection, job, job.ref, failure, cost, now)


async def leave(connection: AsyncConnection, job: Job, failure: Failure, now: datetime) -> bool:
    """Write, and do not tell yet, that a take waits for a job no more; tell whether that is news."""
    # A late video that turns out to be broken is not looked for again.
    is_last_word = failure.category is Category.BAD_OUTPUT
    written = await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref, or_(attempts.c.given_up_at.is_(None), literal(is_last_word)))
        .values(failure=failure.model_dump(mode="json"), given_up_at=now)
    )
    return written.rowcount == 1


async def _percent_shown(connection: AsyncConnection, generation_id: str) -> int:
    query = select(generations.c.progress_percent).where(generations.c.id == generation_id)
    percent: int = (await connection.execute(query)).scalar_one()
    return percent
