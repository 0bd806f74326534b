"""Decisions in words: what happened, and what follows, as sentences for a person."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.attempts.codes import (
    GATE_REFUSED,
    LOST_BEFORE_SENDING,
    SURELY_ABSENT,
    WAITED_TOO_LONG,
    WOKE_TOO_LATE,
)
from domain.attempts.failures import Category
from domain.attempts.routing import Door, Health
from domain.attempts.story import Past, Story
from domain.money import Micros, to_usd
from domain.orders.line_up import name_of

_CODES = {
    LOST_BEFORE_SENDING: "The sender was lost before it sent anything to {name}",
    WOKE_TOO_LATE: "The sender was held up and sent nothing to {name}",
    SURELY_ABSENT: "{name} has no job of this order, so nothing can be paid twice",
    GATE_REFUSED: "{name} gets no orders after its last failures",
    WAITED_TOO_LONG: "The order waited too long for its turn at {name}",
}
_CATEGORIES = {
    Category.VALIDATION: "{name} refused the input ({code})",
    Category.AUTH: "{name} did not accept the service's key",
    Category.RATE_LIMIT: "{name} answered that orders come too fast",
    Category.QUOTA: "The account at {name} is out of credit or over its limit",
    Category.CAPACITY: "{name} answered that it is overloaded",
    Category.CONTENT_POLICY: "{name} refused the content",
    Category.NETWORK: "{name} could not be reached",
    Category.SERVER_ERROR: "{name} failed ({code})",
    Category.TIMEOUT: "{name} took too long",
    Category.SUBMISSION_UNKNOWN: "The answer of {name} was lost",
    Category.BAD_OUTPUT: "The file of {name} was broken",
    Category.RETIRED: "{name} has no longer what was ordered",
}
_NO_MORE = {
    Category.CONTENT_POLICY: "the same is not sent to it again.",
    Category.SUBMISSION_UNKNOWN: "it is not sent again, since the provider may be making and billing this video.",
}
_MINUTES_FROM = timedelta(seconds=120)


def happened(past: Past) -> str:
    """Say what became of an attempt, without the full stop."""
    words = _CODES.get(past.code or "") if past.made_no_job else None
    if words is None:
        words = "{name} failed" if past.category is None else _CATEGORIES[past.category]
    return words.format(name=name_of(past.account), code=past.code)


def staying(past: Past, health: Health, not_before: datetime, now: datetime) -> str:
    """Say that there is another attempt at the same account."""
    if health.is_paused:
        return f"{happened(past)}; waiting until it is no longer paused."
    return f"{happened(past)}; trying again there{_span(not_before - now)}."


def leaving(past: Past, health: Health, not_before: datetime, now: datetime) -> str:
    """Say that there is an attempt at another account."""
    name = name_of(health.account)
    if health.door(now) is Door.PAUSED:
        return f"{happened(past)}; waiting for {name}, which is paused."
    if not_before > now:
        return f"{happened(past)}; going on with {name}{_span(not_before - now)}."
    return f"{happened(past)}; going on with {name}."


def no_more(past: Past) -> str:
    """Say that nothing is left to be tried."""
    words = None if past.category is None else _NO_MORE.get(past.category)
    return f"{happened(past)}; {words or 'nothing is left to be tried.'}"


def too_many(past: Past, attempts: int) -> str:
    """Say that it was tried often enough."""
    return f"{happened(past)}; after {attempts} attempts no further one is made."


def needs_ceiling(past: Past) -> str:
    """Say that a further attempt could be paid twice, and how to allow that."""
    return (
        f"{happened(past)}; an attempt may have been paid already, so a further one is only made within a "
        "max_cost_usd that has room for both."
    )


def over_ceiling(past: Past, committed: Micros, ceiling: Micros) -> str:
    """Say that a further attempt does not fit under the ceiling."""
    return (
        f"{happened(past)}; a further attempt does not fit under the ceiling of ${to_usd(ceiling)}, of which "
        f"${to_usd(committed)} is spent or may be owed."
    )


def over_budget(past: Past, room: Micros) -> str:
    """Say that a further attempt does not fit into the budget of its tenant or user."""
    left = to_usd(max(room, 0))
    return f"{happened(past)}; a further attempt does not fit into the budget, of which ${left} is left."


def past_deadline(past: Past) -> str:
    """Say that there is no time left for a further attempt."""
    return f"{happened(past)}; no further attempt can begin before the deadline."


def tried_before(story: Story, failures: Iterable[Past]) -> str:
    """Say which other accounts had failed before the last one, or nothing."""
    others = {past.account: past for past in failures if past.account != story.last.account}
    if not others:
        return ""
    return f" Before that: {'; '.join(happened(past) for past in others.values())}."


def _span(wait: timedelta) -> str:
    if wait <= timedelta():
        return ""
    if wait < _MINUTES_FROM:
        return f" in {max(round(wait.total_seconds()), 1)} s"
    return f" in {round(wait / timedelta(minutes=1))} min"
