"""How jobs and takes end: each fact once, with the money it costs, however late and by whomever it is written."""

import asyncio

import pytest

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import CancelOutcome, JobState, JobStatus
from domain.generation import Cost
from domain.messages import CancelResult, Job
from domain.status import Stage, Status
from storage.attempts import jobs
from storage.database import Database
from storage.takes import cancels, endings
from tests.factories import a_failure, a_plan, a_video
from tests.storage.steps import (
    SENT,
    WITH_EVERY_FILE,
    a_second,
    cancelled,
    closed,
    completed,
    created,
    ended,
    regenerated,
    row_of,
    running,
    shown,
    told,
    told_types,
)

PRICE = a_plan().price
FAILED = a_failure(Category.SERVER_ERROR)
OUTLIVED = a_failure(Category.TIMEOUT)


@pytest.mark.parametrize(
    ("look", "cost"),
    [
        (JobStatus(state=JobState.SUCCEEDED), Cost(settled=PRICE)),
        (JobStatus(state=JobState.SUCCEEDED, cost=PRICE // 2), Cost(settled=PRICE // 2)),
        (JobStatus(state=JobState.FAILED, failure=a_failure(billed=False)), Cost()),
        (JobStatus(state=JobState.FAILED, failure=a_failure(billed=True)), Cost(settled=PRICE)),
        (JobStatus(state=JobState.FAILED, failure=FAILED), Cost(at_risk=PRICE)),
        (JobStatus(state=JobState.FAILED, failure=FAILED, cost=0), Cost()),
        (JobStatus(state=JobState.GONE, failure=FAILED), Cost(at_risk=PRICE)),
        (JobStatus(state=JobState.CANCELLED, failure=FAILED), Cost(at_risk=PRICE)),
    ],
)
async def test_the_end_of_a_job_turns_the_reserve_into_its_bill(
    database: Database, look: JobStatus, cost: Cost
) -> None:
    job = await running(database)
    assert (await shown(database, job.generation_id)).cost == Cost(reserved=PRICE)
    async with database.write(job.generation_id) as connection:
        assert await jobs.ended(connection, job, look, SENT)
    generation = await shown(database, job.generation_id)
    assert generation.cost == cost
    assert generation.current.attempts[0].failure == look.failure
    assert (await told_types(database, job.generation_id)).count("attempt.failed") == bool(look.failure)


async def test_an_end_is_written_once_even_by_two_watches_that_disagree(database: Database) -> None:
    job = await running(database)
    async with a_second(database) as other:
        written = await asyncio.gather(
            *(
                ended(one, job, JobState.FAILED, failure=FAILED, cost=n)
                for n in range(5)
                for one in (database, other)
            )
        )
    assert sorted(written) == [False] * 9 + [True]
    assert (await told_types(database, job.generation_id)).count("attempt.failed") == 1
    before = (await shown(database, job.generation_id)).cost
    assert not await ended(database, job, JobState.SUCCEEDED, cost=99)
    assert (await shown(database, job.generation_id)).cost == before


async def asked_to_stop(database: Database, job: Job, *, will_bill: bool | None) -> bool | None:
    async with database.write(job.generation_id) as connection:
        return await cancels.sending(connection, job, SENT, will_bill=will_bill)


async def stopped(
    database: Database,
    job: Job,
    outcome: CancelOutcome,
    *,
    billed: bool | None = None,
    because: Failure | None = None,
) -> None:
    result = CancelResult(outcome=outcome, billed=billed)
    async with database.write(job.generation_id) as connection:
        await cancels.ended(connection, job, result, SENT, because=because)


async def test_a_job_that_vanished_after_our_cancel_is_no_failure(database: Database) -> None:
    job = await running(database)
    await asked_to_stop(database, job, will_bill=True)
    assert not await ended(database, job, JobState.GONE, failure=FAILED)
    assert (await row_of(database, job.ref)).ended_at is None
    assert "attempt.failed" not in await told_types(database, job.generation_id)


async def test_the_bill_of_a_cancel_is_what_was_seen_before_the_first_one(database: Database) -> None:
    job = await running(database)
    assert await asked_to_stop(database, job, will_bill=True) is True
    assert await asked_to_stop(database, job, will_bill=False) is True
    async with database.read() as connection:
        assert await cancels.was_sent(connection, job.ref) == (True, True)
    unasked = await running(database)
    async with database.read() as connection:
        assert await cancels.was_sent(connection, unasked.ref) == (False, None)


@pytest.mark.parametrize(
    ("outcome", "billed", "cost"),
    [
        (CancelOutcome.STOPPED, True, Cost(settled=PRICE)),
        (CancelOutcome.STOPPED, False, Cost()),
        (CancelOutcome.STOPPED, None, Cost(at_risk=PRICE)),
        (CancelOutcome.GOES_ON, None, Cost(at_risk=PRICE)),
    ],
)
async def test_a_cancel_ends_the_take_with_its_true_outcome_and_bill(
    database: Database, outcome: CancelOutcome, billed: bool | None, cost: Cost
) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    for _ in range(2):
        await stopped(database, job, outcome, billed=billed)
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.stage) == (Status.CANCELLED, Stage.DONE)
    take = generation.current
    assert (take.cancel_outcome, take.cancel_billed, take.cost) == (outcome, billed, cost)
    types = await told_types(database, job.generation_id)
    assert types[-3:] == ["cancel.requested", "cancel.outcome", "generation.cancelled"]


async def test_a_job_that_goes_on_after_its_cancel_is_billed_when_it_ends(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.GOES_ON)
    await regenerated(database, job.generation_id)
    assert await ended(database, job, JobState.SUCCEEDED, cost=PRICE)
    generation = await shown(database, job.generation_id)
    assert generation.takes[0].cost == Cost(settled=PRICE)
    assert (generation.status, generation.current.number) == (Status.PENDING, 2)


async def test_a_video_of_a_cancelled_take_is_kept_but_not_shown(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.GOES_ON)
    await regenerated(database, job.generation_id)
    ending = await completed(database, job)
    generation = await shown(database, job.generation_id)
    assert ending.status is Status.CANCELLED
    assert generation.takes[0].video == a_video()
    assert (generation.status, generation.current.video) == (Status.PENDING, None)
    assert "generation.completed" not in await told_types(database, job.generation_id)


async def test_a_cancel_that_comes_too_late_lets_the_take_go_on(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.TOO_LATE)
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.stage) == (Status.PROCESSING, Stage.GENERATING)
    assert generation.current.cancel_outcome is CancelOutcome.TOO_LATE
    await completed(database, job)
    assert (await shown(database, job.generation_id)).status is Status.COMPLETED
    assert (await told_types(database, job.generation_id)).count("cancel.outcome") == 1


