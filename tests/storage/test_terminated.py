"""What a terminated run leaves behind is closed, with its money; what a newer run serves is not touched."""

import pytest

from domain.attempts.failures import Category
from domain.attempts.late import late_jobs
from domain.attempts.outcomes import Accepted, AttemptState, JobState, Rejected, Unknown
from domain.attempts.terminated import TERMINATED
from domain.generation import Cost
from domain.orders.request import IfRunning
from domain.status import Status
from storage.database import Database
from storage.takes import terminated
from storage.takes.terminated import Closed, Withdrawn
from tests.factories import LIMITS, SECOND, a_failure, a_plan
from tests.storage.steps import (
    SENT,
    cancelled,
    claimed,
    claimed_by,
    completed,
    created,
    ended,
    finished_sending,
    may_send,
    regenerated,
    row_of,
    running,
    sending,
    shown,
    told_types,
)

PRICE = a_plan().price
LATER = SENT + SECOND


async def close(
    database: Database, generation_id: str, run: str = "run-1", reason: str = "a mistake"
) -> Closed:
    async with database.write(generation_id) as connection:
        return await terminated.close(connection, generation_id, run, reason, LATER)


async def test_a_take_that_waits_for_its_turn_fails_unsent_and_its_ticket_is_to_be_withdrawn(
    database: Database,
) -> None:
    order = await claimed(database)
    done = await close(database, order.generation_id, reason="the campaign is over.")
    assert done == Closed(takes=(1,), withdrawn=(Withdrawn("runway", order.attempt.ref),))
    take = (await shown(database, order.generation_id)).current
    assert take.failure is not None
    assert (take.status, take.failure.category, take.failure.code) == (
        Status.FAILED,
        Category.NETWORK,
        TERMINATED,
    )
    assert take.failure.detail == (
        "The run of this generation was terminated in Temporal: the campaign is over. Nothing was sent."
    )
    assert take.attempts[0].state is AttemptState.ABANDONED
    assert take.cost == Cost()
    assert not await may_send(database, order)


async def test_closing_twice_changes_nothing(database: Database) -> None:
    job = await running(database)
    await close(database, job.generation_id)
    before, told = await shown(database, job.generation_id), await told_types(database, job.generation_id)
    assert await close(database, job.generation_id) == Closed()
    assert await shown(database, job.generation_id) == before
    assert await told_types(database, job.generation_id) == told


async def test_a_take_that_a_newer_run_serves_is_not_touched(database: Database) -> None:
    job = await running(database)
    await claimed_by(database, job.generation_id, run="run-2", began=2)
    before = await shown(database, job.generation_id)
    assert await close(database, job.generation_id, "run-1") == Closed()
    assert await shown(database, job.generation_id) == before


async def test_a_take_that_nobody_has_claimed_yet_is_not_touched(database: Database) -> None:
    job = await running(database)
    await regenerated(database, job.generation_id, if_running=IfRunning.REPLACE)
    await ended(database, job, JobState.FAILED, failure=a_failure())
    async with database.write(job.generation_id) as connection:
        await connection.exec_driver_sql("UPDATE takes SET cancel_outcome = NULL WHERE number = 1")
    assert (await close(database, job.generation_id)).takes == (1,)
    generation = await shown(database, job.generation_id)
    assert [take.status for take in generation.takes] == [Status.FAILED, Status.PENDING]
    assert generation.status is Status.PENDING


async def test_a_take_whose_cancel_is_asked_for_is_left_to_a_new_run(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    assert await close(database, job.generation_id) == Closed()
    assert not (await shown(database, job.generation_id)).status.is_terminal


async def test_a_job_that_runs_puts_its_price_at_risk_and_is_late_from_then_on(database: Database) -> None:
    job = await running(database)
    await close(database, job.generation_id)
    generation = await shown(database, job.generation_id)
    assert generation.current.failure is not None
    assert generation.current.failure.category is Category.TIMEOUT
    assert generation.cost == Cost(at_risk=PRICE)
    (late,) = late_jobs(generation, LIMITS, LATER)
    assert (late.job.job_id, late.is_wanted) == (job.job_id, True)
    await ended(database, job, JobState.SUCCEEDED)
    await completed(database, job)
    done = await shown(database, job.generation_id)
    assert (done.status, done.cost) == (Status.COMPLETED, Cost(settled=PRICE))


async def test_an_order_without_an_answer_may_have_become_a_job(database: Database) -> None:
    order = await sending(database)
    await close(database, order.generation_id)
    generation = await shown(database, order.generation_id)
    assert generation.current.failure is not None
    assert generation.current.failure.category is Category.SUBMISSION_UNKNOWN
    assert generation.cost == Cost(at_risk=PRICE)
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.given_up_at) == (AttemptState.UNKNOWN, LATER)
    assert (await told_types(database, order.generation_id)).count("attempt.unknown") == 1


@pytest.mark.parametrize("is_accepted", [True, False])
async def test_its_answer_is_a_fact_however_late_it_comes(database: Database, is_accepted: bool) -> None:
    order = await sending(database)
    await close(database, order.generation_id)
    answer = Accepted(job_id="job-1") if is_accepted else Rejected(failure=a_failure())
    await finished_sending(database, order, answer, LATER, has_permission=True)
    generation = await shown(database, order.generation_id)
    assert generation.cost == Cost(at_risk=PRICE if is_accepted else 0)
    assert len(late_jobs(generation, LIMITS, LATER)) == is_accepted


async def test_a_job_that_is_still_looked_for_is_given_up(database: Database) -> None:
    order = await sending(database)
    lost = a_failure(Category.SUBMISSION_UNKNOWN, code="answer_lost")
    await finished_sending(database, order, Unknown(client_reference="r", failure=lost))
    await close(database, order.generation_id)
    row = await row_of(database, order.attempt.ref)
    assert (row.given_up_at, row.failure["code"]) == (LATER, "answer_lost")
    assert (await shown(database, order.generation_id)).cost == Cost(at_risk=PRICE)


async def test_a_video_that_was_being_stored_may_still_be_stored(database: Database) -> None:
    job = await running(database)
    await ended(database, job, JobState.SUCCEEDED)
    await close(database, job.generation_id)
    generation = await shown(database, job.generation_id)
    assert generation.cost == Cost(settled=PRICE)
    (late,) = late_jobs(generation, LIMITS, LATER)
    assert late.is_wanted


async def test_what_had_failed_before_says_so(database: Database) -> None:
    order = await sending(database)
    await finished_sending(database, order, Rejected(failure=a_failure(Category.QUOTA)))
    await close(database, order.generation_id, reason="")
    failure = (await shown(database, order.generation_id)).current.failure
    assert failure is not None
    assert (failure.category, failure.code) == (Category.QUOTA, TERMINATED)
    assert "without a reason. Before: It did not work." in failure.detail


async def test_a_generation_that_nobody_knows_is_nothing_to_close(database: Database) -> None:
    generation_id = await created(database)
    assert await close(database, generation_id) == Closed()
    assert await close(database, "gen_nobody") == Closed()
