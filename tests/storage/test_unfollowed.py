"""Late jobs that somebody has to follow, and lost orders that are looked for again."""

from datetime import datetime, timedelta

from domain.attempts.failures import Category
from domain.attempts.late import OUTPUT_LIVES
from domain.attempts.outcomes import JobState, Unknown
from domain.generation import DeploymentMode
from domain.messages import Order
from storage.attempts import answers, jobs, lookups, lost, unfollowed
from storage.database import Database
from storage.takes import terminated
from tests.factories import LIMITS, NOW, SECOND, a_failure
from tests.storage.steps import (
    SENT,
    closed,
    completed,
    ended,
    finished_sending,
    running,
    sending,
    shown,
)

LATER = SENT + SECOND


async def late(database: Database, now: datetime = LATER) -> list[tuple[str, int]]:
    async with database.read() as connection:
        found = await unfollowed.with_late_jobs(
            connection,
            now,
            mode=DeploymentMode.SANDBOX,
            limits=LIMITS,
        )
    return list(found.late)


async def test_a_job_whose_take_is_over_is_late_until_nobody_can_know_any_more(database: Database) -> None:
    job = await running(database)
    assert await late(database) == []
    await closed(database, job.generation_id)
    assert await late(database) == [(job.generation_id, 1)]
    until = NOW + LIMITS.job + LIMITS.job
    assert await late(database, until - SECOND) == [(job.generation_id, 1)]
    assert await late(database, until + 2 * SECOND) == []


async def test_a_job_that_is_over_is_late_no_more(database: Database) -> None:
    job = await running(database)
    await closed(database, job.generation_id)
    await ended(database, job, JobState.FAILED, failure=a_failure())
    assert await late(database) == []


async def test_a_finished_video_that_is_still_welcome_is_late_until_it_is_fetched(database: Database) -> None:
    job = await running(database)
    async with database.write(job.generation_id) as connection:
        await terminated.close(connection, job.generation_id, "run-1", "", SENT)
    await ended(database, job, JobState.SUCCEEDED)
    assert await late(database) == [(job.generation_id, 1)]
    assert await late(database, SENT + OUTPUT_LIVES + SECOND) == []
    await completed(database, job)
    assert await late(database) == []


async def test_one_page_after_another_shows_them_all_also_behind_those_that_are_not_late(
    database: Database,
) -> None:
    """A failed take whose video is broken may look late to SQL: it takes up room on a page, and no more."""
    made, broken = [], a_failure(Category.BAD_OUTPUT)
    for number in range(5):
        job = await running(database)
        if number < 2:
            await ended(database, job, JobState.SUCCEEDED)
            async with database.write(job.generation_id) as connection:
                await jobs.given_up(connection, job, broken, SENT)
        await closed(database, job.generation_id)
        if number >= 2:
            made.append(job.generation_id)
    seen, after = [], None
    for _ in range(3):
        async with database.read() as connection:
            page = await unfollowed.with_late_jobs(
                connection,
                LATER,
                mode=DeploymentMode.SANDBOX,
                limits=LIMITS,
                after=after,
                limit=2,
            )
        seen += [generation_id for generation_id, _ in page.late]
        after = page.goes_on_after
    assert seen == sorted(made)
    assert after is None


async def unanswered(database: Database) -> Order:
    order = await sending(database)
    lost_answer = a_failure(Category.SUBMISSION_UNKNOWN)
    await finished_sending(database, order, Unknown(client_reference="r", failure=lost_answer))
    return order


async def given_up(database: Database) -> Order:
    order = await unanswered(database)
    async with database.write(order.generation_id) as connection:
        await lookups.in_vain(connection, order, SENT)
    return order


async def lost_orders(
    database: Database, now: datetime = LATER, provider: str = "runway", turn: int = 0, limit: int = 20
) -> list[Order]:
    async with database.read() as connection:
        found = await lost.given_up(
            connection,
            provider,
            now,
            mode=DeploymentMode.SANDBOX,
            limits=LIMITS,
            turn=turn,
            limit=limit,
        )
    assert all(one.sent_at == SENT for one in found)
    return [one.order for one in found]


async def test_an_order_that_was_looked_for_in_vain_is_looked_for_again_for_a_day(database: Database) -> None:
    order = await given_up(database)
    (again,) = await lost_orders(database)
    assert again.attempt.ref == order.attempt.ref
    assert again.plan == order.plan
    assert await lost_orders(database, SENT + timedelta(hours=24) - SECOND) == [again]
    assert await lost_orders(database, SENT + timedelta(hours=24) + SECOND) == []
    assert await lost_orders(database, provider="seedance") == []


async def test_an_order_that_is_still_looked_for_by_its_run_is_left_to_it(database: Database) -> None:
    await unanswered(database)
    await sending(database)
    await running(database)
    assert await lost_orders(database) == []


async def test_what_is_found_is_a_late_job_and_not_lost_any_more(database: Database) -> None:
    order = await given_up(database)
    await closed(database, order.generation_id)
    (again,) = await lost_orders(database)
    async with database.write(order.generation_id) as connection:
        await answers.accepted_unless_taken(connection, again, "job-1", LATER)
    assert await lost_orders(database) == []
    assert await late(database) == [(order.generation_id, 1)]
    async with database.read() as connection:
        assert (await answers.state_of(connection, order.attempt.ref)).job_id == "job-1"
    assert (await shown(database, order.generation_id)).cost.at_risk == order.plan.price


async def test_turns_show_all_of_them_a_few_each_time(database: Database) -> None:
    made = [(await given_up(database)).attempt.ref for _ in range(5)]
    for first_turn in (0, 7):
        seen = []
        for turn in range(first_turn, first_turn + 3):
            page = await lost_orders(database, turn=turn, limit=2)
            assert len(page) <= 2
            seen += [order.attempt.ref for order in page]
        assert sorted(seen) == sorted(made)