async def test_a_job_that_the_service_gives_up_is_billed_but_leaves_the_take_to_its_failure(
    database: Database,
) -> None:
    job = await running(database)
    await stopped(database, job, CancelOutcome.STOPPED, billed=True, because=OUTLIVED)
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.cost) == (Status.PROCESSING, Cost(settled=PRICE))
    assert "cancel.outcome" not in await told_types(database, job.generation_id)


async def test_a_stored_video_completes_the_generation_once(database: Database) -> None:
    job = await running(database)
    await ended(database, job, JobState.SUCCEEDED)
    async with a_second(database) as other:
        endings = await asyncio.gather(*(completed(one, job) for _ in range(4) for one in (database, other)))
    assert {ending.status for ending in endings} == {Status.COMPLETED}
    assert {ending.cost for ending in endings} == {Cost(settled=PRICE)}
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.stage, generation.progress_percent) == ("completed", "done", 100)
    assert generation.current.video == a_video()
    assert generation.completed_at is not None
    types = await told_types(database, job.generation_id)
    assert types[-2:] == ["take.completed", "generation.completed"]
    assert len(types) == len(set(types))


async def test_the_first_stored_video_of_a_take_is_the_one_that_stays(database: Database) -> None:
    job = await running(database)
    await completed(database, job)
    async with database.write(job.generation_id) as connection:
        await endings.completed(connection, WITH_EVERY_FILE, job, a_video(sha256="c" * 64), SENT)
    assert (await shown(database, job.generation_id)).current.video == a_video()


async def test_a_failed_take_is_told_once_with_advice(database: Database) -> None:
    job = await running(database)
    for _ in range(3):
        ending = await closed(database, job.generation_id)
        assert (ending.status, ending.failure) == (Status.FAILED, a_failure())
    (failed,) = [one for one in await told(database, job.generation_id) if one.type == "generation.failed"]
    assert failed.data["error"].keys() == {"category", "code", "message", "advice", "retryable"}
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.stage) == (Status.FAILED, Stage.DONE)


async def test_completed_and_failed_at_once_leave_one_end(database: Database) -> None:
    async with a_second(database) as other:
        for _ in range(10):
            job = await running(database)
            await asyncio.gather(completed(database, job), closed(other, job.generation_id))
            types = await told_types(database, job.generation_id)
            ends = [kind for kind in types if kind in {"generation.completed", "generation.failed"}]
            status = (await shown(database, job.generation_id)).status
            assert ends == [f"generation.{status}"]


async def test_no_failure_undoes_a_completed_take(database: Database) -> None:
    job = await running(database)
    await completed(database, job)
    before = await shown(database, job.generation_id)
    assert (await closed(database, job.generation_id)).status is Status.COMPLETED
    await stopped(database, job, CancelOutcome.GOES_ON)
    assert (await shown(database, job.generation_id)).status is Status.COMPLETED
    assert (await shown(database, job.generation_id)).current.video == before.current.video


@pytest.mark.parametrize("how", ["completed", "failed"])
async def test_whoever_asked_for_a_cancel_is_told_when_it_came_too_late(database: Database, how: str) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await (completed(database, job) if how == "completed" else closed(database, job.generation_id))
    await stopped(database, job, CancelOutcome.TOO_LATE)
    take = (await shown(database, job.generation_id)).current
    assert take.cancel_outcome is CancelOutcome.TOO_LATE
    types = await told_types(database, job.generation_id)
    assert types.count("cancel.outcome") == 1
    assert types[-1] == f"generation.{how}"


async def test_a_take_that_failed_unclaimed_is_over_as_well(database: Database) -> None:
    generation_id = await created(database)
    assert (await closed(database, generation_id)).status is Status.FAILED
    assert (await shown(database, generation_id)).cost == Cost()
