"""What is shown only ever moves forward, whoever lives on and writes late."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.attempts.outcomes import JobState, JobStatus
from domain.status import Position, Stage, Status, Step
from storage.attempts import jobs
from storage.database import Database
from tests.storage.steps import (
    SENT,
    cancelled,
    claimed,
    closed,
    completed,
    created,
    projected,
    regenerated,
    running,
    shown,
    told,
)

WATCH = Position(take=1, attempt=1, step=Step.WATCH)
positions = st.builds(
    Position,
    take=st.just(1),
    attempt=st.integers(1, 3),
    step=st.sampled_from(Step),
    activity_attempt=st.integers(1, 3),
)
writes = st.tuples(
    positions, st.none() | st.integers(0, 100), st.sampled_from([Stage.QUEUED, Stage.GENERATING])
)


@settings(
    deadline=None,
    database=None,
    max_examples=25,
    # Each example makes a generation of its own; the database is only where they are.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(writes, min_size=1, max_size=8))
async def test_no_order_of_writers_moves_what_is_shown_backwards(
    database: Database, several: list[tuple[Position, int | None, Stage]]
) -> None:
    order = await claimed(database)
    newest, progress, stage = Position(take=1, attempt=1), 0, Stage.QUEUED
    for position, percent, said in several:
        is_behind = position.as_int() < newest.as_int()
        written = await projected(
            database, order.generation_id, position, stage=said, progress_percent=percent
        )
        assert written is not is_behind
        if not is_behind:
            newest, stage = position, said
            progress = max(progress, percent or 0)
        generation = await shown(database, order.generation_id)
        assert (generation.stage, generation.progress_percent) == (stage, progress)


async def test_a_writer_who_is_behind_changes_nothing_at_all(database: Database) -> None:
    order = await claimed(database)
    newer = Position(take=1, attempt=1, step=Step.WATCH, activity_attempt=2)
    await projected(database, order.generation_id, newer, stage=Stage.GENERATING, progress_percent=50)
    before = await shown(database, order.generation_id)
    for older in (WATCH, Position(take=1, attempt=1, step=Step.SUBMIT)):
        assert not await projected(
            database, order.generation_id, older, stage=Stage.QUEUED, progress_percent=90
        )
    assert await shown(database, order.generation_id) == before


async def test_a_writer_of_an_old_take_changes_nothing_that_is_shown(database: Database) -> None:
    job = await running(database)
    await closed(database, job.generation_id)
    await regenerated(database, job.generation_id)
    before = await shown(database, job.generation_id)
    for step in Step:
        huge = Position(take=1, attempt=4000, step=step, activity_attempt=2**24)
        assert not await projected(database, job.generation_id, huge, progress_percent=99)
    async with database.write(job.generation_id) as connection:
        look = JobStatus(state=JobState.RUNNING, progress_percent=80)
        await jobs.observed(connection, job, look, 1, SENT, tell=True)
        await jobs.storing(connection, job, 1, SENT)
    assert await shown(database, job.generation_id) == before


async def test_a_writer_of_a_take_to_come_changes_nothing(database: Database) -> None:
    generation_id = await created(database)
    assert not await projected(database, generation_id, Position(take=2), stage=Stage.STORING)


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
async def test_what_is_over_stays_as_it_is(database: Database, end: str) -> None:
    if end == "cancelled":
        generation_id = await created(database)
        await cancelled(database, generation_id)
    else:
        job = await running(database)
        generation_id = job.generation_id
        await (completed(database, job) if end == "completed" else closed(database, generation_id))
    before = await shown(database, generation_id)
    assert before.status is Status(end)
    late = Position(take=1, attempt=9, step=Step.STORE)
    assert not await projected(database, generation_id, late, stage=Stage.GENERATING, progress_percent=1)
    assert await shown(database, generation_id) == before


async def test_a_cancel_in_the_making_stays_visible_while_progress_goes_on(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    assert await projected(database, job.generation_id, WATCH, stage=Stage.GENERATING, progress_percent=60)
    generation = await shown(database, job.generation_id)
    assert (generation.stage, generation.progress_percent) == (Stage.CANCELLING, 60)


async def test_the_progress_that_is_told_never_falls(database: Database) -> None:
    job = await running(database)
    for percent in (10, 50, 30, 0, 60, 55, 100):
        async with database.write(job.generation_id) as connection:
            look = JobStatus(state=JobState.RUNNING, progress_percent=percent)
            await jobs.observed(connection, job, look, 1, SENT, tell=True)
    log = await told(database, job.generation_id)
    percents = [event.data["percent"] for event in log if event.type.value == "attempt.progress"]
    assert percents == [10, 50, 60, 100]
    assert all(earlier < later for earlier, later in pairwise(percents))
