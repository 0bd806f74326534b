"""What follows from a failed attempt: one pure function.

Only what surely never reached the provider is tried again here, because only that is surely not paid twice.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.failures import Category, Failure
from domain.model import Message
from domain.outcomes import NotSent, Rejected, Unknown

MAX_RETRIES = 2
MAX_LOST = 10
MAX_DELAY = timedelta(seconds=300)


class Strategy(StrEnum):
    """The kinds of decisions."""

    RETRY = "retry"
    STOP = "stop"


class Retry(Message):
    """Submit again, as a new attempt, after a while."""

    strategy: Literal[Strategy.RETRY] = Strategy.RETRY
    reason: str
    delay: timedelta


class Stop(Message):
    """Give the take up with this failure."""

    strategy: Literal[Strategy.STOP] = Strategy.STOP
    reason: str
    failure: Failure


Decision = Annotated[Retry | Stop, Field(discriminator="strategy")]

LOST_BEFORE_SENDING = "lost_before_sending"
"""Failure code of an attempt whose process ended before it sent anything: nobody is at fault, no need to wait."""

WOKE_TOO_LATE = "woke_too_late"
"""Failure code of an attempt whose process was held up after the permission to send, and then did not write."""

SURELY_ABSENT = "surely_absent"
"""Failure code of an attempt that was sent, but of which the provider's list shows that no job came of it."""

_NOBODYS_FAULT = {
    LOST_BEFORE_SENDING: "The sender was lost before it sent anything; sending again.",
    WOKE_TOO_LATE: "The sender was held up and sent nothing; sending again.",
    SURELY_ABSENT: "The provider has no job of this order, so nothing can be paid twice; sending again.",
}

CANCELLED_BEFORE_SENDING = "cancelled_before_sending"
"""Failure code of an attempt whose take was cancelled before anything was sent: the take is over."""


def decide(result: Rejected | NotSent | Unknown, attempts_made: int, base_delay: timedelta) -> Decision:
    """Decide what follows from an attempt that did not become a job.

    Args:
        result: How the submit ended.
        attempts_made: Attempts of this take so far, this one included.
        base_delay: The first wait; each further one doubles it, up to five minutes.

    Returns:
        What to do, with a reason in words.
    """
    failure = result.failure
    if not isinstance(result, NotSent) or failure.code == CANCELLED_BEFORE_SENDING:
        return Stop(reason=failure.detail, failure=failure)
    if failure.code in _NOBODYS_FAULT and attempts_made < MAX_LOST:
        # At once the first time; a sender that is lost again and again is given time to recover.
        pause = timedelta(seconds=2 ** (attempts_made - 1) - 1)
        return Retry(reason=_NOBODYS_FAULT[failure.code], delay=pause)
    if failure.category is not Category.NETWORK or attempts_made > MAX_RETRIES:
        return Stop(reason=failure.detail, failure=failure)
    delay = min(base_delay * 2 ** (attempts_made - 1), MAX_DELAY)
    return Retry(
        reason=f"The provider could not be reached; trying again in {delay.total_seconds():.0f} s.",
        delay=delay,
    )
