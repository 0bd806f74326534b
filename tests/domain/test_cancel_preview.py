"""What a cancel would do is foreseen from the record, and nothing is said to be free that may be billed."""

from datetime import timedelta
from typing import Any

import pytest

from domain.attempts.cancel_preview import Foresight, NothingToCancel, Preview, preview
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.generation import Attempt, Cost, Generation
from domain.ids import attempt_ref, new_generation_id
from domain.orders.line_up import LINE_UP, name_of
from domain.status import Stage, Status
from tests.factories import NOW, a_failure, a_generation, a_plan, a_take

PRICE = a_plan().price
FREE, PROMISED, OWED, BILLED = Cost(), Cost(reserved=PRICE), Cost(at_risk=PRICE), Cost(settled=PRICE)
GENERATION_ID = new_generation_id()
EVERY = [facts.id for facts in LINE_UP]


def an_attempt(state: AttemptState, provider: str = "runway", **changes: Any) -> Attempt:
    """An attempt that costs what it promised, unless told."""
    number = changes.get("number", 1)
    told: dict[str, Any] = {
        "ref": attempt_ref(GENERATION_ID, 1, number),
        "number": number,
        "provider": provider,
        "account": provider,
        "model": "a-model",
        "state": state,
        "job_id": "job-1" if state.has_job else None,
        "failure": None,
        "cost": PROMISED,
        "started_at": NOW,
        "ended_at": None,
        "plan": a_plan(provider=provider),
    }
    return Attempt.model_validate(told | changes)


def running(stage: Stage, *attempts: Attempt, **of_take: Any) -> Generation:
    """A generation in the making."""
    take = a_take(status=Status.PROCESSING, attempts=attempts, **of_take)
    return a_generation(take, id=GENERATION_ID, stage=stage)


def foreseen(stage: Stage, *attempts: Attempt, **of_take: Any) -> Preview:
    return preview(running(stage, *attempts, **of_take))


def a_failed(**changes: Any) -> Attempt:
    """An attempt that is over, and was given up."""
    told: dict[str, Any] = {"failure": a_failure(), "given_up_at": NOW, "ended_at": NOW, "cost": FREE}
    return an_attempt(AttemptState.ACCEPTED, **(told | changes))


QUEUED, SENDING = AttemptState.QUEUED, AttemptState.SENDING
ACCEPTED, FOUND, UNKNOWN = AttemptState.ACCEPTED, AttemptState.FOUND, AttemptState.UNKNOWN


@pytest.mark.parametrize(
    ("provider", "stage", "outcome", "billed", "cost"),
    [
        ("runway", Stage.PROVIDER_QUEUED, Foresight.STOPPED, False, FREE),
        ("runway", Stage.GENERATING, Foresight.STOPPED, True, BILLED),
        ("runway", Stage.SUBMITTING, Foresight.UNKNOWN, None, OWED),
        ("runway", Stage.CANCELLING, Foresight.UNKNOWN, None, OWED),
        ("seedance", Stage.PROVIDER_QUEUED, Foresight.STOPPED, False, FREE),
        ("seedance", Stage.GENERATING, Foresight.GOES_ON, None, OWED),
        ("seedance", Stage.SUBMITTING, Foresight.UNKNOWN, None, OWED),
        ("stable-video", Stage.PROVIDER_QUEUED, Foresight.GOES_ON, None, OWED),
        ("stable-video", Stage.GENERATING, Foresight.GOES_ON, None, OWED),
        ("stable-video", Stage.SUBMITTING, Foresight.GOES_ON, None, OWED),
        ("nobody-knows", Stage.GENERATING, Foresight.UNKNOWN, None, OWED),
    ],
)
@pytest.mark.parametrize("state", [ACCEPTED, FOUND])
def test_what_would_become_of_a_job(
    state: AttemptState, provider: str, stage: Stage, outcome: Foresight, billed: bool | None, cost: Cost
) -> None:
    seen = foreseen(stage, an_attempt(state, provider))
    assert (seen.outcome, seen.billed, seen.cost) == (outcome, billed, cost)
    assert name_of(provider) in seen.message


@pytest.mark.parametrize("provider", EVERY)
@pytest.mark.parametrize(
    ("stage", "state", "outcome", "billed", "cost"),
    [
        (Stage.QUEUED, QUEUED, Foresight.STOPPED_BEFORE_SUBMIT, False, FREE),
        (Stage.WAITING_RETRY, QUEUED, Foresight.STOPPED_BEFORE_SUBMIT, False, FREE),
        (Stage.SUBMITTING, SENDING, Foresight.UNKNOWN, None, OWED),
        (Stage.LOOKING_UP, UNKNOWN, Foresight.UNKNOWN, None, OWED),
        (Stage.STORING, ACCEPTED, Foresight.TOO_LATE, None, PROMISED),
    ],
)
def test_before_and_after_a_job_all_providers_are_alike(
    provider: str, stage: Stage, state: AttemptState, outcome: Foresight, billed: bool | None, cost: Cost
) -> None:
    seen = foreseen(stage, an_attempt(state, provider))
    assert (seen.outcome, seen.billed, seen.cost) == (outcome, billed, cost)


