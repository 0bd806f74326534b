"""The last word about a bill comes when the video is stored: from the provider, else from its real length."""

import pytest

from domain.attempts.outcomes import JobState, JobStatus
from domain.costs.prices import Meter
from domain.generation import Cost
from domain.messages import Job
from storage.database import Database
from storage.money import bills
from tests.factories import a_plan
from tests.storage.steps import SENT, all_told, created, ended, row_of, running

PRICE = a_plan().price
MADE = JobStatus(state=JobState.SUCCEEDED)


def said(cost: int) -> JobStatus:
    return JobStatus(state=JobState.SUCCEEDED, cost=cost)


async def stored(database: Database, job: Job, look: JobStatus, seconds: float) -> Cost:
    """The money of an attempt after its video was stored."""
    async with database.write(job.generation_id) as connection:
        await bills.settle_stored(connection, job, look, seconds, SENT)
    row = await row_of(database, job.ref)
    return Cost(reserved=row.reserved_micros, settled=row.settled_micros, at_risk=row.at_risk_micros)


@pytest.mark.parametrize(
    ("end", "look", "seconds", "settled"),
    [
        (MADE, MADE, 5.04, PRICE),
        (MADE, MADE, 4.4, PRICE * 4 // 5),
        (MADE, MADE, 5.6, PRICE * 6 // 5),
        (said(PRICE // 2), said(PRICE // 2), 5.6, PRICE // 2),
        (said(PRICE // 2), MADE, 5.6, PRICE // 2),
        (MADE, said(PRICE // 3), 5.6, PRICE // 3),
        (MADE, said(3 * PRICE), 5.0, 3 * PRICE),
        (said(PRICE // 2), said(PRICE), 5.0, PRICE),
        (MADE, said(-1), 4.4, PRICE * 4 // 5),
    ],
    ids=[
        "as long as ordered",
        "shorter",
        "longer",
        "the provider has said it",
        "what it has said before counts",
        "it says it only now",
        "it says more than was reserved",
        "it has changed its mind",
        "it says what cannot be",
    ],
)
async def test_a_bill_is_corrected_when_the_video_is_stored(
    database: Database, end: JobStatus, look: JobStatus, seconds: float, settled: int
) -> None:
    job = await running(database)
    await ended(database, job, end.state, cost=end.cost)
    assert await stored(database, job, look, seconds) == Cost(settled=settled)
    before = await all_told(database, job.generation_id)
    assert await stored(database, job, look, seconds) == Cost(settled=settled), (
        "a repeated activity is harmless"
    )
    assert await all_told(database, job.generation_id) == before


async def test_the_length_changes_nothing_where_no_seconds_are_counted(database: Database) -> None:
    generation_id = await created(database, route=[a_plan(meter=None)])
    job = await running(database, generation_id)
    await ended(database, job, MADE.state)
    assert await stored(database, job, MADE, 9.0) == Cost(settled=PRICE)


async def test_what_is_not_known_to_be_over_keeps_its_reserve(database: Database) -> None:
    job = await running(database)
    assert await stored(database, job, said(1), 5.0) == Cost(reserved=PRICE)


async def test_the_order_carries_what_a_second_costs(database: Database) -> None:
    job = await running(database)
    assert job.plan.meter == Meter(micros=120_000, step=10_000)
