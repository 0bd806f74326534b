"""What an attempt costs, by how its job ended. Doubt is money at risk, never nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing import bill_of, billed
from domain.generation import Cost
from domain.outcomes import JobState, JobStatus
from tests.factories import a_failure

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
