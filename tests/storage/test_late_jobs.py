"""Jobs that nobody waits for any more: which are followed, for how long, and what their video is still good for."""

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.attempts.failures import Category, Failure
from domain.attempts.late import OUTPUT_LIVES
from domain.attempts.outcomes import Accepted, CancelOutcome, JobState, Unknown
from domain.generation import Cost
from domain.messages import Job, LateJob
from domain.moments import micros_of
from domain.status import Stage, Status
from storage import catalog
from storage.attempts import lookups
from storage.database import Database
from storage.takes import erasing
from tests.domain.stories import RUNWAY, SEEDANCE
from tests.factories import LIMITS, NOW, SECOND, a_failure, a_video
from tests.storage.steps import (
    SENT,
    a_second,
    answered,
    cancelled,
    closed,
    completed,
    created,
    ended,
    finished_sending,
    given_up,
    regenerated,
    running,
    sending,
    shown,
    stopped,
    told,
    told_types,
)

OUTLIVED = a_failure(Category.TIMEOUT)
LOST = a_failure(Category.SUBMISSION_UNKNOWN)
FAILED = a_failure(Category.SERVER_ERROR, billed=False)
LATER = NOW + timedelta(minutes=20)
UNTIL = SENT + 2 * LIMITS.job


async def late(database: Database, generation_id: str, now: datetime = LATER) -> tuple[LateJob, ...]:
    return (await answered(database, generation_id, now, run="run-9", began=9)).late


async def left(database: Database, **request: object) -> Job:
    """A job that outlived its time, whose provider would not stop it; its take has failed where it may not go on."""
    generation_id = await created(database, route=(RUNWAY, SEEDANCE), **request)  # type: ignore[arg-type]  # of many kinds
    job = await running(database, generation_id)
    await stopped(database, job, CancelOutcome.GOES_ON, because=OUTLIVED)
    await answered(database, generation_id, SENT)
    return job


def as_late(job: Job, *, is_wanted: bool) -> LateJob:
    followed = job.model_copy(update={"deadline_micros": micros_of(UNTIL), "plan": RUNWAY})
    return LateJob(job=followed, is_wanted=is_wanted)


async def test_a_job_that_its_take_waits_for_is_not_late(database: Database) -> None:
    job = await running(database)
    assert await late(database, job.generation_id) == ()


async def test_the_job_of_a_take_that_failed_for_want_of_it_is_followed_and_wanted(
    database: Database,
) -> None:
    job = await left(database)
    assert (await shown(database, job.generation_id)).status is Status.FAILED
    assert await late(database, job.generation_id) == (as_late(job, is_wanted=True),)


async def test_the_claim_that_ends_a_take_says_already_that_its_job_is_wanted(database: Database) -> None:
    job = await running(database)
    await stopped(database, job, CancelOutcome.GOES_ON, because=OUTLIVED)
    answer = await answered(database, job.generation_id, SENT)
    assert answer.ending is not None
    assert [one.is_wanted for one in answer.late] == [True]


async def test_the_job_of_a_take_that_goes_on_elsewhere_is_followed_for_its_bill_only(
    database: Database,
) -> None:
    job = await left(database, max_cost_usd="5")
    assert (await shown(database, job.generation_id)).status is Status.PROCESSING
    assert await late(database, job.generation_id) == (as_late(job, is_wanted=False),)


async def test_a_late_job_is_followed_for_as_long_again_and_then_no_more(database: Database) -> None:
    job = await left(database)
    assert await late(database, job.generation_id, UNTIL - SECOND) != ()
    assert await late(database, job.generation_id, UNTIL) == ()


async def test_a_job_that_goes_on_after_its_cancel_is_followed_for_its_bill_only(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.GOES_ON)
    (one,) = await late(database, job.generation_id)
    assert (one.job.ref, one.is_wanted) == (job.ref, False)


@pytest.mark.parametrize("because", [None, OUTLIVED])
async def test_a_job_that_was_stopped_is_over(database: Database, because: Failure | None) -> None:
    job = await running(database)
    if because is None:
        await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.STOPPED, because=because, billed=False)
    assert await late(database, job.generation_id) == ()


async def test_a_finished_video_that_was_not_fetched_is_wanted_as_long_as_it_may_be_there(
    database: Database,
) -> None:
    job = await left(database)
    await ended(database, job, JobState.SUCCEEDED)
    assert await late(database, job.generation_id, SENT + OUTPUT_LIVES - SECOND) == (
        as_late(job, is_wanted=True),
    )
    assert await late(database, job.generation_id, SENT + OUTPUT_LIVES) == ()


async def test_a_late_video_that_turned_out_to_be_broken_is_not_fetched_again(database: Database) -> None:
    job = await left(database)
    await ended(database, job, JobState.SUCCEEDED)
    await given_up(database, job, a_failure(Category.BAD_OUTPUT))
    assert await late(database, job.generation_id) == ()


