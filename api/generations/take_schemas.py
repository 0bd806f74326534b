"""The JSON of takes: their attempts, videos and money, and what was sent for them."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.generations.paths import path_of
from domain.attempts.failures import Category, Failure, advice_for, is_retryable
from domain.attempts.outcomes import AttemptState
from domain.generation import Attempt, Cost, Take, Video
from domain.money import to_usd
from domain.orders.plans import Adjustment, Plan


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
        base = path_of(generation_id)
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


class FeedbackOut(BaseModel):
    """What a person thinks of a take."""

    rating: int
    comment: str | None
    reasons: list[str]
    at: AwareDatetime


SUPERSEDED = "superseded"
"""How a take that was replaced while it ran is shown, whatever became of it."""


class TakeOut(BaseModel):
    """One version of the picture."""

    number: int
    status: Literal["pending", "processing", "completed", "failed", "cancelled", "superseded"]
    request: dict[str, Any] = Field(description="The effective request: model, prompt, seed and all params.")
    adjustments: list[Adjustment] = Field(description="In what it differs from what was asked for.")
    superseded_by: int | None = Field(description="The take that replaced this one while it ran.")
    kept: bool
    feedback: FeedbackOut | None
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
            status=take.status.value if take.superseded_by is None else SUPERSEDED,
            request=effective(take.plan),
            adjustments=list(take.plan.adjustments),
            superseded_by=take.superseded_by,
            kept=take.kept,
            feedback=None
            if take.feedback is None
            else FeedbackOut.model_validate(take.feedback, from_attributes=True),
            cancel=cancel,
            error=None if take.failure is None else Error.of(take.failure),
            attempts=[AttemptOut.of(attempt) for attempt in take.attempts],
            video=None if take.video is None else VideoOut.of(generation_id, take.number, take.video),
            created_at=take.created_at,
            ended_at=take.ended_at,
        )


def effective(plan: Plan) -> dict[str, Any]:
    """Return what was sent to the provider, in the words of a request."""
    params = {
        "duration_seconds": plan.duration_seconds,
        "resolution": f"{plan.width}x{plan.height}",
        "seed": plan.seed,
        "image_id": None if plan.first_frame is None else plan.first_frame.image_id,
        "camera": None if plan.camera_fixed is None else {"fixed": plan.camera_fixed},
        "extra": plan.options or None,
    }
    return {
        "prompt": plan.prompt,
        "provider": plan.provider,
        "model": plan.model,
        "mode": plan.mode,
        "params": {name: value for name, value in params.items() if value is not None},
    }
