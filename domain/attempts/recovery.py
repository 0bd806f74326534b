"""What follows from a failed attempt: one pure function over the story of its take.

It lists what could be done, the best first: again at the same account, at another one, or later at one whose door is
closed. The first of them that fits the take's ceiling and deadline is the decision. What may have been paid is not
ordered again unless the caller agreed to that, and what a provider has refused is never sent to it again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.attempts import reasons
from domain.attempts.codes import CANCELLED_BEFORE_SENDING, DEADLINE_PASSED, GATE_REFUSED
from domain.attempts.failures import Category, Failure
from domain.attempts.patience import (
    MAX_LOST,
    MAX_SENT_AWAY,
    failures_at,
    is_nobodys_fault,
    is_spent,
    pause_after,
    times_lost,
    times_sent_away,
    was_sent_away,
)
from domain.attempts.routing import LONG_WAIT, Door, Health, expected_wait, health_at
from domain.attempts.story import Story
from domain.model import Message
from domain.money import Micros
from domain.orders.plans import Plan

MAX_ATTEMPTS = 35
"""Attempts of a take in all, whatever they died of."""

_BUSY = frozenset({Category.CAPACITY, Category.RATE_LIMIT})


class Strategy(StrEnum):
    """The kinds of decisions."""

    RETRY = "retry"
    FALLBACK = "fallback"
    QUEUE_DELAY = "queue_delay"
    HOLD = "hold"
    NOTIFY_USER = "notify_user"
    STOP = "stop"


class Again(Message):
    """Make another attempt: this plan, at its provider's account, not before a moment.

    Attributes:
        strategy: `retry` at the same account, `fallback` to another whose door is open, `queue_delay` to wait for a
            turn at either.
        reason: A sentence for a person.
    """

    kind: Literal["again"] = "again"
    strategy: Literal[Strategy.RETRY, Strategy.FALLBACK, Strategy.QUEUE_DELAY]
    reason: str
    plan: Plan
    not_before: datetime


class End(Message):
    """Give the take up with this failure.

    Attributes:
        strategy: `hold` where a job may exist that nobody has found, `notify_user` where somebody has to act, else
            `stop`.
        reason: A sentence for a person.
    """

    kind: Literal["end"] = "end"
    strategy: Literal[Strategy.STOP, Strategy.HOLD, Strategy.NOTIFY_USER]
    reason: str
    failure: Failure


Decision = Annotated[Again | End, Field(discriminator="kind")]


def begin(
    route: Sequence[Plan], healths: Mapping[str, Health], max_cost: Micros | None, now: datetime
) -> Plan:
    """Return the plan of a take's first attempt: the first whose door is open and whose queue is not long.

    A queue is long where one waits for more than a minute, and less at another open door. Where every door is closed,
    the first waits for its own.

    Args:
        route: What may serve the take, in order of preference; at least one.
        healths: How the accounts stand; one that is missing is well.
        max_cost: The ceiling of the take.
        now: The moment of the choice.
    """
    affordable = [plan for plan in route if max_cost is None or plan.price <= max_cost] or route
    doors = [plan for plan in affordable if health_at(plan.provider, healths).is_open(now)]
    return _soonest_first(doors or affordable[:1], healths, now)[0]


def decide(story: Story) -> Decision:
    """Decide what follows from a take's last attempt.

    Pauses are counted from the end of that attempt, so that deciding late, or twice, makes nobody wait longer.
    """
    last = story.last
    if story.failure.code == CANCELLED_BEFORE_SENDING:
        return End(strategy=Strategy.STOP, reason=story.failure.detail, failure=story.failure)
    if len(story.attempts) >= MAX_ATTEMPTS:
        return _end(story, reasons.too_many(last, len(story.attempts)))
    options = _options(story)
    if not options:
        return _end(story, reasons.no_more(last))
    if story.max_cost is None and story.may_pay_again:
        return End(strategy=Strategy.NOTIFY_USER, reason=reasons.needs_ceiling(last), failure=_failure(story))
    options, too_dear = _within_means(story, options)
    if not options:
        return _end(story, too_dear)
    in_time = [option for option in options if story.deadline is None or option.not_before < story.deadline]
    return in_time[0] if in_time else _end_at_deadline(story)


def _within_means(story: Story, options: list[Again]) -> tuple[list[Again], str]:
    """Return those that fit under the take's ceiling and into the budgets, and why none does where none does."""
    last, ceiling, room = story.last, story.max_cost, story.room
    if ceiling is not None:
        options = [option for option in options if story.committed + option.plan.price <= ceiling]
        if not options:
            return [], reasons.over_ceiling(last, story.committed, ceiling)
    if room is not None:
        options = [option for option in options if option.plan.price <= room]
        if not options:
            return [], reasons.over_budget(last, room)
    return options, ""


def _options(story: Story) -> list[Again]:
    """Return what could be done, the best first, whatever it costs and however long it takes."""
    last = story.last
    if _is_enough(story):
        return []
    here = None if is_spent(story, last.account) else _stay(story)
    stays = is_nobodys_fault(last) or last.category is Category.SUBMISSION_UNKNOWN
    elsewhere = [] if stays else _leave(story)
    if here is None:
        return elsewhere
    if not _is_slow(story, here):
        return [here, *elsewhere]
    sooner = [option for option in elsewhere if _is_sooner(option, _wait_here(story, here), story)]
    return [*sooner, here, *(option for option in elsewhere if option not in sooner)]


