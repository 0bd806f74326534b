"""Requests, plans, orders and jobs for tests: whole ones, of which a test says only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import AttemptState
from domain.generation import DeploymentMode, Generation, Take, Video
from domain.ids import attempt_ref, new_generation_id
from domain.limits import Limits
from domain.messages import ClaimedAttempt, Job, Order
from domain.moments import micros_of
from domain.orders.capabilities import Mode
from domain.orders.line_up.runway import RUNWAY
from domain.orders.planning import Wanted, plans
from domain.orders.plans import FirstFrame, Plan
from domain.orders.request import GenerationRequest
from domain.status import Stage, Status

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PROMPT = "A red fox runs over fresh snow"
IMAGE_ID = "img_fox"
IMAGE_URL = "https://images.example.com/fox.png"
LIMITS = Limits()


def a_request(**changes: Any) -> GenerationRequest:
    """A valid request for five seconds of a fox."""
    return GenerationRequest.model_validate({"prompt": PROMPT, **changes})


def a_plan(**changes: Any) -> Plan:
    """What `a_request` becomes at Runway: five seconds of gen4.5 for 60 cents."""
    return plans(Wanted(request=a_request(), seed=7), [RUNWAY])[0].model_copy(update=changes)


def a_first_frame(width: int = 1280, height: int = 720) -> FirstFrame:
    """A stored picture, by default of just the size of `a_plan`."""
    return FirstFrame(image_id=IMAGE_ID, sha256="c" * 64, width=width, height=height)


def an_image_plan(**changes: Any) -> Plan:
    """A plan that starts from a picture, which needs no cutting unless told."""
    return a_plan(**{"mode": Mode.IMAGE, "first_frame": a_first_frame()} | changes)


def a_failure(category: Category = Category.SERVER_ERROR, **changes: Any) -> Failure:
    """A failure of some kind."""
    told: dict[str, Any] = {"category": category, "code": "some_code", "detail": "It did not work."}
    return Failure.model_validate(told | changes)


def an_order(generation_id: str | None = None, *, take: int = 1, attempt: int = 1, **changes: Any) -> Order:
    """Claimed work that no database knows of."""
    of = generation_id or new_generation_id()
    claimed = ClaimedAttempt(
        ref=attempt_ref(of, take, attempt), number=attempt, state=AttemptState.QUEUED, account="runway"
    )
    order = Order(
        generation_id=of,
        take=take,
        mode=DeploymentMode.SANDBOX,
        plan=a_plan(),
        attempt=claimed,
        limits=LIMITS,
        send_by=micros_of(NOW + LIMITS.send_within),
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


def a_take(**changes: Any) -> Take:
    """A take that was just asked for."""
    told: dict[str, Any] = {
        "number": 1,
        "status": Status.PENDING,
        "request": a_request(),
        "plan": a_plan(),
        "cancel_requested_at": None,
        "cancel_outcome": None,
        "cancel_billed": None,
        "failure": None,
        "video": None,
        "attempts": (),
        "created_at": NOW,
        "ended_at": None,
    }
    return Take.model_validate(told | changes)


def a_generation(*takes: Take, **changes: Any) -> Generation:
    """A generation with some takes, numbered in their order; it stands where the newest of them does."""
    numbered = [take.model_copy(update={"number": n}) for n, take in enumerate(takes or (a_take(),), start=1)]
    status = numbered[-1].status
    told: dict[str, Any] = {
        "id": new_generation_id(),
        "mode": DeploymentMode.SANDBOX,
        "tenant_id": "default",
        "status": status,
        "stage": Stage.DONE if status.is_terminal else Stage.QUEUED,
        "progress_percent": 0,
        "progress_source": None,
        "progress_at": None,
        "last_seq": 1,
        "project_id": None,
        "scenario_id": None,
        "user_id": None,
        "metadata": {},
        "takes": tuple(numbered),
        "created_at": NOW,
        "updated_at": NOW,
        "completed_at": None,
    }
    return Generation.model_validate(told | changes)
