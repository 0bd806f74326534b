"""The JSON that leaves the house, and how it is made from the records of the catalog."""

from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from domain.capabilities import Plan
from domain.events import Event
from domain.failures import Category, Failure, advice_for, is_retryable
from domain.generation import Attempt, Cost, Generation, Take, Video
from domain.money import to_usd
from domain.outcomes import AttemptState, CancelOutcome
from domain.status import Status


class Money(BaseModel):
    """The three numbers, in US dollars as decimal strings."""

    reserved_usd: str = Field(examples=["0.60"])
    settled_usd: str = Field(examples=["0.00"])
    at_risk_usd: str = Field(examples=["0.00"])

    @classmethod
    def of(cls, cost: Cost) -> "Money":
        """Return a cost as JSON."""
        return cls(
            reserved_usd=to_usd(cost.reserved),
            settled_usd=to_usd(cost.settled),
            at_risk_usd=to_usd(cost.at_risk),
        )


class Error(BaseModel):
    """Why it failed, and what to do."""

    category: Category
    code: str
    message: str
    advice: str
    retryable: bool

    @classmethod
    def of(cls, failure: Failure) -> "Error":
        """Return a failure as JSON."""
        return cls(
            category=failure.category,
            code=failure.code,
            message=failure.detail,
            advice=advice_for(failure.category),
            retryable=is_retryable(failure.category),
        )


class Progress(BaseModel):
    """How far it is; never falls within a take."""

    percent: int
    source: str | None = None
    as_of: AwareDatetime | None = None


class VideoOut(BaseModel):
    """A stored video."""

    url: str
    poster_url: str
    duration_seconds: float
    width: int
    height: int
    fps: float
    codec: str
    has_audio: bool
    size_bytes: int
    sha256: str
    seed: int | None = None

    @classmethod
    def of(cls, generation_id: str, take: int, video: Video) -> "VideoOut":
        """Return a video as JSON."""
        base = f"/v1/generations/{generation_id}"
        return cls(
            url=f"{base}/video?take={take}",
            poster_url=f"{base}/poster?take={take}",
            **video.model_dump(exclude={"poster_sha256"}),
        )


class AttemptOut(BaseModel):
    """One submission to a provider."""

    number: int
    provider: str
    account: str
    model: str
    job_id: str | None
    outcome: AttemptState
    failure: Error | None
    cost: Money
    started_at: AwareDatetime
    ended_at: AwareDatetime | None

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptOut":
        """Return an attempt as JSON."""
        return cls(
            number=attempt.number,
            provider=attempt.provider,
            account=attempt.account,
            model=attempt.model,
            job_id=attempt.job_id,
            outcome=attempt.state,
            failure=None if attempt.failure is None else Error.of(attempt.failure),
            cost=Money.of(attempt.cost),
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
        )


class TakeOut(BaseModel):
    """One version of the picture."""

    number: int
    status: Status
    request: dict[str, Any] = Field(description="The effective request: model, prompt, seed and all params.")
    cancel: dict[str, Any] | None
    error: Error | None
    attempts: list[AttemptOut]
    video: VideoOut | None
    created_at: AwareDatetime
    ended_at: AwareDatetime | None

    @classmethod
    def of(cls, generation_id: str, take: Take) -> "TakeOut":
        """Return a take as JSON."""
        cancel = None
        if take.cancel_outcome is not None:
            cancel = {"outcome": take.cancel_outcome, "billed": take.cancel_billed}
        return cls(
            number=take.number,
            status=take.status,
            request=effective(take.plan),
            cancel=cancel,
            error=None if take.failure is None else Error.of(take.failure),
            attempts=[AttemptOut.of(attempt) for attempt in take.attempts],
            video=None if take.video is None else VideoOut.of(generation_id, take.number, take.video),
            created_at=take.created_at,
            ended_at=take.ended_at,
        )


class Links(BaseModel):
    """Where to go from here."""

    self: str
    events: str
    video: str | None
    poster: str | None
    temporal: str


