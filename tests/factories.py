"""Requests, plans, orders and jobs for tests: whole ones, of which a test says only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.capabilities import Mode, Plan, plan
from domain.failures import Category, Failure
from domain.generation import DeploymentMode, Video
from domain.ids import attempt_ref, new_generation_id
from domain.line_up import RUNWAY
from domain.messages import ClaimedAttempt, Job, Limits, Order
from domain.moments import micros_of
from domain.outcomes import AttemptState
from domain.request import GenerationRequest

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PROMPT = "A red fox runs over fresh snow"
IMAGE_URL = "https://images.example.com/fox.png"
LIMITS = Limits()


def a_request(**changes: Any) -> GenerationRequest:
    """A valid request for five seconds of a fox."""
    return GenerationRequest.model_validate({"prompt": PROMPT, **changes})


def a_plan(**changes: Any) -> Plan:
    """What `a_request` becomes at Runway: five seconds of gen4.5 for 60 cents."""
    return plan(a_request(), [RUNWAY], seed=7).model_copy(update=changes)


def an_image_plan(**changes: Any) -> Plan:
    """A plan that starts from an image."""
    return a_plan(mode=Mode.IMAGE, image_url=IMAGE_URL, **changes)


def a_failure(category: Category = Category.SERVER_ERROR, **changes: Any) -> Failure:
    """A failure of some kind."""
    told: dict[str, Any] = {"category": category, "code": "some_code", "detail": "It did not work."}
    return Failure.model_validate(told | changes)


def an_order(generation_id: str | None = None, *, take: int = 1, attempt: int = 1, **changes: Any) -> Order:
    """Claimed work that no database knows of."""
    of = generation_id or new_generation_id()
    claimed = ClaimedAttempt(
        ref=attempt_ref(of, take, attempt), number=attempt, state=AttemptState.GRANTED, account="runway"
    )
    order = Order(
        generation_id=of,
        take=take,
        mode=DeploymentMode.SANDBOX,
        plan=a_plan(),
        attempt=claimed,
        limits=LIMITS,
    )
    return order.model_copy(update=changes)


def a_job(order: Order, job_id: str = "job-1", deadline: datetime = NOW + LIMITS.job) -> Job:
    """The job that an order became."""
    return Job.of(order, job_id, micros_of(deadline))


def a_video(**changes: Any) -> Video:
    """A stored video of five seconds."""
    told: dict[str, Any] = {
        "sha256": "a" * 64,
        "size_bytes": 1_000_000,
        "poster_sha256": "b" * 64,
        "duration_seconds": 5.0,
        "width": 1280,
        "height": 720,
        "fps": 24.0,
        "codec": "h264",
        "has_audio": False,
    }
    return Video.model_validate(told | changes)
