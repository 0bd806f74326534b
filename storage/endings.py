"""How takes end: completed, failed or cancelled, each told once, and never after another end."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from domain.failures import Category, Failure, advice_for, is_retryable
from domain.generation import Cost, Generation, Take, Video
from domain.messages import CloseTake, Ending, Job
from domain.money import to_usd
from domain.outcomes import CancelOutcome
from domain.status import TERMINAL, Move, Stage, Status, after
from storage import catalog, events
from storage.tables import attempts, generations, takes


async def completed(connection: AsyncConnection, job: Job, video: Video, now: datetime) -> Ending:
    """Write that the take's video is stored, and show it unless a newer take is shown."""
    generation = await catalog.load(connection, job.generation_id, lock=True)
    take = generation.take(job.take)
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
        .where(
            takes.c.generation_id == job.generation_id,
            takes.c.number == job.take,
            takes.c.status.not_in(TERMINAL),
        )
        .values(
            status=after(take.status, Move.COMPLETE),
            ended_at=now,
            cancel_outcome=CancelOutcome.TOO_LATE if outcome is CancelOutcome.REQUESTED else outcome,
        )
    )
    await _show_end(connection, generation, take, Move.COMPLETE, now, progress_percent=100)
    cost = await cost_of(connection, job.generation_id)
    await events.tell(
        connection,
        job,
        EventType.TAKE_COMPLETED,
        f"The video is stored: {video.duration_seconds:.1f} s, {video.width}x{video.height}.",
        now,
        data={"video": video.model_dump(mode="json")},
        key=f"take.completed/{job.take}",
    )
    if outcome is CancelOutcome.REQUESTED:
        late = CancelOutcome.TOO_LATE
        await tell_uncancelled(connection, job.generation_id, job.take, job.attempt, late, cost, now)
    await events.tell(
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
    generation = await catalog.load(connection, close.generation_id, lock=True)
    take = generation.take(close.take)
    if take.status.is_terminal:
        return await ending_of(connection, close.generation_id, close.take)
    await connection.execute(
        update(takes)
        .where(
            takes.c.generation_id == close.generation_id,
            takes.c.number == close.take,
            takes.c.status.not_in(TERMINAL),
        )
        .values(
            status=after(take.status, Move.FAIL),
            failure=close.failure.model_dump(mode="json"),
            ended_at=now,
            cancel_outcome=None if take.cancel_outcome is None else _cancel_outcome_of(close.failure),
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
        outcome = _cancel_outcome_of(close.failure)
        await tell_uncancelled(connection, close.generation_id, close.take, close.attempt, outcome, cost, now)
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


def _cancel_outcome_of(failure: Failure) -> CancelOutcome:
    """Return what became of a cancel that was still open when the take failed."""
    if failure.category in {Category.SUBMISSION_UNKNOWN, Category.TIMEOUT}:
        return CancelOutcome.GOES_ON
    return CancelOutcome.TOO_LATE


async def close_cancelled(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    outcome: CancelOutcome,
    now: datetime,
    *,
    billed: bool | None,
) -> None:
    """Write that a take is cancelled, with the true outcome; nothing where the take is over."""
    closed = await connection.execute(
        update(takes)
        .where(
            takes.c.generation_id == generation.id,
            takes.c.number == take.number,
            takes.c.status.not_in(TERMINAL),
        )
        .values(
            status=after(take.status, Move.CANCEL) if not take.status.is_terminal else take.status,
            cancel_outcome=outcome,
            cancel_billed=billed,
            ended_at=now,
        )
    )
    if closed.rowcount == 0:
        return
    if generation.current.number == take.number:
        await connection.execute(
            update(generations)
            .where(generations.c.id == generation.id)
            .values(status=Status.CANCELLED, stage=Stage.DONE, completed_at=now, updated_at=now)
        )
    cost = await cost_of(connection, generation.id)
    words = {
        CancelOutcome.STOPPED_BEFORE_SUBMIT: "Cancelled before anything was sent; it costs nothing.",
        CancelOutcome.STOPPED: "Cancelled; the provider stopped the job.",
        CancelOutcome.GOES_ON: "Cancelled here; the provider does not stop the job, which may still be billed.",
    }
    await events.append(
        connection,
        EventType.CANCEL_OUTCOME,
        generation_id=generation.id,
        take=take.number,
        at=now,
        message=words[outcome],
        data={"outcome": outcome, "billed": billed, "cost": cost_json(cost)},
        key=f"cancel.outcome/{take.number}",
    )
    await events.append(
        connection,
        EventType.GENERATION_CANCELLED,
        generation_id=generation.id,
        take=take.number,
        at=now,
        message="The generation is cancelled.",
        data={"cost": cost_json(cost), "actions": ["regenerate"]},
        key=f"cancelled/{take.number}",
    )


async def ending_of(connection: AsyncConnection, generation_id: str, take_number: int) -> Ending:
    """Return how a take stands."""
    generation = await catalog.load(connection, generation_id)
    take = generation.take(take_number)
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


async def cost_of(connection: AsyncConnection, generation_id: str) -> Cost:
    """Return the money of a generation, as it stands in this transaction."""
    return (await catalog.load(connection, generation_id)).cost


def cost_json(cost: Cost) -> dict[str, str]:
    """Return the three numbers as decimal strings of dollars."""
    return {
        "reserved_usd": to_usd(cost.reserved),
        "settled_usd": to_usd(cost.settled),
        "at_risk_usd": to_usd(cost.at_risk),
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


async def tell_uncancelled(
    connection: AsyncConnection,
    generation_id: str,
    take: int,
    attempt: int | None,
    outcome: CancelOutcome,
    cost: Cost,
    now: datetime,
) -> None:
    """Write that a cancel changed nothing, before the end is told: streams stop there."""
    words = {
        CancelOutcome.TOO_LATE: "Too late to cancel: it was over already.",
        CancelOutcome.GOES_ON: "It could not be cancelled: the provider may go on with the job, and bill it.",
    }
    await events.append(
        connection,
        EventType.CANCEL_OUTCOME,
        generation_id=generation_id,
        take=take,
        attempt=attempt,
        at=now,
        message=words[outcome],
        data={"outcome": outcome, "cost": cost_json(cost)},
        key=f"cancel.outcome/{take}",
    )
