"""What follows for a take, from its records: `domain.attempts.recovery`, asked in the words of the catalog."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.attempts.patience import is_spent
from domain.attempts.recovery import Decision, begin, decide
from domain.attempts.routing import Health
from domain.attempts.story import Past, Story
from domain.generation import Attempt, Cost, Generation, Take
from domain.money import Micros, from_usd
from domain.orders.plans import Plan


def begin_with(take: Take, healths: Mapping[str, Health], room: Micros | None, now: datetime) -> Plan:
    """Return the plan of a take's first attempt; a dearer one than was reserved for needs the room for it."""
    ceiling = max_cost_of(take)
    if room is not None:
        affordable = take.reserved + max(room, 0)
        ceiling = affordable if ceiling is None else min(ceiling, affordable)
    return begin(take.route, healths, ceiling, now)


def go_on(
    generation: Generation,
    take: Take,
    retry_delay: timedelta,
    healths: Mapping[str, Health],
    room: Micros | None,
    now: datetime,
) -> Decision:
    """Decide what follows from a take's last attempt, which was given up."""
    return decide(_story(generation, take, retry_delay, healths, now, room))


def alternatives(
    generation: Generation, take: Take, plan: Plan, healths: Mapping[str, Health], now: datetime
) -> list[Plan]:
    """Return what else could serve a take, at another account than a plan's, as far as money and its story allow."""
    others = [other for other in take.route if other.provider != plan.provider]
    ceiling, committed = max_cost_of(take), 0
    if take.attempts:
        story = _story(generation, take, timedelta(), healths, now)
        if ceiling is None and story.may_pay_again:
            return []
        committed = story.committed
        others = [other for other in others if not is_spent(story, other.provider)]
    return [other for other in others if ceiling is None or committed + other.price <= ceiling]


def _story(
    generation: Generation,
    take: Take,
    retry_delay: timedelta,
    healths: Mapping[str, Health],
    now: datetime,
    room: Micros | None = None,
) -> Story:
    request = take.request
    return Story(
        take_ref=f"{generation.id}.{take.number}",
        attempts=tuple(_past(attempt) for attempt in take.attempts),
        route=take.route,
        healths=dict(healths),
        max_cost=max_cost_of(take),
        room=room,
        deadline=deadline_of(take),
        on_unknown_submission=request.on_unknown_submission,
        on_content_policy=request.on_content_policy,
        retry_delay=retry_delay,
        now=now,
    )


def max_cost_of(take: Take) -> int | None:
    """Return the most that a take may cost, in micro-dollars."""
    return None if take.request.max_cost_usd is None else from_usd(take.request.max_cost_usd)


def deadline_of(take: Take) -> datetime | None:
    """Return the moment after which no attempt of a take begins."""
    seconds = take.request.deadline_seconds
    return None if seconds is None else take.created_at + timedelta(seconds=seconds)


def _past(attempt: Attempt) -> Past:
    may_run = attempt.state.has_job and attempt.ended_at is None
    return Past(
        number=attempt.number,
        account=attempt.account,
        state=attempt.state,
        failure=attempt.failure,
        # What was promised and not seen to end may still be owed, and counts under the ceiling.
        cost=Cost(settled=attempt.cost.settled, at_risk=attempt.cost.at_risk + attempt.cost.reserved),
        ended_at=attempt.given_up_at or attempt.ended_at or attempt.started_at,
        may_still_be_billed=may_run or attempt.cost.at_risk > 0,
        was_paid=attempt.cost.settled > 0,
    )
