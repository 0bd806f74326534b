"""How decisions about takes and their ends are told: each once, the last event of a generation last.

Streams stop at that one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.actions import actions_at_end
from domain.attempts.failures import Failure
from domain.attempts.outcomes import AttemptState, CancelOutcome
from domain.attempts.recovery import Again, Decision
from domain.events import EventType
from domain.generation import Cost, Generation, Take, Video
from domain.status import Move, Status, after
from storage import events
from storage.event_data import cost_json, error_json


@dataclass(frozen=True)
class End:
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


_OUTCOMES = {
    CancelOutcome.STOPPED_BEFORE_SUBMIT: "Cancelled before anything was sent; it costs nothing.",
    CancelOutcome.STOPPED: "Cancelled; the provider stopped the job.",
    CancelOutcome.GOES_ON: "The provider does not stop the job, which goes on and may still be billed.",
    CancelOutcome.TOO_LATE: "Too late to cancel: it was over already.",
}


@dataclass(frozen=True)
class Teller:
    """Tells how a take ended; the last event of a generation comes last, as streams stop there."""

    connection: AsyncConnection
    generation: Generation
    take: Take
    attempt: int | None
    cost: Cost
    now: datetime

    async def tell(self, end: End) -> None:
        """Tell an end: the video, what became of a cancel, and the generation's end."""
        if end.video is not None:
            await self._video(end.video)
        if end.outcome is not None:
            await self.outcome(end.outcome, billed=end.billed)
        if self.take.superseded_by is not None:
            await self._superseded(end.outcome, self.take.superseded_by)
        else:
            await self._generation(end)

    async def late_success(self, video: Video, *, shown: bool) -> None:
        """Tell that a video came late, and where its take is the newest, that the generation is completed."""
        await self._video(video)
        if shown:
            data = {
                "cost": cost_json(self.cost),
                "actions": list(actions_at_end(Status.COMPLETED, has_video=True)),
            }
            message = "The video came after all: the generation is completed."
            await self._append(EventType.GENERATION_LATE_SUCCESS, message, data, "late_success")

    async def outcome(self, outcome: CancelOutcome, *, billed: bool | None) -> None:
        """Tell what became of a cancel."""
        data = {"outcome": outcome, "billed": billed, "cost": cost_json(self.cost)}
        message = _OUTCOMES[outcome]
        was_sent = any(
            not (one.state.is_unsent or one.state is AttemptState.QUEUED) for one in self.take.attempts
        )
        if outcome is CancelOutcome.STOPPED_BEFORE_SUBMIT and was_sent:
            message = "Cancelled before anything more was sent."
        await self._append(EventType.CANCEL_OUTCOME, message, data, "cancel.outcome")

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

    async def _generation(self, end: End) -> None:
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


async def tell_decision(
    connection: AsyncConnection, generation: Generation, take: Take, decision: Decision, now: datetime
) -> None:
    """Tell what was decided after a take's last attempt, once."""
    last = take.attempts[-1]
    data = {"strategy": decision.strategy, "reason": decision.reason}
    if isinstance(decision, Again):
        data |= {"next": decision.plan.provider, "not_before": decision.not_before.isoformat()}
    await events.append(
        connection,
        EventType.RECOVERY_DECIDED,
        generation_id=generation.id,
        take=take.number,
        attempt=last.number,
        at=now,
        message=decision.reason,
        data=data,
        key=f"recovery/{last.ref}",
    )
