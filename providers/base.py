"""The interface of a provider account: submit, status, cancel, find. Nothing else is known of a provider.

An adapter is a package beside this module, named like its provider with underscores for hyphens. It has one function,
`open_account`, which is an `OpenAccount`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
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
from domain.costs.prices import ModelPrice
from domain.orders.plans import Plan

__all__ = [
    "Accepted",
    "Access",
    "AfterWrite",
    "BeforeWrite",
    "CannotAsk",
    "JobOrder",
    "NotSent",
    "NotYetClear",
    "OpenAccount",
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
class Access:
    """How to reach one provider account.

    Attributes:
        base_url: Where its API is, without the version in the path.
        api_key: Its secret; empty where the server asks for none.
        poll_interval: None for the provider's own rule.
        listing_delay: How long a new job may be missing from the provider's list; None for the provider's own rule.
        is_retired: The provider has closed this door: nothing is sent through it.
        prices: What models cost here, by model, where that is not what is built in.
    """

    base_url: str
    api_key: str
    poll_interval: timedelta | None = None
    listing_delay: timedelta | None = None
    is_retired: bool = False
    prices: Mapping[str, ModelPrice] = field(default_factory=dict)


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


OpenAccount = Callable[[Access, float], Provider]
"""What an adapter's `open_account` is: makes the adapter of one account, and connects to nothing yet.

The second argument is how many seconds an order may take to be answered.
"""
