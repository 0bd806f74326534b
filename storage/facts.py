"""What activities find out about jobs, and how takes end. Facts are keyed by attempt and accepted however late."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.billing import bill_of, billed
from domain.events import EventType
from domain.failures import Failure, advice_for, is_retryable
from domain.generation import Cost, Generation, Take, Video
from domain.messages import CancelResult, CloseTake, Ending, Job
from domain.outcomes import CancelOutcome, JobState, JobStatus
from domain.status import TERMINAL, Move, Position, Stage, Status, Step, after
from storage import catalog, events
from storage.projection import project
from storage.tables import attempts, generations, takes
from storage.wishes import close_cancelled, cost_json, cost_of


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
    await _tell(connection, job, kind, f"{job.plan.provider} {words}.", now, key=f"{kind}/{job.ref}")
    if tell and look.progress_percent is not None:
        if look.progress_percent < await _percent_shown(connection, job.generation_id):
            return  # a provider may count backwards; what users are told never does
        await _tell(
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
    ours = [attempts.c.cancel_sent_at.is_(None)] if end.state is JobState.GONE else []
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
        await _tell(
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
        await _tell(
            connection,
            job,
            EventType.TAKE_STORING,
            "The video is made; fetching and proving it.",
            now,
            key=f"storing/{job.ref}",
        )


async def completed(connection: AsyncConnection, job: Job, video: Video, now: datetime) -> Ending:
    """Write that the take's video is stored, and show it unless a newer take is shown."""
    generation = await catalog.load(connection, job.generation_id)
    take = _take(generation, job.take)
    await connection.execute(
        update(takes)
        .where(
            takes.c.generation_id == job.generation_id, takes.c.number == job.take, takes.c.video.is_(None)
        )
        .values(video=video.model_dump(mode="json"))
    )
    if take.status.is_terminal:
        return await ending_of(connection, job.generation_id, job.take)
    outcome = take.cancel_outcome
    await connection.execute(
        update(takes)
        .where(takes.c.generation_id == job.generation_id, takes.c.number == job.take)
        .values(
            status=after(take.status, Move.COMPLETE),
            ended_at=now,
            cancel_outcome=CancelOutcome.TOO_LATE if outcome is CancelOutcome.REQUESTED else outcome,
        )
    )
    await _show_end(connection, generation, take, Move.COMPLETE, now, progress_percent=100)
    cost = await cost_of(connection, job.generation_id)
    await _tell(
        connection,
        job,
        EventType.TAKE_COMPLETED,
        f"The video is stored: {video.duration_seconds:.1f} s, {video.width}x{video.height}.",
        now,
        data={"video": video.model_dump(mode="json")},
        key=f"take.completed/{job.take}",
    )
    if outcome is CancelOutcome.REQUESTED:
        await _tell_too_late(connection, job.generation_id, job.take, job.attempt, cost, now)
    await _tell(
        connection,
        job,
        EventType.GENERATION_COMPLETED,
        "The generation is completed.",
        now,
        data={"cost": cost_json(cost), "actions": ["regenerate"]},
        key=f"completed/{job.take}",
    )
    return Ending(status=Status.COMPLETED, cost=cost)


async def close_failed(connection: AsyncConnection, close: CloseTake, now: datetime) -> Ending:
    """Write that a take ends without a video; nothing where it is over already."""
    generation = await catalog.load(connection, close.generation_id)
    take = _take(generation, close.take)
    if take.status.is_terminal:
        return await ending_of(connection, close.generation_id, close.take)
    await connection.execute(
        update(takes)
        .where(takes.c.generation_id == close.generation_id, takes.c.number == close.take)
        .values(
            status=after(take.status, Move.FAIL),
            failure=close.failure.model_dump(mode="json"),
            ended_at=now,
            cancel_outcome=CancelOutcome.TOO_LATE if take.cancel_outcome is not None else None,
        )
    )
    # What was promised to a provider and not seen to end may still be owed.
    await connection.execute(
        update(attempts)
        .where(attempts.c.generation_id == close.generation_id, attempts.c.take == close.take)
        .values(at_risk_micros=attempts.c.at_risk_micros + attempts.c.reserved_micros, reserved_micros=0)
    )
    await _show_end(connection, generation, take, Move.FAIL, now)
    cost = await cost_of(connection, close.generation_id)
    if take.cancel_outcome is CancelOutcome.REQUESTED:
        await _tell_too_late(connection, close.generation_id, close.take, close.attempt, cost, now)
    await events.append(
        connection,
        EventType.GENERATION_FAILED,
        generation_id=close.generation_id,
        take=close.take,
        attempt=close.attempt,
        at=now,
        message=f"The generation failed: {close.failure.detail}",
        data={
            "error": error_json(close.failure),
            "cost": cost_json(cost),
            "actions": ["regenerate"],
        },
        key=f"failed/{close.take}",
    )
    return Ending(status=Status.FAILED, cost=cost, failure=close.failure)


