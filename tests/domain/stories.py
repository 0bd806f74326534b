"""Takes that went wrong: their attempts, and the accounts that could serve them."""

from datetime import timedelta
from typing import Any

from domain.attempts.failures import Category
from domain.attempts.outcomes import AttemptState
from domain.attempts.recovery import Again, Decision, End, Strategy, decide
from domain.attempts.routing import Health
from domain.attempts.story import Past, Story
from domain.generation import Cost
from domain.orders.plans import Plan
from tests.factories import NOW, a_failure, a_plan

BASE = timedelta(seconds=30)
RUNWAY = a_plan()
SEEDANCE = a_plan(provider="seedance", model="seedance-1-0-pro-250528", price=260_000)
GOOGLE = a_plan(provider="google", model="veo", price=2_000_000)
ROUTE = (RUNWAY, SEEDANCE, GOOGLE)
SECOND = timedelta(seconds=1)

_STATES = {
    Category.NETWORK: AttemptState.NOT_SENT,
    Category.SUBMISSION_UNKNOWN: AttemptState.UNKNOWN,
    Category.TIMEOUT: AttemptState.ACCEPTED,
    Category.SERVER_ERROR: AttemptState.ACCEPTED,
    Category.BAD_OUTPUT: AttemptState.ACCEPTED,
}


def a_past(category: Category = Category.SERVER_ERROR, account: str = "runway", **changes: Any) -> Past:
    """An attempt that failed in the way in which such failures come about, and that cost nothing."""
    failure = {key: changes.pop(key) for key in ("code", "retry_after_seconds", "billed") if key in changes}
    told: dict[str, Any] = {
        "number": 1,
        "account": account,
        "state": _STATES.get(category, AttemptState.REJECTED),
        "failure": a_failure(category, **failure),
        "cost": Cost(),
        "ended_at": NOW,
        "may_still_be_billed": False,
        "was_paid": False,
    }
    return Past.model_validate(told | changes)


def a_lost_one(code: str, account: str = "runway") -> Past:
    """An attempt of which nothing was sent."""
    return a_past(Category.NETWORK, account, code=code, state=AttemptState.ABANDONED)


def sent_away(code: str, account: str = "runway") -> Past:
    """An attempt whose ticket its gate did not want."""
    return a_past(Category.CAPACITY, account, code=code, state=AttemptState.ABANDONED)


def at_risk(category: Category = Category.TIMEOUT, account: str = "runway", micros: int = 600_000) -> Past:
    """An attempt whose job may still be billed."""
    return a_past(category, account, may_still_be_billed=True, cost=Cost(at_risk=micros))


def paid(category: Category = Category.BAD_OUTPUT, account: str = "runway", micros: int = 600_000) -> Past:
    """An attempt that was billed and came to nothing."""
    return a_past(category, account, was_paid=True, cost=Cost(settled=micros))


def a_story(*attempts: Past, healths: tuple[Health, ...] = (), **changes: Any) -> Story:
    """A take whose attempts are numbered in their order."""
    numbered = [past.model_copy(update={"number": n}) for n, past in enumerate(attempts, start=1)]
    told: dict[str, Any] = {
        "take_ref": "gen_fox.1",
        "attempts": tuple(numbered),
        "route": ROUTE,
        "healths": {health.account: health for health in healths},
        "retry_delay": BASE,
        "now": NOW,
    }
    return Story.model_validate(told | changes)


def a_health(account: str = "runway", **changes: Any) -> Health:
    """An account that is well unless told."""
    return Health.model_validate({"account": account} | changes)


def broken(account: str = "runway", seconds: float = 40) -> Health:
    """An account whose breaker is open."""
    return a_health(account, breaker_until=NOW + timedelta(seconds=seconds))


def a_queue(account: str = "runway", waiting: int = 0) -> Health:
    """An account whose slots are all in use, each for a minute on average: each who waits makes it 20 s longer."""
    return a_health(account, running=3, waiting=waiting)


def prices(*plans: Plan) -> int:
    """What plans cost together."""
    return sum(plan.price for plan in plans)


def again(story: Story) -> Again:
    """The decision, which is to go on."""
    decision = decide(story)
    assert isinstance(decision, Again), decision.reason
    return decision


def end(story: Story) -> End:
    """The decision, which is to give up."""
    decision = decide(story)
    assert isinstance(decision, End), decision.reason
    return decision


def gist(decision: Decision) -> tuple[Strategy, str | None]:
    """The strategy, and where it goes on."""
    return decision.strategy, decision.plan.provider if isinstance(decision, Again) else None