def _is_enough(story: Story) -> bool:
    """Tell whether the take is over without looking for what could be done."""
    last = story.last
    if is_nobodys_fault(last):
        return times_lost(story) >= MAX_LOST
    if was_sent_away(last):
        return times_sent_away(story) > MAX_SENT_AWAY
    return last.category is Category.CONTENT_POLICY and not story.shows_refused_content


def _stay(story: Story) -> Again | None:
    """Return another attempt at the account of the last one, where the route still has it."""
    last, health, now = story.last, story.health(story.last.account), story.now
    plan = story.plan_at(last.account)
    if plan is None:
        return None
    not_before = max(now, last.ended_at + pause_after(story))
    is_busy = last.category is Category.RATE_LIMIT or was_sent_away(last) or not health.is_open(now)
    waits = is_busy and not is_nobodys_fault(last)
    if waits:
        not_before = max(not_before, health.breaker_until or now)
    return Again(
        strategy=Strategy.QUEUE_DELAY if waits else Strategy.RETRY,
        reason=reasons.staying(last, health, not_before, now),
        plan=plan,
        not_before=not_before,
    )


def _leave(story: Story) -> list[Again]:
    """Return an attempt at each other account that may still serve the take: those that are ready come first."""
    now = story.now
    options = []
    for plan in _soonest_first(story.route, story.healths, now):
        if plan.provider == story.last.account or is_spent(story, plan.provider):
            continue
        health = story.health(plan.provider)
        asked = [past.ended_at + past.asked_wait for past in failures_at(story, plan.provider)]
        not_before = max([now, health.breaker_until or now, *asked])
        # Its gate has sent this take away already: whoever goes there again waits there.
        has_sent_away = any(past.account == plan.provider and was_sent_away(past) for past in story.attempts)
        is_ready = health.is_open(now) and not_before == now and not has_sent_away
        options.append(
            Again(
                strategy=Strategy.FALLBACK if is_ready else Strategy.QUEUE_DELAY,
                reason=reasons.leaving(story.last, health, not_before, now),
                plan=plan,
                not_before=not_before,
            )
        )
    return sorted(options, key=lambda option: option.strategy is not Strategy.FALLBACK)


def _soonest_first(plans: Sequence[Plan], healths: Mapping[str, Health], now: datetime) -> list[Plan]:
    """Put open doors before closed ones, and what is served within a minute before longer queues."""

    def key(plan: Plan) -> tuple[Door, timedelta]:
        health = health_at(plan.provider, healths)
        wait = expected_wait(health, now)
        return health.door(now), wait if wait > LONG_WAIT else timedelta()

    return sorted(plans, key=key)


def _is_slow(story: Story, here: Again) -> bool:
    """Tell whether somebody who can serve sooner is better than waiting here."""
    last = story.last
    if was_sent_away(last) or not story.health(last.account).is_open(story.now):
        return True
    is_asked = last.category in _BUSY or last.asked_wait > timedelta()
    return is_asked and here.not_before - last.ended_at > LONG_WAIT


def _wait_here(story: Story, here: Again) -> timedelta:
    """Return how long it would take to be served here; for ever where nobody knows."""
    health = story.health(story.last.account)
    # A gate that has just refused knows better than a row that says its breaker is closed.
    is_outdated = story.last.code == GATE_REFUSED and health.is_open(story.now)
    if health.is_paused or is_outdated:
        return timedelta.max
    return max(here.not_before - story.now, expected_wait(health, story.now))


def _is_sooner(option: Again, wait: timedelta, story: Story) -> bool:
    """Tell whether an account is ready and serves sooner than within a wait."""
    health = story.health(option.plan.provider)
    return option.strategy is Strategy.FALLBACK and expected_wait(health, story.now) < wait


def _end(story: Story, reason: str) -> End:
    strategy: Literal[Strategy.STOP, Strategy.HOLD, Strategy.NOTIFY_USER]
    match story.last.category:
        case Category.SUBMISSION_UNKNOWN:
            strategy = Strategy.HOLD
        case Category.AUTH | Category.QUOTA:
            strategy = Strategy.NOTIFY_USER
        case _:
            strategy = Strategy.STOP
    return End(strategy=strategy, reason=reason, failure=_failure(story))


def _end_at_deadline(story: Story) -> End:
    """Give up for want of time; where a job may exist that nobody has found, that is what matters."""
    reason = reasons.past_deadline(story.last)
    if story.last.category is Category.SUBMISSION_UNKNOWN:
        return _end(story, reason)
    failure = Failure(
        category=Category.TIMEOUT, code=DEADLINE_PASSED, detail=reason, billed=story.failure.billed
    )
    return End(strategy=Strategy.STOP, reason=reason, failure=failure)


def _failure(story: Story) -> Failure:
    """Return the last attempt's failure, which also says who had failed before."""
    failures = [
        past
        for account in {past.account: None for past in story.attempts}
        for past in failures_at(story, account)
    ]
    detail = story.failure.detail + reasons.tried_before(story, failures)
    return story.failure.model_copy(update={"detail": detail})