async def test_a_late_job_that_failed_leaves_nothing_to_be_done(database: Database) -> None:
    job = await left(database)
    await ended(database, job, JobState.FAILED, failure=FAILED)
    assert await late(database, job.generation_id) == ()
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.cost) == (Status.FAILED, Cost())
    assert generation.current.attempts[0].failure == OUTLIVED


async def test_the_video_of_a_take_that_failed_for_something_else_is_not_wanted(database: Database) -> None:
    job = await running(database)
    await closed(database, job.generation_id, failure=FAILED)
    assert [one.is_wanted for one in await late(database, job.generation_id)] == [False]


async def test_the_job_of_a_deleted_generation_is_followed_for_its_bill_only(database: Database) -> None:
    job = await left(database)
    async with database.write(job.generation_id) as connection:
        await erasing.delete(connection, await catalog.load(connection, job.generation_id), SENT)
    answer = await answered(database, job.generation_id, LATER)
    assert answer.order is None
    assert [one.is_wanted for one in answer.late] == [False]
    assert RUNWAY.prompt not in answer.model_dump_json()


async def held(database: Database) -> Job:
    """An order whose answer was lost, was looked for in vain and held, and that became a job after all."""
    order = await sending(database)
    await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    async with database.write(order.generation_id) as connection:
        await lookups.in_vain(connection, order, SENT)
    answer = await answered(database, order.generation_id, SENT)
    assert answer.ending is not None
    assert (answer.ending.status, answer.late) == (Status.FAILED, ())
    await finished_sending(database, order, Accepted(job_id="after all"), LATER)
    (one,) = await late(database, order.generation_id, LATER)
    assert one.is_wanted
    return one.job


@pytest.mark.parametrize("how", ["outlived", "held"])
async def test_a_late_success_completes_what_had_failed(database: Database, how: str) -> None:
    job = await (left(database) if how == "outlived" else held(database))
    assert (await shown(database, job.generation_id)).cost == Cost(at_risk=RUNWAY.price)
    await ended(database, job, JobState.SUCCEEDED)
    async with a_second(database) as other:
        endings = await asyncio.gather(*(completed(one, job) for one in (database, other, database)))
    assert {(ending.status, ending.cost) for ending in endings} == {
        (Status.COMPLETED, Cost(settled=RUNWAY.price))
    }
    generation = await shown(database, job.generation_id)
    take = generation.current
    assert (generation.status, generation.stage, generation.progress_percent) == (
        Status.COMPLETED,
        Stage.DONE,
        100,
    )
    assert (take.status, take.failure, take.video) == (Status.COMPLETED, None, a_video())
    assert generation.completed_at is not None
    log = await told(database, job.generation_id)
    assert [event.type.value for event in log][-2:] == ["take.completed", "generation.late_success"]
    assert log[-1].data["cost"]["settled_usd"] == "0.60"
    assert "regenerate" in log[-1].data["actions"]
    assert await late(database, job.generation_id) == ()


async def test_a_late_success_behind_a_newer_take_is_an_extra_video(database: Database) -> None:
    job = await left(database)
    await regenerated(database, job.generation_id)
    (one,) = (await answered(database, job.generation_id, SENT)).late
    assert one.is_wanted
    await ended(database, job, JobState.SUCCEEDED)
    ending = await completed(database, job)
    generation = await shown(database, job.generation_id)
    first, second = generation.takes
    assert ending.status is Status.COMPLETED
    assert (first.status, first.failure, first.video) == (Status.COMPLETED, None, a_video())
    assert (generation.status, generation.stage) == (Status.PROCESSING, Stage.QUEUED)
    assert (second.status, second.video, generation.progress_percent) == (Status.PROCESSING, None, 0)
    types = await told_types(database, job.generation_id)
    assert types.count("take.completed") == 1
    assert "generation.late_success" not in types
    assert not {"generation.completed", "generation.late_success"} & set(types)


async def test_a_newer_take_that_has_failed_does_not_hide_behind_the_extra_video(database: Database) -> None:
    job = await left(database)
    await regenerated(database, job.generation_id)
    await closed(database, job.generation_id, take=2)
    await completed(database, job)
    generation = await shown(database, job.generation_id)
    assert [take.status for take in generation.takes] == [Status.COMPLETED, Status.FAILED]
    assert generation.status is Status.FAILED


async def test_a_late_video_of_a_deleted_generation_changes_nothing_that_is_told(database: Database) -> None:
    job = await left(database)
    async with database.write(job.generation_id) as connection:
        await erasing.delete(connection, await catalog.load(connection, job.generation_id), SENT)
    await completed(database, job)
    assert await told_types(database, job.generation_id) == ["generation.deleted"]
    async with database.read() as connection:
        assert await erasing.to_be_erased(connection) == [job.generation_id]
