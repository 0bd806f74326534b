"""What is never paid twice, never exceeded and never too late, and when the caller's word changes that."""

from datetime import timedelta

import pytest

from domain.attempts.codes import (
    DEADLINE_PASSED,
    GATE_REFUSED,
    LOST_BEFORE_SENDING,
    SURELY_ABSENT,
    WAITED_TOO_LONG,
    WOKE_TOO_LATE,
)
from domain.attempts.failures import Category
from domain.attempts.outcomes import AttemptState
from domain.attempts.recovery import Again, End, Strategy, decide
from domain.attempts.story import Past
from tests.domain.stories import (
    GOOGLE,
    RUNWAY,
    SECOND,
    SEEDANCE,
    a_past,
    a_story,
    again,
    at_risk,
    end,
    gist,
    paid,
    prices,
    sent_away,
)
from tests.factories import NOW

NOBODYS_FAULT = [LOST_BEFORE_SENDING, WOKE_TOO_LATE, SURELY_ABSENT]
SENT_AWAY = [GATE_REFUSED, WAITED_TOO_LONG]
RETRY, FALLBACK, STOP, HOLD, NOTIFY_USER = (
    Strategy.RETRY,
    Strategy.FALLBACK,
    Strategy.STOP,
    Strategy.HOLD,
    Strategy.NOTIFY_USER,
)


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.SENDING])
@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("code", [*NOBODYS_FAULT, *SENT_AWAY, "http_503"])
def test_what_may_have_arrived_is_held_whatever_is_said_of_it(
    state: AttemptState, category: Category, code: str
) -> None:
    held = end(a_story(a_past(category, state=state, code=code)))
    assert held.strategy is HOLD
    assert "not sent again" in held.reason


def test_the_take_of_a_held_submission_fails_as_one() -> None:
    unknown = at_risk(Category.SUBMISSION_UNKNOWN)
    assert end(a_story(unknown)).failure == unknown.failure


def test_a_lost_order_is_sent_again_twice_to_the_same_account_where_the_caller_pays_for_both() -> None:
    unknown = at_risk(Category.SUBMISSION_UNKNOWN)
    for times in (1, 2):
        resent = again(a_story(*[unknown] * times, on_unknown_submission="resubmit"))
        assert gist(resent) == (RETRY, "runway")
        assert resent.not_before > NOW
    assert gist(decide(a_story(*[unknown] * 3, on_unknown_submission="resubmit"))) == (HOLD, None)


@pytest.mark.parametrize(("times", "ceiling", "strategy"), [(1, 2, RETRY), (2, 2, HOLD), (2, 3, RETRY)])
def test_a_lost_order_is_sent_again_only_within_the_ceiling(
    times: int, ceiling: int, strategy: Strategy
) -> None:
    story = a_story(
        *[at_risk(Category.SUBMISSION_UNKNOWN)] * times,
        on_unknown_submission="resubmit",
        max_cost=ceiling * RUNWAY.price,
    )
    assert decide(story).strategy is strategy


def test_who_agreed_to_pay_for_a_lost_order_goes_on_after_a_plain_failure_too() -> None:
    resent = (at_risk(Category.SUBMISSION_UNKNOWN), a_past(Category.NETWORK))
    assert gist(decide(a_story(*resent, on_unknown_submission="resubmit"))) == (RETRY, "runway")


@pytest.mark.parametrize("failed", [at_risk(), paid(), at_risk(Category.BAD_OUTPUT), paid(Category.TIMEOUT)])
def test_nothing_is_paid_twice_without_the_callers_word(failed: Past) -> None:
    asked = end(a_story(failed))
    assert asked.strategy is NOTIFY_USER
    assert "max_cost_usd" in asked.reason
    assert asked.failure == failed.failure


def test_what_is_paid_already_counts_in_later_attempts_too() -> None:
    later = a_past(Category.NETWORK, "seedance")
    assert gist(decide(a_story(at_risk(), later))) == (NOTIFY_USER, None)
    assert gist(decide(a_story(a_past(Category.TIMEOUT), later))) == (RETRY, "seedance")