class GenerationOut(BaseModel):
    """One order for one video, as it stands."""

    id: str = Field(examples=["gen_01k9zq3v5x7b8c9d0e1f2g3h4j"])
    mode: str
    status: Status
    stage: str
    progress: Progress
    eta_seconds: int | None
    provider: str
    model: str
    request: dict[str, Any]
    project_id: str | None
    scenario_id: str | None
    user_id: str | None
    metadata: dict[str, str]
    takes: list[TakeOut]
    cost: Money
    error: Error | None
    actions: list[str]
    last_seq: int = Field(description="The newest event; pass it as `after` to wait for the next.")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    completed_at: AwareDatetime | None
    links: Links

    @classmethod
    def of(cls, generation: Generation, temporal_namespace: str) -> "GenerationOut":
        """Return a generation as JSON; `temporal_namespace` is the page of the namespace in Temporal's UI."""
        take = generation.current
        base = f"/v1/generations/{generation.id}"
        has_video = take.video is not None
        return cls(
            id=generation.id,
            mode=generation.mode,
            status=generation.status,
            stage=generation.stage,
            progress=Progress(
                percent=generation.progress_percent,
                source=generation.progress_source,
                as_of=generation.progress_at,
            ),
            eta_seconds=eta_seconds(generation, datetime.now(UTC)),
            provider=take.plan.provider,
            model=take.plan.model,
            request=take.request.model_dump(mode="json", exclude_none=True, exclude={"metadata"}),
            project_id=generation.project_id,
            scenario_id=generation.scenario_id,
            user_id=generation.user_id,
            metadata=generation.metadata,
            takes=[TakeOut.of(generation.id, one) for one in generation.takes],
            cost=Money.of(generation.cost),
            error=None if take.failure is None else Error.of(take.failure),
            actions=actions(generation),
            last_seq=generation.last_seq,
            created_at=generation.created_at,
            updated_at=generation.updated_at,
            completed_at=generation.completed_at,
            links=Links(
                self=base,
                events=f"{base}/events",
                video=f"{base}/video" if has_video else None,
                poster=f"{base}/poster" if has_video else None,
                temporal=f"{temporal_namespace}/workflows/{generation.id}",
            ),
        )


class GenerationPage(BaseModel):
    """Generations, the newest first."""

    data: list[GenerationOut]
    has_more: bool
    next: str | None = Field(description="Pass it as `cursor` for the next page.")


class CancelOut(BaseModel):
    """What became of a cancel so far."""

    generation_id: str
    take: int
    outcome: CancelOutcome
    billed: bool | None
    cost: Money


class EventOut(BaseModel):
    """One thing that happened."""

    seq: int
    type: str
    generation_id: str
    take: int
    attempt: int | None
    at: AwareDatetime
    message: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        """Return an event as JSON."""
        return cls(**event.model_dump())


class EventPage(BaseModel):
    """Events, the oldest first."""

    data: list[EventOut]
    has_more: bool
    next: int | None = Field(description="Pass it as `after` for the next page.")


def effective(plan: Plan) -> dict[str, Any]:
    """Return what was sent to the provider, in the words of a request."""
    params = {
        "duration_seconds": plan.duration_seconds,
        "resolution": f"{plan.width}x{plan.height}",
        "seed": plan.seed,
        "image_url": plan.image_url,
    }
    return {
        "prompt": plan.prompt,
        "provider": plan.provider,
        "model": plan.model,
        "mode": plan.mode,
        "params": {name: value for name, value in params.items() if value is not None},
    }


def actions(generation: Generation) -> list[str]:
    """Return what can be done with a generation now."""
    if generation.status.is_terminal:
        return ["regenerate"]
    return [] if generation.current.cancel_requested_at else ["cancel"]


_ETA_FROM_PERCENT = 5


def eta_seconds(generation: Generation, now: datetime) -> int | None:
    """Return how long it should still take, from the progress so far; None while that says nothing."""
    percent = generation.progress_percent
    attempts = generation.current.attempts
    if generation.status.is_terminal or not attempts or percent < _ETA_FROM_PERCENT:
        return None
    elapsed = (now - attempts[-1].started_at).total_seconds()
    return max(1, round(elapsed * (100 - percent) / percent))
