"""What was spent is told apart by project, provider and user; and what of it was for nothing."""

from datetime import datetime, timedelta

from domain.attempts.failures import Category
from domain.attempts.outcomes import CancelOutcome, JobState
from domain.generation import Cost, DeploymentMode
from storage.database import Database
from storage.money import usage
from storage.money.usage import Share, Wasted
from storage.takes import opinions
from tests.api.limited import spent
from tests.factories import NOW, a_failure, a_plan
from tests.storage.steps import (
    cancelled,
    closed,
    completed,
    created,
    ended,
    given_up,
    regenerated,
    running,
    shown,
    stopped,
)

PRICE = a_plan().price
SANDBOX = DeploymentMode.SANDBOX


async def shares(database: Database, by: usage.Column, user_id: str | None = None) -> list[Share]:
    async with database.read() as connection:
        return list(await usage.shares(connection, by, "tenant", user_id, SANDBOX, NOW))


async def wasted(
    database: Database, user_id: str | None = None, tenant: str = "tenant", now: datetime = NOW
) -> Wasted:
    async with database.read() as connection:
        return await usage.wasted(connection, tenant, user_id, SANDBOX, now)


async def made(database: Database, generation_id: str) -> None:
    """Make the newest take, and bill it."""
    job = await running(database, generation_id)
    await ended(database, job, JobState.SUCCEEDED)
    await completed(database, job)


async def test_what_was_spent_is_told_apart(database: Database) -> None:
    rows = [
        ("2026-11-23", 1, "winter", "runway", "anna"),
        ("2026-11-23", 20, "summer", "runway", ""),
        ("2026-11-02", 300, "winter", "seedance", "anna"),
        ("2026-10-31", 4000, "winter", "runway", "anna"),
    ]
    for day, amount, project, provider, user in rows:
        cost = Cost(settled=amount)
        await spent(database, day, cost, tenant="tenant", project_id=project, provider=provider, user_id=user)
    await spent(database, "2026-11-23", Cost(settled=50_000), tenant="stranger")
    await spent(database, "2026-11-23", Cost(settled=50_000), tenant="tenant", mode="live")

    def told(found: list[Share]) -> list[tuple[str | None, int, int, int]]:
        return [(one.name, one.today.orders, one.today.committed, one.month.committed) for one in found]

    assert told(await shares(database, "project_id")) == [("winter", 1, 1, 301), ("summer", 1, 20, 20)]
    assert told(await shares(database, "provider")) == [("seedance", 0, 0, 300), ("runway", 2, 21, 21)]
    assert told(await shares(database, "user_id")) == [("anna", 1, 1, 301), (None, 1, 20, 20)]
    assert told(await shares(database, "project_id", "anna")) == [("winter", 1, 1, 301)]


async def test_only_so_many_are_told_apart_the_dearest_first(database: Database) -> None:
    for number in range(usage.ROWS_MAX + 5):
        await spent(database, "2026-11-23", Cost(at_risk=number), tenant="tenant", project_id=f"p{number:03}")
    found = await shares(database, "project_id")
    assert (len(found), found[0].name, found[-1].name) == (100, "p104", "p005")


async def test_a_video_that_is_there_was_not_for_nothing(database: Database) -> None:
    await made(database, await created(database))
    assert await wasted(database) == Wasted()


async def test_a_failure_that_is_billed_is_wasted(database: Database) -> None:
    job = await running(database, await created(database, user_id="anna"))
    await ended(database, job, JobState.FAILED, failure=a_failure(billed=True), billed=True)
    await closed(database, job.generation_id)
    assert (await shown(database, job.generation_id)).cost == Cost(settled=PRICE)
    assert await wasted(database) == Wasted(failed=PRICE)
    assert await wasted(database, "anna") == Wasted(failed=PRICE)
    assert await wasted(database, "bert") == await wasted(database, tenant="stranger") == Wasted()
    assert (await wasted(database)).total == PRICE


async def test_a_failed_attempt_is_wasted_though_the_next_one_makes_the_video(database: Database) -> None:
    generation_id = await created(database, max_cost_usd="5.00")
    job = await running(database, generation_id)
    await ended(database, job, JobState.FAILED, failure=a_failure(billed=True), billed=True)
    assert await wasted(database) == Wasted(failed=PRICE)
    await made(database, generation_id)
    assert (await shown(database, generation_id)).cost == Cost(settled=2 * PRICE)
    assert await wasted(database) == Wasted(failed=PRICE)


async def test_a_cancelled_take_that_is_billed_is_wasted(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.STOPPED, billed=True)
    assert await wasted(database) == Wasted(cancelled=PRICE)


async def test_older_takes_are_wasted_unless_they_are_kept(database: Database) -> None:
    generation_id = await created(database)
    await made(database, generation_id)
    generation = await regenerated(database, generation_id)
    assert await wasted(database) == Wasted()
    await made(database, generation_id)
    assert await wasted(database) == Wasted(unkept=PRICE)
    async with database.write(generation_id) as connection:
        await opinions.keep(connection, generation, 1, NOW)
    assert await wasted(database) == Wasted()


async def test_a_video_that_came_late_was_not_for_nothing(database: Database) -> None:
    job = await running(database)
    await given_up(database, job, a_failure(Category.TIMEOUT))
    await closed(database, job.generation_id, failure=a_failure(Category.TIMEOUT))
    await ended(database, job, JobState.SUCCEEDED)
    assert await wasted(database) == Wasted(failed=PRICE)
    await completed(database, job)
    assert await wasted(database) == Wasted()


async def test_waste_is_of_the_month_in_which_its_take_was_accepted(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.STOPPED, billed=True)
    assert await wasted(database, now=NOW + timedelta(days=30)) == Wasted()
    assert await wasted(database, now=NOW - timedelta(days=30)) == Wasted()
    assert await wasted(database, now=NOW.replace(day=30, hour=23)) == Wasted(cancelled=PRICE)
