"""The records of the catalog: a generation, its takes, their attempts, and the money they add up to."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.attempts.failures import Failure
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.model import Frozen, Message
from domain.money import Micros
from domain.orders.plans import Plan
from domain.orders.request import GenerationRequest
from domain.status import Stage, Status


class DeploymentMode(StrEnum):
    """Whether providers and money are real. The two never mix."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Cost(Message):
    """The three numbers of honest money, in micro-dollars.

    Attributes:
        reserved: Promised to a provider, not yet billed.
        settled: Billed.
        at_risk: Possibly still owed.
    """

    reserved: Micros = 0
    settled: Micros = 0
    at_risk: Micros = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            reserved=self.reserved + other.reserved,
            settled=self.settled + other.settled,
            at_risk=self.at_risk + other.at_risk,
        )


class Video(Message):
    """A stored video, as decoding it showed it to be."""

    sha256: str
    size_bytes: int
    poster_sha256: str
    duration_seconds: float
    width: int
    height: int
    fps: float
    codec: str
    has_audio: bool
    seed: int | None = None


class Attempt(Frozen):
    """One submission of a take to one provider account.

    Attributes:
        plan: What it sends; None for attempts from before plans were kept with them.
        job_state: The last word about its job that was written down.
        not_before: When its wait for a retry is over.
        give_up_at: When its ticket is worth nothing any more.
        may_leave: Whether another provider could serve its take.
        given_up_at: Since when its take does not wait for it any more.
    """

    ref: str
    number: int
    provider: str
    account: str
    model: str
    state: AttemptState
    job_id: str | None
    failure: Failure | None
    cost: Cost
    started_at: datetime
    ended_at: datetime | None
    plan: Plan | None = None
    job_state: JobState | None = None
    not_before: datetime | None = None
    give_up_at: datetime | None = None
    may_leave: bool = False
    deadline: datetime | None = None
    given_up_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether its take waits for it: it may still send, or have a job that gives a video."""
        is_over = self.state.is_unsent or self.state is AttemptState.REJECTED
        return not is_over and self.given_up_at is None


class Feedback(Frozen):
    """What a person thinks of a take.

    Attributes:
        rating: 1 (useless) to 5 (just right).
        reasons: Short words to count.
    """

    rating: int
    comment: str | None = None
    reasons: tuple[str, ...] = ()
    at: datetime


class Take(Frozen):
    """One version of the picture.

    Attributes:
        plan: Of the newest attempt.
        route: Every plan that may serve the take, in order of preference.
        reserved: Held for the first attempt while there is none, in micro-dollars.
        superseded_by: The take that was asked for while this one was running.
        kept: Whether a person marked it as one to keep.
    """

    number: int
    status: Status
    request: GenerationRequest
    plan: Plan
    cancel_requested_at: datetime | None
    cancel_outcome: CancelOutcome | None
    cancel_billed: bool | None
    failure: Failure | None
    video: Video | None
    route: tuple[Plan, ...] = ()
    reserved: Micros = 0
    superseded_by: int | None = None
    kept: bool = False
    feedback: Feedback | None = None
    attempts: tuple[Attempt, ...]
    created_at: datetime
    ended_at: datetime | None

    @property
    def cost(self) -> Cost:
        """The money of all attempts, and what is held for the first one while there is none."""
        return total([attempt.cost for attempt in self.attempts] + [Cost(reserved=self.reserved)])


class Generation(Frozen):
    """One order for one video, with everything that is known of it."""

    id: str
    mode: DeploymentMode
    tenant_id: str
    status: Status
    stage: Stage
    progress_percent: int
    progress_source: str | None
    progress_at: datetime | None
    last_seq: int
    project_id: str | None
    scenario_id: str | None
    user_id: str | None
    metadata: dict[str, Any]
    takes: tuple[Take, ...]
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    deleted_at: datetime | None = None

    @property
    def current(self) -> Take:
        """The newest take: the one that is shown."""
        return self.takes[-1]

    def take(self, number: int) -> Take:
        """Return a take by its number, which exists."""
        return self.takes[number - 1]

    @property
    def is_over(self) -> bool:
        """Whether no take of it is still being worked on; a take that was replaced may end after the newest one."""
        return all(take.status.is_terminal for take in self.takes)

    @property
    def cost(self) -> Cost:
        """The money of all takes."""
        return total(take.cost for take in self.takes)


def total(costs: Iterable[Cost]) -> Cost:
    """Add up costs."""
    return sum(costs, start=Cost())
