"""The breaker under everything that can happen, in any order, beside a naive account of what it was told."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.attempts.failures import Category
from domain.gate.breaker import Breaker
from domain.gate.tickets import (
    BreakerLimits,
    BreakerRecord,
    Outcome,
)

SECOND = 1_000_000
OPEN_FOR = 20 * SECOND


class BreakerMachine(RuleBasedStateMachine):
    """A breaker beside a naive account of what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.limits = BreakerLimits(in_a_row=3, window=5, share=0.6, open_for=timedelta(seconds=20))
        self.breaker = Breaker(self.limits, BreakerRecord())
        self.told: list[bool] = []
        self.open_until: int | None = None
        self.probe_is_out = False

    @rule(seconds=st.integers(1, 25))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(outcome=st.sampled_from(Outcome), category=st.sampled_from(Category))
    def an_order_ends(self, outcome: Outcome, category: Category) -> None:
        self.breaker.count(outcome, category, self.now, is_probe=False)
        if self.open_until is None and not self.probe_is_out:
            verdict = _verdict(outcome, category)
            self.told += [] if verdict is None else [verdict]
            window = self.told[-5:]
            is_bad = self.told[-3:] == [True] * 3 or (len(window) == 5 and sum(window) >= 3)
            if verdict and (is_bad or category in {Category.AUTH, Category.QUOTA}):
                self.open_until = self.now + OPEN_FOR

    @precondition(lambda self: self.open_until is not None and self.open_until <= self.now)
    @rule()
    def a_probe_goes(self) -> None:
        self.breaker.let_probe_out()
        self.open_until = None
        self.probe_is_out = True

    @precondition(lambda self: self.probe_is_out)
    @rule(outcome=st.sampled_from(Outcome), category=st.sampled_from(Category))
    def the_probe_ends(self, outcome: Outcome, category: Category) -> None:
        self.breaker.count(outcome, category, self.now, is_probe=True)
        self.probe_is_out = False
        match _verdict(outcome, category):
            case None:
                self.open_until = self.now
            case True:
                self.told.append(True)
                self.open_until = self.now + OPEN_FOR
            case False:
                self.told = [False]

    @rule()
    def a_reset(self) -> None:
        self.breaker.reset()
        self.told, self.open_until, self.probe_is_out = [], None, False

    @rule()
    def a_new_run(self) -> None:
        self.breaker = Breaker(self.limits, self.breaker.record)

    @invariant()
    def it_lets_through_what_the_account_says(self) -> None:
        is_open = self.open_until is not None and self.open_until > self.now
        assert self.breaker.lets_through(self.now) is not (is_open or self.probe_is_out)
        assert self.breaker.is_closed is (self.open_until is None and not self.probe_is_out)
        assert self.breaker.probe_is_out is self.probe_is_out
        assert list(self.breaker.record.recent) == self.told[-5:]


def _verdict(outcome: Outcome, category: Category) -> bool | None:
    """True for a fault, False for a success, None for what says nothing."""
    nobodys = ["validation", "content_policy", "rate_limit", "retired", "bad_output"]
    if outcome is Outcome.FAILED:
        return None if category.value in nobodys else True
    return False if outcome is Outcome.SUCCEEDED else None


BreakerMachine.TestCase.settings = settings(
    deadline=None, database=None, max_examples=100, stateful_step_count=40
)
TestBreakerMachine = BreakerMachine.TestCase