def test_a_job_that_was_seen_to_end_is_too_late_to_cancel_before_it_is_fetched() -> None:
    ended = an_attempt(ACCEPTED, job_state=JobState.SUCCEEDED, ended_at=NOW, cost=BILLED)
    seen = foreseen(Stage.GENERATING, ended)
    assert (seen.outcome, seen.cost) == (Foresight.TOO_LATE, BILLED)


def test_what_was_just_accepted_has_nothing_to_pay_for() -> None:
    seen = preview(a_generation(a_take(), stage=Stage.ACCEPTED))
    assert (seen.outcome, seen.billed, seen.cost) == (Foresight.STOPPED_BEFORE_SUBMIT, False, FREE)


def test_a_wait_after_a_paid_failure_costs_what_was_paid() -> None:
    again = an_attempt(QUEUED, number=2)
    seen = foreseen(Stage.WAITING_RETRY, a_failed(cost=BILLED), again)
    assert (seen.outcome, seen.cost) == (Foresight.STOPPED_BEFORE_SUBMIT, BILLED)


@pytest.mark.parametrize(
    "earlier",
    [a_failed(cost=OWED), a_failed(cost=OWED, ended_at=None)],
    ids=["may be owed", "is not seen to be over"],
)
def test_a_wait_beside_an_earlier_job_may_still_cost_something(earlier: Attempt) -> None:
    seen = foreseen(Stage.WAITING_RETRY, earlier, an_attempt(QUEUED, "seedance", number=2))
    assert (seen.outcome, seen.billed, seen.cost) == (Foresight.GOES_ON, None, OWED)
    assert "Runway" in seen.message


def test_the_money_of_other_takes_stays() -> None:
    first = a_take(status=Status.COMPLETED, attempts=(an_attempt(ACCEPTED, cost=BILLED),))
    second = a_take(status=Status.PROCESSING, attempts=(an_attempt(QUEUED),))
    seen = preview(a_generation(first, second, stage=Stage.QUEUED))
    assert (seen.take, seen.cost) == (2, BILLED)


@pytest.mark.parametrize("outcome", [one for one in CancelOutcome if one is not CancelOutcome.REQUESTED])
def test_after_a_cancel_it_tells_what_that_one_did(outcome: CancelOutcome) -> None:
    take = a_take(
        status=Status.CANCELLED,
        cancel_requested_at=NOW,
        cancel_outcome=outcome,
        cancel_billed=True,
        attempts=(an_attempt(ACCEPTED, cost=BILLED, ended_at=NOW),),
    )
    seen = preview(a_generation(take))
    assert (seen.outcome, seen.billed, seen.cost) == (Foresight(outcome), True, BILLED)


def test_while_a_cancel_is_under_way_the_job_decides() -> None:
    seen = foreseen(
        Stage.CANCELLING,
        an_attempt(ACCEPTED, "stable-video"),
        cancel_requested_at=NOW,
        cancel_outcome=CancelOutcome.REQUESTED,
    )
    assert seen.outcome is Foresight.GOES_ON


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED])
def test_what_is_over_by_itself_cannot_be_cancelled(status: Status) -> None:
    with pytest.raises(NothingToCancel, match=f"is {status} already"):
        preview(a_generation(a_take(status=status, ended_at=NOW + timedelta(seconds=1))))


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("state", list(AttemptState))
@pytest.mark.parametrize("provider", EVERY)
def test_nothing_that_may_be_billed_is_said_to_be_free(
    provider: str, state: AttemptState, stage: Stage
) -> None:
    is_over = state in {
        AttemptState.REJECTED,
        AttemptState.ABSENT,
        AttemptState.NOT_SENT,
        AttemptState.ABANDONED,
    }
    seen = foreseen(stage, an_attempt(state, provider, cost=FREE if is_over else PROMISED))
    if seen.billed is None and seen.outcome is not Foresight.TOO_LATE:
        assert seen.cost.at_risk == PRICE
    if seen.billed is False:
        assert seen.cost == FREE
    if state in {SENDING, UNKNOWN}:
        assert seen.outcome is Foresight.UNKNOWN
