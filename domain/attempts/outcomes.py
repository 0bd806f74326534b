"""What a provider can answer, as types: the four ends of a submit, the states of a job, the ends of a cancel."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.attempts.failures import Failure
from domain.model import Message
from domain.money import Micros


class Accepted(Message):
    """The provider has a job for us."""

    kind: Literal["accepted"] = "accepted"
    job_id: str


class Rejected(Message):
    """The provider answered that it will not do it, and surely created nothing."""

    kind: Literal["rejected"] = "rejected"
    failure: Failure


class NotSent(Message):
    """Surely not a byte of the order reached the provider."""

    kind: Literal["not_sent"] = "not_sent"
    failure: Failure


class Unknown(Message):
    """The order was (or may have been) sent and no clear answer came back: a job may exist."""

    kind: Literal["unknown"] = "unknown"
    client_reference: str
    failure: Failure


SubmitResult = Annotated[Accepted | Rejected | NotSent | Unknown, Field(discriminator="kind")]


class JobState(StrEnum):
    """The state of a provider's job, in our words."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    GONE = "gone"

    @property
    def is_over(self) -> bool:
        """True where the provider will do no more for this job."""
        return self not in {JobState.QUEUED, JobState.RUNNING}


class JobStatus(Message):
    """One look at a job.

    Attributes:
        state: Where it stands; `gone` where the provider no longer knows it.
        progress_percent: 0..100 where the provider says it.
        output_url: Where the finished video can be fetched for a while; a fresh one on each look.
        failure: Why it failed.
        cost: What the provider bills, in micro-dollars, once it says so.
        seed: The seed that was used, where the provider tells.
    """

    state: JobState
    progress_percent: int | None = None
    output_url: str | None = None
    failure: Failure | None = None
    cost: Micros | None = None
    seed: int | None = None


class CancelReply(StrEnum):
    """What the provider answered to a cancel."""

    STOPPED = "stopped"
    REFUSED = "refused"
    GONE = "gone"


class CancelOutcome(StrEnum):
    """The truth about a cancel, as the user is told it."""

    REQUESTED = "requested"
    STOPPED_BEFORE_SUBMIT = "stopped_before_submit"
    STOPPED = "stopped"
    GOES_ON = "goes_on"
    TOO_LATE = "too_late"


class AttemptState(StrEnum):
    """The fence around one submission.

    queued -> sending -> accepted | rejected | not_sent | unknown -> found | absent;  queued -> abandoned

    A queued attempt is a ticket in its account's gate; whether it has been granted a slot, the gate knows.
    """

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    FOUND = "found"
    ABSENT = "absent"
    ABANDONED = "abandoned"

    @property
    def has_job(self) -> bool:
        """True where a provider's job is known to belong to the attempt."""
        return self in {AttemptState.ACCEPTED, AttemptState.FOUND}

    @property
    def is_unsent(self) -> bool:
        """True where surely nothing reached the provider and nothing ever will."""
        return self in {AttemptState.NOT_SENT, AttemptState.ABANDONED, AttemptState.ABSENT}
