"""What activities find out about jobs, and how takes end. Facts are keyed by attempt and accepted however late."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.billing import bill_of, billed
from domain.events import EventType
from domain.generation import Cost
from domain.line_up import name_of
from domain.messages import CancelResult, Job
from domain.outcomes import CancelOutcome, JobState, JobStatus
from domain.status import TERMINAL, Position, Stage, Step
from storage import catalog, events
from storage.endings import close_cancelled, cost_json, tell_too_late
from storage.projection import project
from storage.tables import attempts, generations, takes

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
    """Write how a job ended and what it costs; nothing where a cancel of ours ended it.

    Returns:
        False where the end was known before, or the job was ended by our own cancel.
    """
    bill = bill_of(job.plan.price, end)
    ours = [attempts.c.cancel_sent_at.is_(None)] if end.state in _MAYBE_OURS else []
    written = await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref, attempts.c.ended_at.is_(None), *ours)
        .values(
            job_state=end.state,
            failure=None if end.failure is None else end.failure.model_dump(mode="json"),
            ended_at=now,
            **_money(bill),
        )
    )
    if written.rowcount == 0:
        return False
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
    connection: AsyncConnection, job: Job, now: datetime, *, will_bill: bool | None
) -> bool | None:
    """Write that a cancel is about to be sent, so that a vanished job is known to be our doing.

    Returns:
        Whether the provider bills it, by the most that was seen before any cancel that was sent.
    """
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref, attempts.c.cancel_sent_at.is_(None))
        .values(cancel_sent_at=now, cancel_billed=will_bill)
    )
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


async def cancel_ended(
    connection: AsyncConnection, job: Job, result: CancelResult, now: datetime, *, by_user: bool
) -> None:
    """Write the true outcome of a cancel: the bill where the job stopped, and the end of a cancelled take."""
    generation = await catalog.load(connection, job.generation_id)
    take = generation.take(job.take)
    if result.outcome is CancelOutcome.STOPPED:
        await connection.execute(
            update(attempts)
            .where(attempts.c.ref == job.ref, attempts.c.ended_at.is_(None))
            .values(
                job_state=JobState.CANCELLED, ended_at=now, **_money(billed(job.plan.price, result.billed))
            )
        )
    elif result.outcome is CancelOutcome.GOES_ON:
        # The cancel did nothing: whatever end is seen from now on is the job's own.
        await connection.execute(
            update(attempts)
            .where(attempts.c.ref == job.ref, attempts.c.ended_at.is_(None))
            .values(cancel_sent_at=None, **_money(Cost(at_risk=job.plan.price)))
        )
    if not by_user:
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


async def _percent_shown(connection: AsyncConnection, generation_id: str) -> int:
    query = select(generations.c.progress_percent).where(generations.c.id == generation_id)
    percent: int = (await connection.execute(query)).scalar_one()
    return percent


async def _attempt(connection: AsyncConnection, ref: str) -> Row[Any]:
    return (await connection.execute(select(attempts).where(attempts.c.ref == ref))).one()


def _money(cost: Cost) -> dict[str, int]:
    return {
        "reserved_micros": cost.reserved,
        "settled_micros": cost.settled,
        "at_risk_micros": cost.at_risk,
    }
