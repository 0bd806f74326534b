"""What is told of a take whose run an operator has terminated."""

from typing import Any

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import AttemptState
from domain.attempts.terminated import TERMINATED, failure_of_terminated
from domain.generation import Attempt, Cost
from tests.factories import NOW, a_failure, a_take

_SENT = "The order was sent to Runway, and its answer is not known."
_JOB = "Its job at Runway is followed to its end, and a video that still comes is kept."


def an_attempt(state: AttemptState, **changes: Any) -> Attempt:
    told = {
        "ref": "gen_fox.1.1",
        "number": 1,
        "provider": "runway",
        "account": "runway",
        "model": "gen4.5",
        "state": state,
        "job_id": None,
        "failure": None,
        "cost": Cost(),
        "started_at": NOW,
        "ended_at": None,
    }
    return Attempt.model_validate(told | changes)


@pytest.mark.parametrize(
    ("state", "changes", "category", "consequence"),
    [
        (AttemptState.QUEUED, {}, Category.NETWORK, "Nothing was sent."),
        (AttemptState.QUEUED, {"failure": a_failure()}, Category.NETWORK, "Nothing was sent."),
        (AttemptState.NOT_SENT, {}, Category.NETWORK, "Nothing was sent."),
        (AttemptState.ABANDONED, {}, Category.NETWORK, "Nothing was sent."),
        (AttemptState.SENDING, {}, Category.SUBMISSION_UNKNOWN, _SENT),
        (AttemptState.UNKNOWN, {"failure": a_failure()}, Category.SUBMISSION_UNKNOWN, _SENT),
        (AttemptState.ACCEPTED, {}, Category.TIMEOUT, _JOB),
        (AttemptState.FOUND, {}, Category.TIMEOUT, _JOB),
        (
            AttemptState.NOT_SENT,
            {"failure": a_failure(Category.AUTH, detail="The key is wrong.")},
            Category.AUTH,
            "Before: The key is wrong.",
        ),
        (
            AttemptState.REJECTED,
            {"failure": a_failure(Category.VALIDATION, detail="Too long.")},
            Category.VALIDATION,
            "Before: Too long.",
        ),
    ],
)
def test_the_category_says_what_became_of_the_order(
    state: AttemptState, changes: dict[str, Any], category: Category, consequence: str
) -> None:
    take = a_take(
        attempts=(an_attempt(AttemptState.REJECTED, failure=a_failure()), an_attempt(state, **changes))
    )
    failure = failure_of_terminated(take, "clean-up.")
    assert (failure.category, failure.code) == (category, TERMINATED)
    assert failure.detail == f"The run of this generation was terminated in Temporal: clean-up. {consequence}"


def test_a_take_that_was_never_begun_has_sent_nothing() -> None:
    failure = failure_of_terminated(a_take(attempts=()), "")
    assert failure.category is Category.NETWORK
    assert failure.detail == (
        "The run of this generation was terminated in Temporal, without a reason. Nothing was sent."
    )


def test_a_reason_is_told_in_one_line_and_not_at_any_length() -> None:
    told = failure_of_terminated(a_take(attempts=()), " two\nlines\x00 " + "x" * 400).detail
    reason = told.partition("Temporal: ")[2].partition(". Nothing")[0]
    assert reason.startswith("two lines  xxx")
    assert len(reason) == 300