@pytest.mark.parametrize("failed", [at_risk(), paid(Category.TIMEOUT)])
def test_a_further_attempt_is_paid_within_the_ceiling(failed: Past) -> None:
    enough = prices(RUNWAY, SEEDANCE)
    assert gist(decide(a_story(failed, max_cost=enough))) == (FALLBACK, "seedance")
    refused = end(a_story(failed, max_cost=enough - 1))
    assert refused.strategy is STOP
    assert refused.reason == (
        "Runway took too long; a further attempt does not fit under the ceiling of $0.859999, of which $0.60 is spent "
        "or may be owed."
    )


def test_a_paid_bad_output_is_ordered_again_where_there_is_room_and_elsewhere_where_that_is_cheaper() -> None:
    assert gist(decide(a_story(paid(), max_cost=2 * RUNWAY.price))) == (RETRY, "runway")
    assert gist(decide(a_story(paid(), max_cost=2 * RUNWAY.price - 1))) == (FALLBACK, "seedance")


def test_what_is_too_dear_is_left_out() -> None:
    only_dear = a_story(a_past(Category.AUTH), route=(RUNWAY, GOOGLE), max_cost=GOOGLE.price - 1)
    assert gist(decide(only_dear)) == (NOTIFY_USER, None)
    assert gist(decide(a_story(a_past(Category.AUTH), route=(RUNWAY, GOOGLE), max_cost=GOOGLE.price))) == (
        FALLBACK,
        "google",
    )


def test_no_attempt_begins_at_the_deadline_or_later() -> None:
    failed = a_past(Category.CAPACITY)
    on_time, too_late = NOW + 15 * SECOND + timedelta(microseconds=1), NOW + 15 * SECOND
    assert gist(decide(a_story(failed, deadline=on_time))) == (RETRY, "runway")
    assert gist(decide(a_story(failed, deadline=too_late))) == (FALLBACK, "seedance")
    over = end(a_story(failed, deadline=too_late, route=(RUNWAY,)))
    assert (over.strategy, over.failure.category, over.failure.code) == (
        STOP,
        Category.TIMEOUT,
        DEADLINE_PASSED,
    )
    assert over.reason == (
        "Runway answered that it is overloaded; no further attempt can begin before the deadline."
    )
    assert isinstance(decide(a_story(failed, deadline=NOW)), End)


def test_what_would_have_ended_anyway_does_not_end_for_want_of_time() -> None:
    assert end(a_story(a_past(Category.CONTENT_POLICY), deadline=NOW)).failure.category is (
        Category.CONTENT_POLICY
    )


def test_a_lost_order_stays_one_where_no_time_is_left_to_send_it_again() -> None:
    unknown = at_risk(Category.SUBMISSION_UNKNOWN)
    held = end(a_story(unknown, on_unknown_submission="resubmit", deadline=NOW))
    assert (held.strategy, held.failure) == (HOLD, unknown.failure)


def test_whoever_was_sent_away_by_both_waits_at_one_and_goes_to_and_fro_no_more() -> None:
    """Rows may say that a door is open while its gate lets one probe through and nobody else."""
    route = (RUNWAY, SEEDANCE)
    first = decide(a_story(sent_away(GATE_REFUSED), route=route))
    assert isinstance(first, Again)
    assert (first.strategy, first.plan.provider) == (Strategy.FALLBACK, "seedance")
    second = decide(a_story(sent_away(GATE_REFUSED), sent_away(GATE_REFUSED, "seedance"), route=route))
    assert isinstance(second, Again)
    assert second.strategy is Strategy.QUEUE_DELAY


def test_a_further_attempt_fits_into_the_budget() -> None:
    failed = a_past(Category.AUTH)
    assert gist(decide(a_story(failed, room=SEEDANCE.price))) == (FALLBACK, "seedance")
    refused = end(a_story(failed, room=SEEDANCE.price - 1))
    assert refused.strategy is NOTIFY_USER
    assert "does not fit into the budget, of which $0.259999 is left" in refused.reason


def test_a_budget_that_is_overdrawn_has_nothing_left() -> None:
    assert "of which $0.00 is left" in end(a_story(a_past(Category.AUTH), room=-1)).reason
