"""Which accounts may serve a request, in which order: capability, health, price and time in one number.

The number is an effective price in micro-dollars: what the video costs, and what waiting, adjustments and a lower
place in the line-up are worth. A closed door comes after every open one, whatever it asks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum

from domain.model import Frozen
from domain.money import Micros
from domain.orders.plans import Plan
from domain.orders.request import AUTO, GenerationRequest

SECOND_MICROS = 5_000
"""What a second until the video is there is worth: half a minute counts as much as 15 cents."""

ADJUSTMENT_MICROS = 100_000
"""What each way in which a video would differ from the request costs."""

PLACE_MICROS = 100_000
"""What each place further down the line-up costs for a second of video: better models come first in it, and a poorer
one must be much cheaper, or much sooner done, to be chosen."""

LONG_WAIT = timedelta(seconds=60)
"""A longer wait is too long where another account can serve sooner."""

_GUESSED_FOR_SECONDS = 5
"""A guessed time is that of so many seconds of video."""


class Door(IntEnum):
    """Whether an account takes orders, the best first."""

    OPEN = 0
    BROKEN = 1
    PAUSED = 2


class Health(Frozen):
    """How an account stands, as SQL knows it.

    Attributes:
        breaker_until: Its breaker is open until then.
        hold_off_until: The provider asked everybody to wait until then.
        waiting: Tickets in its queue.
        running: Slots in use.
        job_seconds: How long a job takes there.
        is_measured: Whether that was measured; else it is a guess, for five seconds of video.
    """

    account: str
    is_paused: bool = False
    breaker_until: datetime | None = None
    hold_off_until: datetime | None = None
    max_concurrent: int = 3
    spacing: timedelta = timedelta()
    waiting: int = 0
    running: int = 0
    job_seconds: float = 60.0
    is_measured: bool = False

    def door(self, now: datetime) -> Door:
        """Return whether orders are let through."""
        if self.is_paused:
            return Door.PAUSED
        return Door.BROKEN if self.breaker_until is not None and self.breaker_until > now else Door.OPEN

    def is_open(self, now: datetime) -> bool:
        """Tell whether orders are let through: the account is not paused and its breaker not open."""
        return self.door(now) is Door.OPEN


def health_at(account: str, healths: Mapping[str, Health]) -> Health:
    """Return how an account stands; one of which nothing is known is well."""
    return healths.get(account) or Health(account=account)


def expected_wait(health: Health, now: datetime) -> timedelta:
    """Return how long somebody would wait who joined the account's queue now.

    An open breaker and a hold-off are waited for, then the queue moves on as slots become free and the spacing allows.
    Nobody knows how long a pause lasts: it is not counted, ask for the door as well.
    """
    moments = [moment for moment in (health.breaker_until, health.hold_off_until) if moment is not None]
    closed = max([moment - now for moment in moments] + [timedelta()])
    free = max(health.max_concurrent - health.running, 0)
    to_be_freed = max(health.waiting + 1 - free, 0)
    for_slots = timedelta(seconds=to_be_freed * health.job_seconds / health.max_concurrent)
    return closed + max(for_slots, health.waiting * health.spacing)


def expected_making(plan: Plan, health: Health) -> float:
    """Return how many seconds making the video would take: as measured there, else guessed by its length."""
    if health.is_measured:
        return health.job_seconds
    return health.job_seconds * plan.duration_seconds / _GUESSED_FOR_SECONDS


def expected_seconds(plan: Plan, health: Health, now: datetime) -> float:
    """Return how many seconds it would take from now until the video is made: waiting and making."""
    return expected_wait(health, now).total_seconds() + expected_making(plan, health)


def effective_price(plan: Plan, place: int, health: Health, now: datetime) -> Micros:
    """Return the number by which plans are compared, in micro-dollars; the smallest is the best.

    Args:
        plan: What would be ordered.
        place: Of its provider in the line-up, from 0.
        health: Of its account.
        now: The moment of the choice.
    """
    return (
        plan.price
        + round(expected_seconds(plan, health, now) * SECOND_MICROS)
        + len(plan.adjustments) * ADJUSTMENT_MICROS
        + place * plan.duration_seconds * PLACE_MICROS
    )


def rank(plans: Sequence[Plan], healths: Mapping[str, Health], now: datetime) -> tuple[Plan, ...]:
    """Put plans in order, the best first: open doors before closed ones, then by their effective price.

    Args:
        plans: In the order of the line-up, which also decides between equals.
        healths: How their accounts stand; one that is missing is well.
        now: The moment of the choice.
    """

    def key(placed: tuple[int, Plan]) -> tuple[Door, Micros]:
        place, plan = placed
        health = health_at(plan.provider, healths)
        return health.door(now), effective_price(plan, place, health, now)

    return tuple(plan for _, plan in sorted(enumerate(plans), key=key))


def route(
    request: GenerationRequest, plans: Sequence[Plan], healths: Mapping[str, Health], now: datetime
) -> tuple[Plan, ...]:
    """Return the plans that may serve a request, in order of preference.

    A named provider comes first, whatever its health. With `auto` the best of all comes first; where a model is named,
    the best of those that have it. The fallback providers follow: ranked where the choice is ours, else exactly those
    that the caller lists, in the caller's order.

    Args:
        request: What the caller wants.
        plans: Those of `planning.plans` for it.
        healths: How their accounts stand; one that is missing is well.
        now: The moment of the choice.
    """
    if request.provider == AUTO:
        asked = [plan for plan in plans if request.model in {None, plan.model}]
    else:
        asked = [plan for plan in plans if plan.provider == request.provider]
    listed = request.fallback_providers
    first, *further = rank(asked, healths, now)
    others = [plan for plan in plans if plan not in asked]
    if listed == AUTO:
        return (first, *further, *rank(others, healths, now))
    behind = {plan.provider: plan for plan in plans if plan is not first}
    return (first, *(behind[provider] for provider in listed if provider in behind))
