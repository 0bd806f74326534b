"""Between two attempts: cancels, the ceiling over all of them, and the deadline."""

from datetime import datetime

import pytest

from domain.attempts.codes import DEADLINE_PASSED
from domain.attempts.failures import Category
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.generation import Cost, Take
from domain.status import Status
from storage.database import Database
from storage.takes import cancels
from tests.domain.stories import RUNWAY
from tests.factories import NOW
from tests.storage.failing import (
    FAILED,
    GOES_ON,
    OUTLIVED,
    ROOM,
    ROUTE,
    broken_output,
    failed_job,
    failed_once,
)
from tests.storage.steps import (
    SENT,
    answered,
    cancelled,
    created,
    ended,
    running,
    shown,
    told,
    told_types,
)


async def cancel_between(database: Database, generation_id: str, now: datetime) -> Take:
    take = await cancelled(database, generation_id, now)
    assert (await shown(database, generation_id)).status is Status.CANCELLED
    answer = await answered(database, generation_id, now)
    assert answer.order is None
    assert answer.ending is not None
    assert answer.ending.status is Status.CANCELLED
    assert (await told_types(database, generation_id))[-2:] == ["cancel.outcome", "generation.cancelled"]
    return take


@pytest.mark.parametrize("is_decided", [False, True])
async def test_a_cancel_between_two_attempts_stops_the_take_before_anything_more_is_sent(
    database: Database, is_decided: bool
) -> None:
    generation_id = await failed_once(database, failed_job)
    if is_decided:
        await answered(database, generation_id, SENT)
    take = await cancel_between(database, generation_id, SENT)
    assert (take.cancel_outcome, take.cancel_billed) == (CancelOutcome.STOPPED_BEFORE_SUBMIT, False)
    assert take.cost == Cost()
    if is_decided:
        assert take.attempts[1].state is AttemptState.ABANDONED


@pytest.mark.parametrize("is_decided", [False, True])
async def test_a_cancel_beside_a_job_that_goes_on_says_so(database: Database, is_decided: bool) -> None:
    generation_id = await failed_once(database, GOES_ON, **ROOM)
    if is_decided:
        await answered(database, generation_id, SENT)
    take = await cancel_between(database, generation_id, SENT)
    assert (take.cancel_outcome, take.cancel_billed) == (CancelOutcome.GOES_ON, None)
    assert take.cost == Cost(at_risk=RUNWAY.price)
    (late,) = (await answered(database, generation_id, SENT)).late
    assert (late.job.attempt, late.is_wanted) == (1, False)


async def test_a_cancel_after_a_paid_attempt_does_not_claim_that_it_costs_nothing(database: Database) -> None:
    generation_id = await failed_once(database, broken_output, **ROOM)
    take = await cancel_between(database, generation_id, SENT)
    assert take.cost == Cost(settled=RUNWAY.price)
    (outcome,) = [one for one in await told(database, generation_id) if one.type == "cancel.outcome"]
    assert outcome.data["cost"]["settled_usd"] == "0.60"
    assert "costs nothing" not in outcome.message


async def test_a_job_that_failed_while_its_cancel_was_under_way_is_told_as_failed(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id, NOW)
    await ended(database, job, JobState.FAILED, failure=FAILED)
    answer = await answered(database, job.generation_id, SENT)
    assert answer.ending is not None
    assert (answer.ending.status, answer.ending.failure) == (Status.FAILED, FAILED)
    take = (await shown(database, job.generation_id)).current
    assert (take.cancel_outcome, len(take.attempts)) == (CancelOutcome.TOO_LATE, 1)


@pytest.mark.parametrize(("ceiling", "goes_on"), [("0.86", True), ("0.859999", False)])
async def test_the_ceiling_holds_over_all_attempts(database: Database, ceiling: str, goes_on: bool) -> None:
    generation_id = await failed_once(database, GOES_ON, max_cost_usd=ceiling)
    order = (await answered(database, generation_id, SENT)).order
    assert (order is not None) is goes_on
    if order is not None:
        assert order.plan.price + RUNWAY.price == 860_000


async def test_what_a_job_may_cost_that_was_given_up_and_not_seen_to_end_counts_under_the_ceiling(
    database: Database,
) -> None:
    """The run was lost between the wish to stop a late job and its outcome."""
    generation_id = await created(database, route=ROUTE, max_cost_usd="0.80")
    job = await running(database, generation_id)
    async with database.write(generation_id) as connection:
        await cancels.sending(connection, job, SENT, will_bill=None, because=OUTLIVED)
    answer = await answered(database, generation_id, SENT, run="run-2", began=2)
    assert answer.order is None
    take = (await shown(database, generation_id)).current
    assert (take.status, take.cost) == (Status.FAILED, Cost(at_risk=RUNWAY.price))


async def test_no_attempt_begins_after_the_deadline(database: Database) -> None:
    generation_id = await failed_once(database, failed_job, route=(RUNWAY,), deadline_seconds=20)
    answer = await answered(database, generation_id, SENT)
    assert answer.ending is not None
    assert answer.ending.failure is not None
    assert (answer.ending.failure.category, answer.ending.failure.code) == (Category.TIMEOUT, DEADLINE_PASSED)
