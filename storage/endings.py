"""How takes end: completed, failed or cancelled, each told once, and never after another end.

A take that was replaced ends quietly: the generation goes on with the next one, and streams must not stop.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actions import actions_at_end
from domain.events import EventType
from domain.failures import Category, Failure, advice_for, is_retryable
from domain.generation import Cost, Generation, Take, Video
from domain.messages import CloseTake, Ending, Job
from domain.money import to_usd
from domain.outcomes import AttemptState, CancelOutcome, JobState
from domain.status import TERMINAL, Move, Stage, after
from storage import catalog, events, uses
from storage.asset_store import AssetStore
from storage.tables import attempts, generations, takes


@dataclass(frozen=True)
class _End:
    """One end of a take.

    Attributes:
        outcome: What became of a cancel that was asked for.
        billed: Whether the provider bills what was cancelled; None where it does not say.
    """

    move: Move
    failure: Failure | None = None
    outcome: CancelOutcome | None = None
    billed: bool | None = None
    video: Video | None = None


async def completed(
    connection: AsyncConnection, assets: AssetStore, job: Job, video: Video, now: datetime
) -> Ending:
    """Write that the take's video is stored, and show it unless a newer take is shown.

    Raises:
        FileGone: The stored file was removed in this moment; to be stored again.
    """
    generation = await catalog.load(connection, job.generation_id)
    take = generation.take(job.take)
    if take.video is None:
        await uses.begin(connection, assets, job.generation_id, job.take, video)
        await connection.execute(
            update(takes).where(*_is(generation, take)).values(video=video.model_dump(mode="json"))
        )
        if generation.deleted_at is not None:
            # It came after its generation was deleted: to be erased once more.
            await connection.execute(
                update(generations).where(generations.c.id == generation.id).values(erased_at=None)
            )
    outcome = take.cancel_outcome
    if outcome is CancelOutcome.REQUESTED:
        outcome = CancelOutcome.TOO_LATE
    end = _End(Move.COMPLETE, outcome=outcome, video=video)
    return await _end(connection, generation, take, job.attempt, end, now)


async def close_failed(connection: AsyncConnection, close: CloseTake, now: datetime) -> Ending:
    """Write that a take ends without a video; nothing where it is over already."""
    generation = await catalog.load(connection, close.generation_id)
    take = generation.take(close.take)
    if not take.status.is_terminal:
        # What was promised to a provider and not seen to end may still be owed.
        await connection.execute(
            update(attempts)
            .where(
                attempts.c.generation_id == close.generation_id,
                attempts.c.take == close.take,
                attempts.c.state != AttemptState.GRANTED,
            )
            .values(at_risk_micros=attempts.c.at_risk_micros + attempts.c.reserved_micros, reserved_micros=0)
        )
    outcome = None if take.cancel_outcome is None else await _cancel_outcome(connection, take, close.failure)
    end = _End(Move.FAIL, failure=close.failure, outcome=outcome)
    return await _end(connection, generation, take, close.attempt, end, now)


async def _cancel_outcome(connection: AsyncConnection, take: Take, failure: Failure) -> CancelOutcome:
    """Return what became of a cancel that was still open when the take failed: the attempts tell."""
    if all(attempt.state.is_unsent for attempt in take.attempts):
        return CancelOutcome.STOPPED_BEFORE_SUBMIT
    last = select(attempts.c.job_state).where(attempts.c.ref == take.attempts[-1].ref)
    if (await connection.execute(last)).scalar_one() == JobState.CANCELLED:
        return CancelOutcome.STOPPED
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
) -> Ending:
    """Write that a take is cancelled, with the true outcome; nothing where the take is over."""
    end = _End(Move.CANCEL, outcome=outcome, billed=billed)
    return await _end(connection, generation, take, None, end, now)


async def ending_of(connection: AsyncConnection, generation_id: str, take_number: int) -> Ending:
    """Return how a take stands."""
    generation = await catalog.load(connection, generation_id)
    take = generation.take(take_number)
    return Ending(status=take.status, cost=generation.cost, failure=take.failure)


async def _end(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    attempt: int | None,
    end: _End,
    now: datetime,
) -> Ending:
    """Write and tell one end of a take, unless it has another."""
    if take.status.is_terminal:
        return await ending_of(connection, generation.id, take.number)
    status = after(take.status, end.move)
    # A permission that nobody has used is withdrawn: nothing is sent for a take that is over, and nothing is owed.
    await connection.execute(
        update(attempts)
        .where(
            attempts.c.generation_id == generation.id,
            attempts.c.take == take.number,
            attempts.c.state == AttemptState.GRANTED,
        )
        .values(state=AttemptState.ABANDONED, reserved_micros=0, ended_at=now)
    )
    await connection.execute(
        update(takes)
        .where(*_is(generation, take), takes.c.status.not_in(TERMINAL))
        .values(
            status=status,
            ended_at=now,
            failure=None if end.failure is None else end.failure.model_dump(mode="json"),
            cancel_outcome=end.outcome,
            cancel_billed=end.billed,
        )
    )
    if take.superseded_by is None:
        await connection.execute(
            update(generations)
            .where(generations.c.id == generation.id, generations.c.status.not_in(TERMINAL))
            .values(
                status=after(generation.status, end.move),
                stage=Stage.DONE,
                completed_at=now,
                updated_at=now,
                **({"progress_percent": 100} if end.video else {}),
            )
        )
    cost = (await catalog.load(connection, generation.id)).cost
    await _Teller(connection, generation, take, attempt, cost, now).tell(end)
    return Ending(status=status, cost=cost, failure=end.failure)


def _is(generation: Generation, take: Take) -> list[Any]:
    return [takes.c.generation_id == generation.id, takes.c.number == take.number]


_OUTCOMES = {
    CancelOutcome.STOPPED_BEFORE_SUBMIT: "Cancelled before anything was sent; it costs nothing.",
    CancelOutcome.STOPPED: "Cancelled; the provider stopped the job.",
    CancelOutcome.GOES_ON: "The provider does not stop the job, which goes on and may still be billed.",
    CancelOutcome.TOO_LATE: "Too late to cancel: it was over already.",
}


@dataclass(frozen=True)
class _Teller:
    """Tells how a take ended; the last event of a generation comes last, as streams stop there."""

    connection: AsyncConnection
    generation: Generation
    take: Take
    attempt: int | None
    cost: Cost
    now: datetime

    async def tell(self, end: _End) -> None:
        if end.video is not None:
            await self._video(end.video)
        if end.outcome is not None:
            await self.outcome(end.outcome, billed=end.billed)
        if self.take.superseded_by is not None:
            await self._superseded(end.outcome, self.take.superseded_by)
        else:
            await self._generation(end)

    async def outcome(self, outcome: CancelOutcome, *, billed: bool | None) -> None:
        data = {"outcome": outcome, "billed": billed, "cost": cost_json(self.cost)}
        await self._append(EventType.CANCEL_OUTCOME, _OUTCOMES[outcome], data, "cancel.outcome")

    async def _video(self, video: Video) -> None:
        message = f"The video is stored: {video.duration_seconds:.1f} s, {video.width}x{video.height}."
        data = {
            "video": video.model_dump(mode="json"),
            "adjustments": [one.model_dump(mode="json") for one in self.take.plan.adjustments],
        }
        await self._append(EventType.TAKE_COMPLETED, message, data, "take.completed")

    async def _superseded(self, outcome: CancelOutcome | None, by: int) -> None:
        message = f"Take {self.take.number} was replaced by take {by}."
        data = {"by": by, "outcome": outcome, "cost": cost_json(self.cost)}
        await self._append(EventType.TAKE_SUPERSEDED, message, data, "superseded")

    async def _generation(self, end: _End) -> None:
        status = after(self.generation.status, end.move)
        has_video = end.video is not None or any(take.video for take in self.generation.takes)
        data: dict[str, Any] = {
            "cost": cost_json(self.cost),
            "actions": list(actions_at_end(status, has_video=has_video)),
        }
        match end.move:
            case Move.COMPLETE:
                kind, message = EventType.GENERATION_COMPLETED, "The generation is completed."
            case Move.CANCEL:
                kind, message = EventType.GENERATION_CANCELLED, "The generation is cancelled."
            case _:
                failure = end.failure
                if failure is None:
                    raise ValueError("a generation that failed says why")
                kind, message = EventType.GENERATION_FAILED, f"The generation failed: {failure.detail}"
                data["error"] = error_json(failure)
        await self._append(kind, message, data, str(status))

    async def _append(self, kind: EventType, message: str, data: dict[str, Any], key: str) -> None:
        await events.append(
            self.connection,
            kind,
            generation_id=self.generation.id,
            take=self.take.number,
            attempt=self.attempt,
            at=self.now,
            message=message,
            data=data,
            key=f"{key}/{self.take.number}",
        )


async def tell_too_late(connection: AsyncConnection, generation: Generation, job: Job, now: datetime) -> None:
    """Write that a cancel came too late, while the take goes on to its end."""
    take = generation.take(job.take)
    teller = _Teller(connection, generation, take, job.attempt, generation.cost, now)
    await teller.outcome(CancelOutcome.TOO_LATE, billed=None)


def error_json(failure: Failure) -> dict[str, Any]:
    """Return a failure as users are told it."""
    return {
        "category": failure.category,
        "code": failure.code,
        "message": failure.detail,
        "advice": advice_for(failure.category),
        "retryable": is_retryable(failure.category),
    }


def cost_json(cost: Cost) -> dict[str, str]:
    """Return the three numbers as decimal strings of dollars."""
    return {
        "reserved_usd": to_usd(cost.reserved),
        "settled_usd": to_usd(cost.settled),
        "at_risk_usd": to_usd(cost.at_risk),
    }
