"""The breaker: which outcomes open it, and how it closes again."""

from datetime import timedelta

import pytest

from domain.attempts.failures import Category
from domain.gate.breaker import Breaker
from domain.gate.tickets import BreakerLimits, BreakerRecord, BreakerState, Outcome

SECOND = 1_000_000
OPEN_FOR = 60 * SECOND
NOW = 1_000 * SECOND
FAULTS = ["server_error", "network", "timeout", "capacity", "submission_unknown"]
FATAL = ["auth", "quota"]
NOBODYS = ["validation", "content_policy", "rate_limit", "retired", "bad_output"]


def a_breaker(*, in_a_row: int = 3, window: int = 6, share: float = 0.5) -> Breaker:
    limits = BreakerLimits(in_a_row=in_a_row, window=window, share=share, open_for=timedelta(seconds=60))
    return Breaker(limits, BreakerRecord())


def tell(breaker: Breaker, outcomes: str, *, now: int = NOW, is_probe: bool = False) -> None:
    """S: succeeded, F: a fault of the provider, x: a failure that is not, n: neither."""
    for outcome in outcomes:
        match outcome:
            case "S":
                breaker.count(Outcome.SUCCEEDED, None, now, is_probe=is_probe)
            case "F":
                breaker.count(Outcome.FAILED, Category.SERVER_ERROR, now, is_probe=is_probe)
            case "x":
                breaker.count(Outcome.FAILED, Category.CONTENT_POLICY, now, is_probe=is_probe)
            case _:
                breaker.count(Outcome.NEITHER, None, now, is_probe=is_probe)


def an_open_breaker() -> Breaker:
    breaker = a_breaker()
    tell(breaker, "FFF")
    assert breaker.record.state is BreakerState.OPEN
    return breaker


def with_a_probe_out() -> Breaker:
    breaker = an_open_breaker()
    breaker.let_probe_out()
    return breaker


def test_a_new_breaker_lets_everything_through() -> None:
    breaker = a_breaker()
    assert breaker.lets_through(0)
    assert (breaker.is_closed, breaker.probe_is_out, breaker.opens_at) == (True, False, 0)


@pytest.mark.parametrize(
    ("outcomes", "opens"),
    [
        ("FF", False),
        ("FFF", True),
        ("FFSF", False),
        ("FFSFF", False),
        ("FFxF", True),
        ("FnFxF", True),
        ("SSFSF", False),
        ("SSFSFF", True),
        ("SSSSSSFSF", False),
        ("SSSSSSFSFSF", True),
        ("xxxxxxxx", False),
        ("nnnnnnnn", False),
        ("SSSSFF", False),
    ],
)
def test_faults_in_a_row_or_half_of_a_full_window_open_it(outcomes: str, opens: bool) -> None:
    breaker = a_breaker()
    tell(breaker, outcomes[:-1])
    assert breaker.is_closed
    tell(breaker, outcomes[-1])
    assert breaker.is_closed is not opens
    assert breaker.lets_through(NOW) is not opens


@pytest.mark.parametrize("category", FAULTS)
def test_a_fault_of_the_provider_counts(category: str) -> None:
    breaker = a_breaker(in_a_row=2)
    breaker.count(Outcome.FAILED, Category(category), NOW, is_probe=False)
    assert breaker.record.recent == (True,)
    breaker.count(Outcome.FAILED, Category(category), NOW, is_probe=False)
    assert breaker.record.cause is Category(category)
    assert breaker.record.until == NOW + OPEN_FOR


@pytest.mark.parametrize("category", FATAL)
def test_a_bad_key_and_exhausted_credit_open_it_at_once(category: str) -> None:
    breaker = a_breaker()
    breaker.count(Outcome.FAILED, Category(category), NOW, is_probe=False)
    assert breaker.record == BreakerRecord(
        state=BreakerState.OPEN, until=NOW + OPEN_FOR, recent=(True,), cause=Category(category)
    )


@pytest.mark.parametrize("category", [*NOBODYS, None])
def test_what_is_not_the_providers_fault_changes_nothing(category: str | None) -> None:
    breaker = a_breaker(in_a_row=1, window=1)
    breaker.count(Outcome.FAILED, Category(category) if category else None, NOW, is_probe=False)
    assert breaker.record == BreakerRecord()


def test_every_category_is_one_or_the_other() -> None:
    assert {*FAULTS, *FATAL, *NOBODYS} == set(Category)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.NEITHER])
