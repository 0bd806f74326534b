"""The story of a take so far: everything that a decision about its next attempt looks at."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import Field

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import AttemptState
from domain.attempts.routing import Health, health_at
from domain.generation import Cost, total
from domain.model import Frozen
from domain.money import Micros
from domain.orders.plans import Plan
from domain.orders.request import OnContentPolicy, OnUnknownSubmission

_LONGEST_ASKED = timedelta(days=1)
_NEVER_SENT = frozenset({AttemptState.QUEUED, AttemptState.NOT_SENT, AttemptState.ABANDONED})
_UNCLEAR = frozenset({AttemptState.SENDING, AttemptState.UNKNOWN})


class Past(Frozen):
    """One attempt, as the decision sees it.

    Attributes:
        failure: Why it was given up.
        ended_at: When the service gave it up.
        may_still_be_billed: A job of it may be running on, or be billed later.
        was_paid: Its provider has billed it.
    """

    number: int
    account: str
    state: AttemptState
    failure: Failure | None
    cost: Cost
    ended_at: datetime
    may_still_be_billed: bool
    was_paid: bool

    @property
    def code(self) -> str | None:
        """The code of its failure."""
        return None if self.failure is None else self.failure.code

    @property
    def made_no_job(self) -> bool:
        """True where surely no job came of it: it was never sent, or is known not to have arrived."""
        return self.state in _NEVER_SENT or self.state is AttemptState.ABSENT

    @property
    def category(self) -> Category | None:
        """The category of its failure; an order of which nobody knows what became of it is an unknown submission."""
        if self.state in _UNCLEAR:
            return Category.SUBMISSION_UNKNOWN
        return None if self.failure is None else self.failure.category

    @property
    def asked_wait(self) -> timedelta:
        """How long the provider asked to wait: a day for anything longer, and for what is no number at all."""
        asked = None if self.failure is None else self.failure.retry_after_seconds
        if asked is None:
            return timedelta()
        is_bounded = asked <= _LONGEST_ASKED.total_seconds()
        return timedelta(seconds=max(asked, 0)) if is_bounded else _LONGEST_ASKED


class Story(Frozen):
    """A take whose last attempt has just failed.

    Attributes:
        take_ref: `<generation>.<take>`: the seed of the jitter.
        attempts: All of the take, oldest first.
        route: What may serve the take, in order of preference.
        healths: How the accounts stand; one that is missing is well.
        max_cost: The most that all attempts may cost.
        room: What may still be promised for it by the budgets of its tenant and user; None: no budget limits it.
        deadline: No attempt begins from then on.
        retry_delay: The first pause of a backoff.
    """

    take_ref: str
    attempts: tuple[Past, ...] = Field(min_length=1)
    route: tuple[Plan, ...]
    healths: dict[str, Health] = Field(default_factory=dict)
    max_cost: Micros | None = None
    room: Micros | None = None
    deadline: datetime | None = None
    on_unknown_submission: OnUnknownSubmission = OnUnknownSubmission.HOLD
    on_content_policy: OnContentPolicy = OnContentPolicy.FAIL
    retry_delay: timedelta
    now: datetime

    @property
    def last(self) -> Past:
        """The attempt that has just failed."""
        return self.attempts[-1]

    @property
    def failure(self) -> Failure:
        """Why it failed."""
        if self.last.failure is None:
            raise ValueError(f"attempt {self.last.number} of {self.take_ref} was given up without a failure")
        return self.last.failure

    @property
    def committed(self) -> Micros:
        """What the attempts have cost or may still cost."""
        cost = total(past.cost for past in self.attempts)
        return cost.settled + cost.at_risk

    @property
    def may_pay_again(self) -> bool:
        """Whether a further attempt could be paid in addition to an earlier one, and nobody has agreed to that.

        Whoever wants lost orders to be sent again, or refused content to be shown to the next provider, has agreed.
        """
        agreed = set()
        if self.on_unknown_submission is OnUnknownSubmission.RESUBMIT:
            agreed.add(Category.SUBMISSION_UNKNOWN)
        if self.shows_refused_content:
            agreed.add(Category.CONTENT_POLICY)
        return any(
            (past.may_still_be_billed or past.was_paid) and past.category not in agreed
            for past in self.attempts
        )

    @property
    def shows_refused_content(self) -> bool:
        """Whether what one provider refuses for its content may be shown to another."""
        return self.on_content_policy is OnContentPolicy.NEXT

    def at(self, account: str) -> Iterable[Past]:
        """Return the attempts at an account."""
        return (past for past in self.attempts if past.account == account)

    def plan_at(self, account: str) -> Plan | None:
        """Return what the route has for an account."""
        return next((plan for plan in self.route if plan.provider == account), None)

    def health(self, account: str) -> Health:
        """Return how an account stands."""
        return health_at(account, self.healths)
