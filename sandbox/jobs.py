"""A provider's job as a record of what was decided when; its state is a function of that and the clock.

So nothing has to run while a job runs, and a sandbox that was killed goes on where the clock is.
"""

from __future__ import annotations

import math
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue

from sandbox.faults import Fault
from sandbox.films.picture import Film


class State(StrEnum):
    """What a job is doing; each wire has its own words for it."""

    PENDING = "pending"
    THROTTLED = "throttled"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})


class Fate(StrEnum):
    """How a job ends if nobody cancels it."""

    SUCCEED = "succeed"
    FAIL = "fail"
    STUCK = "stuck"


class Callback(BaseModel):
    """Who wants to hear of a job's changes.

    Attributes:
        url: Where it is told.
        base_url: How the client called the sandbox, ending in a slash; for addresses in what it is told.
        times: How often each change is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    base_url: str
    times: int = 1


class Job(BaseModel):
    """One job. Times are unix seconds, money is micro-dollars.

    Attributes:
        provider: Whose job it is.
        job_id: The provider's own id.
        lane: What shares one concurrency limit, usually the model.
        client_reference: The `Idempotency-Key` that came with the creation; it is recorded, nothing else.
        request: The body of the creation; long strings are replaced by their digests.
        film: What the output shows.
        created_at: When it was created.
        wait_seconds: How long it is pending once it is admitted.
        run_seconds: How long it runs.
        starts_at: When it starts to run; None while it is throttled.
        fate: How it ends.
        failure_code: Why it fails, in the provider's words.
        price: What it costs.
        price_if_failed: What its failure costs.
        price_if_cancelled: What it costs when it is cancelled while it runs.
        cancelled_at: When it was cancelled before its end.
        is_deleted: Whether the provider still knows it.
        output_faults: What goes wrong at its next downloads.
        secret: Signs its output URLs.
        echo: What the wire repeats about it each time it is asked.
        callback: Who is told of its changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    job_id: str
    lane: str
    client_reference: str | None
    request: dict[str, JsonValue]
    film: Film
    created_at: float
    wait_seconds: float
    run_seconds: float
    starts_at: float | None = None
    fate: Fate = Fate.SUCCEED
    failure_code: str | None = None
    price: int
    price_if_failed: int
    price_if_cancelled: int
    cancelled_at: float | None = None
    is_deleted: bool = False
    output_faults: tuple[Fault, ...] = ()
    secret: str
    echo: dict[str, JsonValue] = {}
    callback: Callback | None = None

    @property
    def ends_at(self) -> float:
        """When it ends, or infinity."""
        if self.cancelled_at is not None:
            return self.cancelled_at
        if self.starts_at is None:
            return math.inf
        match self.fate:
            case Fate.SUCCEED:
                return self.starts_at + self.run_seconds
            case Fate.FAIL:
                return self.starts_at + self.run_seconds / 2
            case Fate.STUCK:
                return math.inf

    def state(self, now: float) -> State:
        """What it is doing at a moment."""
        if self.cancelled_at is not None and now >= self.cancelled_at:
            return State.CANCELLED
        if now >= self.ends_at:
            return State.FAILED if self.fate is Fate.FAIL else State.SUCCEEDED
        if self.starts_at is None:
            return State.THROTTLED
        return State.RUNNING if now >= self.starts_at else State.PENDING

    def progress(self, now: float) -> float:
        """How far it is, 0 to 1; a stuck job stays at 0.99."""
        if self.starts_at is None or now <= self.starts_at:
            return 0.0
        return min(0.99, (now - self.starts_at) / self.run_seconds) if self.run_seconds else 0.99

    def billed(self, now: float) -> int:
        """What it has cost so far: nothing before its end."""
        match self.state(now):
            case State.SUCCEEDED:
                return self.price
            case State.FAILED:
                return self.price_if_failed
            case State.CANCELLED if self._ran_before_cancel:
                return self.price_if_cancelled
            case _:
                return 0

    def listed(self, now: float) -> dict[str, JsonValue]:
        """The job as `GET /_sandbox/jobs` shows it."""
        ended = self.ends_at if self.state(now) in TERMINAL else None
        started = self.starts_at
        if started is not None and (started > now or (ended is not None and started > ended)):
            started = None
        return {
            "provider": self.provider,
            "job_id": self.job_id,
            "client_reference": self.client_reference,
            "created_at": self.created_at,
            "started_at": started,
            "ended_at": ended,
            "state": str(self.state(now)),
            "billed_usd": self.billed(now) / 1_000_000,
            "request": self.request,
        }

    @property
    def _ran_before_cancel(self) -> bool:
        return (
            self.starts_at is not None
            and self.cancelled_at is not None
            and self.starts_at <= self.cancelled_at
        )
