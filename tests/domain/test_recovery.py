"""What follows from an attempt that did not become a job. What may have been paid is never sent again."""

from datetime import timedelta
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failures import Category, advice_for, is_retryable
from domain.outcomes import NotSent, Rejected, Unknown
from domain.recovery import (
    CANCELLED_BEFORE_SENDING,
    LOST_BEFORE_SENDING,
    MAX_DELAY,
    MAX_LOST,
    MAX_RETRIES,
    SURELY_ABSENT,
    WOKE_TOO_LATE,
    Retry,
    Stop,
    decide,
)
from tests.factories import a_failure

BASE = timedelta(seconds=30)
categories = st.sampled_from(Category)
NOBODYS_FAULT = [LOST_BEFORE_SENDING, WOKE_TOO_LATE, SURELY_ABSENT]
CODES = ["http_503", "not_reached", *NOBODYS_FAULT, CANCELLED_BEFORE_SENDING]
codes = st.sampled_from(CODES)
bases = st.timedeltas(timedelta(0), timedelta(hours=1))
NOT_REACHED = NotSent(failure=a_failure(Category.NETWORK, code="not_reached", billed=False))


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("made", [1, 2, 3, MAX_LOST])
def test_what_was_answered_or_may_have_arrived_is_never_sent_again(
    category: Category, code: str, made: int
) -> None:
    failure = a_failure(category, code=code, retry_after_seconds=1)
    for result in (Rejected(failure=failure), Unknown(client_reference="ref", failure=failure)):
        assert decide(result, made, BASE) == Stop(reason=failure.detail, failure=failure)


@given(categories, codes, st.integers(1, 1000), bases)
def test_every_decision_is_bounded(category: Category, code: str, made: int, base: timedelta) -> None:
    decision = decide(NotSent(failure=a_failure(category, code=code)), made, base)
    assert decision.reason
    if isinstance(decision, Retry):
        assert made < MAX_LOST
        assert timedelta(0) <= decision.delay <= MAX_DELAY


@pytest.mark.parametrize("category", [one for one in Category if one is not Category.NETWORK])
def test_only_an_unreached_provider_is_tried_again(category: Category) -> None:
    assert isinstance(decide(NotSent(failure=a_failure(category)), 1, BASE), Stop)


def test_an_unreached_provider_is_tried_again_twice_with_doubling_pauses() -> None:
    decisions = [decide(NOT_REACHED, made, BASE) for made in (1, 2, 3)]
    pauses = [decision.delay for decision in decisions if isinstance(decision, Retry)]
    assert pauses == [BASE, 2 * BASE]
    assert decisions[MAX_RETRIES] == Stop(reason=NOT_REACHED.failure.detail, failure=NOT_REACHED.failure)


def test_a_pause_never_exceeds_five_minutes() -> None:
    decision = decide(NOT_REACHED, 2, timedelta(minutes=4))
    assert isinstance(decision, Retry)
    assert decision.delay == timedelta(minutes=5)


@pytest.mark.parametrize("code", NOBODYS_FAULT)
@pytest.mark.parametrize("category", Category)
def test_what_is_nobodys_fault_is_made_good_at_once_and_then_ever_more_slowly(
    code: str, category: Category
) -> None:
    lost = NotSent(failure=a_failure(category, code=code))
    decisions = (decide(lost, made, BASE) for made in range(1, 100))
    retries = [one for one in takewhile(lambda one: isinstance(one, Retry), decisions)]  # noqa: C416 - narrowed below
    pauses = [one.delay.total_seconds() for one in retries if isinstance(one, Retry)]
    assert pauses == [0, 1, 3, 7, 15, 31, 63, 127, 255]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (LOST_BEFORE_SENDING, "The sender was lost before it sent anything; sending again."),
        (WOKE_TOO_LATE, "The sender was held up and sent nothing; sending again."),
        (
            SURELY_ABSENT,
            "The provider has no job of this order, so nothing can be paid twice; sending again.",
        ),
    ],
)
def test_the_reason_for_sending_again_is_told(code: str, reason: str) -> None:
    assert decide(NotSent(failure=a_failure(code=code)), 1, BASE) == Retry(reason=reason, delay=timedelta(0))


def test_a_cancelled_attempt_is_the_end_of_it() -> None:
    cancelled = a_failure(Category.NETWORK, code=CANCELLED_BEFORE_SENDING)
    assert isinstance(decide(NotSent(failure=cancelled), 1, BASE), Stop)


@pytest.mark.parametrize("category", Category)
def test_every_failure_comes_with_advice(category: Category) -> None:
    assert advice_for(category).endswith(".")


def test_an_unknown_submission_is_never_called_harmless_to_repeat() -> None:
    assert not is_retryable(Category.SUBMISSION_UNKNOWN)
    assert "second time" in advice_for(Category.SUBMISSION_UNKNOWN)