def test_a_category_beside_another_outcome_is_no_fault(outcome: Outcome) -> None:
    breaker = a_breaker(in_a_row=1)
    breaker.count(outcome, Category.AUTH, NOW, is_probe=False)
    assert breaker.is_closed


def test_it_is_open_for_its_time_and_then_lets_one_probe_through() -> None:
    breaker = an_open_breaker()
    assert not breaker.lets_through(NOW + OPEN_FOR - 1)
    assert breaker.lets_through(NOW + OPEN_FOR)
    breaker.let_probe_out()
    assert breaker.probe_is_out
    assert breaker.opens_at is None
    assert not breaker.lets_through(NOW + 100 * OPEN_FOR)


def test_a_person_sees_it_half_open_as_soon_as_its_time_is_over() -> None:
    breaker = an_open_breaker()
    assert breaker.as_of(NOW + OPEN_FOR - 1) == breaker.record
    seen = breaker.as_of(NOW + OPEN_FOR)
    assert (seen.state, seen.until, seen.cause) == (BreakerState.HALF_OPEN, None, Category.SERVER_ERROR)
    assert a_breaker().as_of(NOW) == BreakerRecord()


def test_a_probe_that_succeeds_closes_it_and_what_was_is_forgotten() -> None:
    breaker = with_a_probe_out()
    tell(breaker, "S", is_probe=True)
    assert breaker.record == BreakerRecord(recent=(False,))
    tell(breaker, "FF")
    assert breaker.is_closed


def test_a_probe_that_fails_opens_it_again_for_as_long() -> None:
    breaker = with_a_probe_out()
    later = NOW + 5 * OPEN_FOR
    breaker.count(Outcome.FAILED, Category.QUOTA, later, is_probe=True)
    assert (breaker.record.state, breaker.record.until) == (BreakerState.OPEN, later + OPEN_FOR)
    assert breaker.record.cause is Category.QUOTA


@pytest.mark.parametrize("outcome", ["n", "x"])
def test_a_probe_that_says_nothing_lets_the_next_one_through(outcome: str) -> None:
    breaker = with_a_probe_out()
    later = NOW + 2 * OPEN_FOR
    tell(breaker, outcome, now=later, is_probe=True)
    assert breaker.lets_through(later)
    assert not breaker.is_closed
    breaker.let_probe_out()
    assert not breaker.lets_through(later)


@pytest.mark.parametrize("is_probe", [True, False])
@pytest.mark.parametrize("outcome", ["S", "F", "x", "n"])
@pytest.mark.parametrize("after", [1, OPEN_FOR - 1, OPEN_FOR, 3 * OPEN_FOR])
def test_late_outcomes_neither_close_an_open_breaker_nor_prolong_it(
    outcome: str, after: int, is_probe: bool
) -> None:
    breaker = an_open_breaker()
    before = breaker.record
    tell(breaker, outcome, now=NOW + after, is_probe=is_probe)
    assert breaker.record == before


@pytest.mark.parametrize("outcome", ["S", "F", "x", "n"])
def test_late_outcomes_do_not_speak_for_the_probe(outcome: str) -> None:
    breaker = with_a_probe_out()
    before = breaker.record
    tell(breaker, outcome, now=NOW + 2 * OPEN_FOR)
    assert breaker.record == before


def test_a_reset_closes_it_and_forgets() -> None:
    for breaker in (an_open_breaker(), with_a_probe_out()):
        breaker.reset()
        assert breaker.record == BreakerRecord()


def test_only_the_last_outcomes_are_kept_and_a_smaller_window_keeps_fewer() -> None:
    breaker = a_breaker(window=4, in_a_row=9, share=1)
    tell(breaker, "FSFFSF")
    assert list(breaker.record.recent) == [True, True, False, True]
    assert Breaker(BreakerLimits(window=1), breaker.record).record.recent == (True,)
    breaker.configure(BreakerLimits(window=2))
    assert list(breaker.record.recent) == [False, True]


def test_more_faults_in_a_row_than_the_window_holds_are_never_needed() -> None:
    breaker = a_breaker(in_a_row=10, window=4, share=1)
    tell(breaker, "FFFF")
    assert not breaker.is_closed


def test_it_goes_on_from_its_record() -> None:
    breaker = a_breaker()
    tell(breaker, "FF")
    again = Breaker(
        BreakerLimits(in_a_row=3), BreakerRecord.model_validate_json(breaker.record.model_dump_json())
    )
    tell(again, "F")
    assert not again.is_closed