async def cancel_sending(
    connection: AsyncConnection, job: Job, now: datetime, *, will_bill: bool | None
) -> bool | None:
    """Write that a cancel is about to be sent, so that a vanished job is known to be our doing.

    Returns:
        Whether the provider bills it: what was seen before the first cancel that was sent.
    """
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref, attempts.c.cancel_sent_at.is_(None))
        .values(cancel_sent_at=now, cancel_billed=will_bill)
    )
    row = await _attempt(connection, job.ref)
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
    take = _take(generation, job.take)
    if result.outcome is CancelOutcome.STOPPED:
        await connection.execute(
            update(attempts)
            .where(attempts.c.ref == job.ref, attempts.c.ended_at.is_(None))
            .values(
                job_state=JobState.CANCELLED, ended_at=now, **_money(billed(job.plan.price, result.billed))
            )
        )
    elif result.outcome is CancelOutcome.GOES_ON:
        await connection.execute(
            update(attempts)
            .where(attempts.c.ref == job.ref, attempts.c.ended_at.is_(None))
            .values(**_money(Cost(at_risk=job.plan.price)))
        )
    if not by_user:
        return
    if result.outcome is CancelOutcome.TOO_LATE:
        await connection.execute(
            update(takes)
            .where(takes.c.generation_id == job.generation_id, takes.c.number == job.take)
            .values(cancel_outcome=result.outcome)
        )
        await connection.execute(
            update(generations)
            .where(generations.c.id == job.generation_id, generations.c.stage == Stage.CANCELLING)
            .values(stage=Stage.GENERATING)
        )
        await _tell_too_late(connection, job.generation_id, job.take, job.attempt, generation.cost, now)
        return
    await close_cancelled(connection, generation, take, result.outcome, now, billed=result.billed)


async def ending_of(connection: AsyncConnection, generation_id: str, take_number: int) -> Ending:
    """Return how a take stands."""
    generation = await catalog.load(connection, generation_id)
    take = _take(generation, take_number)
    return Ending(status=take.status, cost=generation.cost, failure=take.failure)


def error_json(failure: Failure) -> dict[str, Any]:
    """Return a failure as users are told it."""
    return {
        "category": failure.category,
        "code": failure.code,
        "message": failure.detail,
        "advice": advice_for(failure.category),
        "retryable": is_retryable(failure.category),
    }


async def _show_end(
    connection: AsyncConnection, generation: Generation, take: Take, move: Move, now: datetime, **values: Any
) -> None:
    await connection.execute(
        update(generations)
        .where(
            generations.c.id == generation.id,
            generations.c.current_take == take.number,
            generations.c.status.not_in(TERMINAL),
        )
        .values(
            status=after(generation.status, move),
            stage=Stage.DONE,
            completed_at=now,
            updated_at=now,
            **values,
        )
    )


async def _tell(
    connection: AsyncConnection,
    job: Job,
    kind: EventType,
    message: str,
    now: datetime,
    *,
    key: str,
    data: dict[str, Any] | None = None,
) -> None:
    await events.append(
        connection,
        kind,
        generation_id=job.generation_id,
        take=job.take,
        attempt=job.attempt,
        at=now,
        message=message,
        data=data,
        key=key,
    )


async def _tell_too_late(
    connection: AsyncConnection, generation_id: str, take: int, attempt: int | None, cost: Cost, now: datetime
) -> None:
    await events.append(
        connection,
        EventType.CANCEL_OUTCOME,
        generation_id=generation_id,
        take=take,
        attempt=attempt,
        at=now,
        message="Too late to cancel: the job had ended at the provider.",
        data={"outcome": CancelOutcome.TOO_LATE, "cost": cost_json(cost)},
        key=f"cancel.outcome/{take}",
    )


async def _percent_shown(connection: AsyncConnection, generation_id: str) -> int:
    query = select(generations.c.progress_percent).where(generations.c.id == generation_id)
    percent: int = (await connection.execute(query)).scalar_one()
    return percent


async def _attempt(connection: AsyncConnection, ref: str) -> Row[Any]:
    return (await connection.execute(select(attempts).where(attempts.c.ref == ref))).one()


def _take(generation: Generation, number: int) -> Take:
    return next(take for take in generation.takes if take.number == number)


def _money(cost: Cost) -> dict[str, int]:
    return {
        "reserved_micros": cost.reserved,
        "settled_micros": cost.settled,
        "at_risk_micros": cost.at_risk,
    }
