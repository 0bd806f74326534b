"""The interface of a provider account: submit, status, cancel, find. Nothing else is known of a provider."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.attempts.failures import Failure
from domain.attempts.outcomes import (
    Accepted,
    CancelReply,
    JobStatus,
    NotSent,
    Rejected,
    SubmitResult,
    Unknown,
)
from domain.orders.plans import Plan

__all__ = [
    "Accepted",
    "AfterWrite",
    "BeforeWrite",
    "CannotAsk",
    "JobOrder",
    "NotSent",
    "NotYetClear",
    "Provider",
    "ProviderError",
    "Rejected",
    "SubmitResult",
    "Unknown",
]

BeforeWrite = Callable[[], Awaitable[None]]
"""Called once, connected and ready, as the last act before the order's first byte is written. If it raises, not a
byte is sent and the exception is passed on."""

AfterWrite = Callable[[], Awaitable[None]]
"""Called once the order was written to its last byte, while the answer is still awaited; to be quick."""


async def nothing() -> None:
    """Do nothing after an order was written."""


@dataclass(frozen=True)
class JobOrder:
    """What one attempt asks of a provider.

    Attributes:
        plan: The effective request.
        client_reference: Ours, stable over everything that may happen to this attempt.
        attempt: Its number within the take.
        picture: The first frame, where the plan has one: a JPEG of exactly the plan's size.
    """

    plan: Plan
    client_reference: str
    attempt: int = 1
    picture: bytes | None = None

    @property
    def seed(self) -> int:
        """The seed of this attempt."""
        return self.plan.seed_of(self.attempt)


class ProviderError(Exception):
    """A question to the provider that got no usable answer; asking again is harmless."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.category}: {failure.detail}")
        self.failure = failure


class CannotAsk(Exception):
    """The provider has no way to look a job up after a lost reply."""


class NotYetClear(Exception):
    """The provider's list holds a job that may be ours or not; a later look may tell."""


class Provider(Protocol):
    """One account at one provider."""

    @property
    def poll_interval(self) -> timedelta:
        """How long to wait between two looks at a job."""
        ...

    @property
    def listing_delay(self) -> timedelta:
        """How long a new job may be missing from the provider's list."""
        ...

    @property
    def output_headers(self) -> Mapping[str, str]:
        """What a download of `JobStatus.output_url` has to carry; it may hold the key."""
        ...

    async def submit(
        self, order: JobOrder, before_write: BeforeWrite, after_write: AfterWrite = nothing
    ) -> SubmitResult:
        """Send an order, once, without any retry.

        Raises:
            Exception: What `before_write` raised; then nothing was sent.
        """
        ...

    async def status(self, job_id: str) -> JobStatus:
        """Look at a job.

        Raises:
            ProviderError: No usable answer.
        """
        ...

    async def cancel(self, job_id: str, seen: JobStatus) -> CancelReply:
        """Ask the provider to stop a job that is not over.

        Args:
            job_id: Which.
            seen: How it was seen a moment ago: queued or running.

        Raises:
            ProviderError: No usable answer; the job may or may not have been stopped.
        """
        ...

    def cancel_is_billed(self, seen: JobStatus) -> bool | None:
        """Tell whether stopping a job in this state is billed; None where the provider does not say."""
        ...

    async def find(self, order: JobOrder, sent_at: datetime) -> str | None:
        """Return the id of the job that an unanswered order became, or None where the list has none.

        Args:
            order: What was sent; a user's own seed identifies nothing.
            sent_at: When, by our clock.

        Raises:
            CannotAsk: The provider cannot be asked.
            NotYetClear: Its list holds a job that may be ours or not.
            ProviderError: No usable answer.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
