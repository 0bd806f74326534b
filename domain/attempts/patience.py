"""How often and after which pauses a take comes back to an account, and when it does so no more."""

import hashlib
from collections import Counter
from datetime import timedelta

from domain.attempts.codes import (
    GATE_REFUSED,
    LOST_BEFORE_SENDING,
    SURELY_ABSENT,
    WAITED_TOO_LONG,
    WOKE_TOO_LATE,
)
from domain.attempts.failures import Category
from domain.attempts.story import Past, Story
from domain.orders.request import OnUnknownSubmission

MAX_RETRIES = 2
"""Retries at one account for what went wrong there."""

MAX_LOST = 10
"""Attempts of a take that nobody is to blame for."""

MAX_SENT_AWAY = 10
"""Times that gates may send a take's tickets away."""

MAX_RESUBMITS = 2
"""Times that a lost order is sent again to an account, where the caller agrees to pay for both."""

MAX_DELAY = timedelta(seconds=300)
"""The longest pause of a backoff."""

CAPACITY_DELAY = timedelta(seconds=15)
"""The pause after a provider says that it is overloaded; half of a shorter first backoff."""

MAX_ASKED = timedelta(hours=1)
"""A provider that asks for a longer pause is of no more use to the take."""

_NOBODYS_FAULT = frozenset({LOST_BEFORE_SENDING, WOKE_TOO_LATE, SURELY_ABSENT})
_SENT_AWAY = frozenset({GATE_REFUSED, WAITED_TOO_LONG})

_RETRIES = {
    Category.NETWORK: MAX_RETRIES,
    Category.SERVER_ERROR: MAX_RETRIES,
    Category.CAPACITY: 1,
    Category.BAD_OUTPUT: 1,
    Category.RATE_LIMIT: 5,
}
"""How often an account gets another attempt after a failure of a category; any other one is final there."""

_WENT_WRONG = (Category.NETWORK, Category.SERVER_ERROR, Category.CAPACITY, Category.BAD_OUTPUT)
_JITTER = 0.2


def is_nobodys_fault(past: Past) -> bool:
    """Tell whether an attempt died of something that neither the provider nor the request is to blame for."""
    return past.made_no_job and past.code in _NOBODYS_FAULT


def was_sent_away(past: Past) -> bool:
    """Tell whether an attempt's ticket was sent away by its gate."""
    return past.made_no_job and past.code in _SENT_AWAY


def times_lost(story: Story) -> int:
    """Return how many attempts died of what nobody is to blame for."""
    return sum(is_nobodys_fault(past) for past in story.attempts)


def times_sent_away(story: Story) -> int:
    """Return how many tickets were sent away."""
    return sum(was_sent_away(past) for past in story.attempts)


def failures_at(story: Story, account: str) -> list[Past]:
    """Return the attempts that an account, or what it was sent, is to blame for."""
    return [past for past in story.at(account) if not is_nobodys_fault(past) and not was_sent_away(past)]


def is_spent(story: Story, account: str) -> bool:
    """Tell whether an account is of no more use to the take: what it refused, it will refuse again."""
    failures = failures_at(story, account)
    times = Counter(past.category for past in failures if past.category is not None)
    allowed = dict(_RETRIES)
    if story.on_unknown_submission is OnUnknownSubmission.RESUBMIT:
        allowed[Category.SUBMISSION_UNKNOWN] = MAX_RESUBMITS
    return (
        any(count > allowed.get(category, 0) for category, count in times.items())
        or sum(times[category] for category in _WENT_WRONG) > MAX_RETRIES
        or any(past.asked_wait > MAX_ASKED for past in failures)
    )


def pause_after(story: Story) -> timedelta:
    """Return how long to wait after the last attempt before another one at the same account.

    What the provider asks for is kept to the letter, since its gate lets those who waited through one by one. The
    pauses that we choose ourselves double and are spread a little, and never exceed five minutes.
    """
    last = story.last
    if is_nobodys_fault(last):
        # At once the first time; a sender that is lost again and again is given time to recover.
        return timedelta(seconds=2 ** (times_lost(story) - 1) - 1)
    if was_sent_away(last):
        return min(timedelta(seconds=2 ** (times_sent_away(story) - 1) - 1), MAX_DELAY)
    match last.category:
        case Category.BAD_OUTPUT:
            pause = timedelta()
        case Category.CAPACITY:
            pause = min(CAPACITY_DELAY, story.retry_delay / 2)
        case Category.RATE_LIMIT if last.asked_wait:
            pause = timedelta()
        case _:
            pause = _backoff(story)
    return max(pause, last.asked_wait)


def _backoff(story: Story) -> timedelta:
    """Return the doubled pause, spread by up to a fifth either way, the same each time for an attempt."""
    times = len(failures_at(story, story.last.account))
    doubled = min(story.retry_delay * (1 << times - 1), MAX_DELAY)
    digest = hashlib.blake2b(f"{story.take_ref}.{story.last.number}".encode(), digest_size=8).digest()
    spread = int.from_bytes(digest) / 2**63 - 1
    return min(doubled * (1 + _JITTER * spread), MAX_DELAY)
