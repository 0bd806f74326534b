"""What an attempt costs, by how its job ended. Doubt is money at risk, never nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attempts.outcomes import JobState, JobStatus
from domain.costs.billing import MOST, bill_of, bill_of_length, billed, reported
from domain.costs.prices import Meter
from domain.generation import Cost
from tests.factories import a_failure, a_plan

PRICE = 600_000


@pytest.mark.parametrize(
    ("end", "bill"),
    [
        (JobStatus(state=JobState.SUCCEEDED), Cost(settled=PRICE)),
        (JobStatus(state=JobState.SUCCEEDED, cost=250_000), Cost(settled=250_000)),
        (JobStatus(state=JobState.SUCCEEDED, cost=2 * PRICE), Cost(settled=2 * PRICE)),
        (JobStatus(state=JobState.FAILED, failure=a_failure(billed=True)), Cost(settled=PRICE)),
        (JobStatus(state=JobState.FAILED, failure=a_failure(billed=False)), Cost()),
        (JobStatus(state=JobState.FAILED, failure=a_failure(billed=None)), Cost(at_risk=PRICE)),
        (JobStatus(state=JobState.FAILED, failure=a_failure(billed=True), cost=0), Cost()),
        (JobStatus(state=JobState.FAILED), Cost(at_risk=PRICE)),
        (JobStatus(state=JobState.CANCELLED, failure=a_failure()), Cost(at_risk=PRICE)),
        (JobStatus(state=JobState.CANCELLED, cost=0), Cost()),
        (JobStatus(state=JobState.GONE, failure=a_failure()), Cost(at_risk=PRICE)),
        (JobStatus(state=JobState.SUCCEEDED, cost=0), Cost()),
        (JobStatus(state=JobState.SUCCEEDED, cost=MOST), Cost(settled=MOST)),
        (JobStatus(state=JobState.SUCCEEDED, cost=MOST + 1), Cost(settled=PRICE)),
        (JobStatus(state=JobState.SUCCEEDED, cost=-1), Cost(settled=PRICE)),
        (JobStatus(state=JobState.FAILED, failure=a_failure(billed=False), cost=-1), Cost()),
        (
            JobStatus(state=JobState.FAILED, failure=a_failure(billed=None), cost=MOST + 1),
            Cost(at_risk=PRICE),
        ),
        (JobStatus(state=JobState.CANCELLED, cost=-1), Cost(at_risk=PRICE)),
        (JobStatus(state=JobState.GONE, cost=MOST + 1), Cost(at_risk=PRICE)),
    ],
)
def test_the_bill_of_each_end(end: JobStatus, bill: Cost) -> None:
    assert bill_of(PRICE, end) == bill


@given(
    price=st.integers(0, 10**9),
    state=st.sampled_from([state for state in JobState if state.is_over]),
    is_billed=st.none() | st.booleans(),
    cost=st.none() | st.integers(0, 10**9),
)
def test_an_end_costs_nothing_only_where_somebody_said_so(
    price: int, state: JobState, is_billed: bool | None, cost: int | None
) -> None:
    bill = bill_of(price, JobStatus(state=state, failure=a_failure(billed=is_billed), cost=cost))
    assert bill.reserved == 0
    if cost is not None:
        assert bill == Cost(settled=cost)
    elif bill == Cost() and price:
        assert (state, is_billed) == (JobState.FAILED, False)
    else:
        assert bill.settled + bill.at_risk == price


@pytest.mark.parametrize(
    ("is_billed", "bill"),
    [(True, Cost(settled=PRICE)), (False, Cost()), (None, Cost(at_risk=PRICE))],
)
def test_what_is_billed_is_settled_and_what_is_unclear_is_at_risk(is_billed: bool | None, bill: Cost) -> None:
    assert billed(PRICE, is_billed) == bill


LENGTH = Meter(micros=120_000, least=300_000, step=10_000)


@pytest.mark.parametrize(
    ("seconds", "bill"),
    [
        (5.04, 600_000),
        (5.0, 600_000),
        (4.6, 600_000),
        (5.6, 720_000),
        (4.3, 480_000),
        (2.0, 300_000),
        (0.2, 300_000),
    ],
)
def test_a_video_costs_its_real_length_in_whole_seconds(seconds: float, bill: int) -> None:
    made = JobStatus(state=JobState.SUCCEEDED)
    assert bill_of_length(a_plan(meter=LENGTH), made, seconds) == bill


@pytest.mark.parametrize("cost", [0, 1, 600_000, MOST])
def test_what_the_provider_says_counts_more_than_any_length(cost: int) -> None:
    look = JobStatus(state=JobState.SUCCEEDED, cost=cost)
    assert reported(look) == cost
    assert bill_of_length(a_plan(meter=LENGTH), look, 9.0) is None


@pytest.mark.parametrize("cost", [-1, MOST + 1])
def test_what_nobody_can_believe_counts_less_than_the_length(cost: int) -> None:
    look = JobStatus(state=JobState.SUCCEEDED, cost=cost)
    assert reported(look) is None
    assert bill_of_length(a_plan(meter=LENGTH), look, 9.0) == 1_080_000


def test_the_length_changes_nothing_where_no_seconds_are_counted() -> None:
    assert bill_of_length(a_plan(meter=None), JobStatus(state=JobState.SUCCEEDED), 9.0) is None


def test_an_order_is_priced_by_the_meter_that_it_carries() -> None:
    plan = a_plan()
    assert plan.meter is not None
    assert plan.meter.of(plan.duration_seconds) == plan.price == PRICE
