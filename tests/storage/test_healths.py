"""How the accounts stand, as routing is told: pauses and breakers, queues, and measured times."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from domain.attempts.outcomes import JobState, Rejected
from domain.attempts.routing import Health
from domain.gate.rows import GateNews, TicketsWanted
from domain.gate.tickets import AccountLimits, BreakerRecord, BreakerState
from domain.generation import DeploymentMode
from domain.moments import micros_of
from storage.database import Database
from storage.gate import gates
from storage.gate.healths import Healths
from storage.tables import attempts
from tests.domain.stories import SEEDANCE
from tests.factories import LIMITS, NOW, SECOND, a_failure
from tests.storage.steps import (
    SENT,
    SOMEBODY,
    answered,
    claimed,
    created,
    ended,
    finished_sending,
    given_up,
    running,
    sending,
    shown,
)

ACCOUNTS = {
    "runway": AccountLimits(max_concurrent=2, spacing=5 * SECOND),
    "seedance": AccountLimits(max_concurrent=9),
}
MINUTE = timedelta(minutes=1)


async def look(
    database: Database, now: datetime = SENT, mode: DeploymentMode = DeploymentMode.SANDBOX
) -> dict[str, Health]:
    async with database.read() as connection:
        return dict(await Healths(ACCOUNTS, mode).look(connection, now))


async def news(database: Database, record: BreakerRecord, hold_off_until: int = 0) -> None:
    async with database.write() as connection:
        await gates.read(
            connection, TicketsWanted(account="runway"), AccountLimits(), LIMITS, NOW, mode=SOMEBODY.mode
        )
        told = GateNews(account="runway", breaker=record, hold_off_until=hold_off_until)
        await gates.write(connection, told, NOW)


async def test_accounts_of_which_nothing_is_known_are_well(database: Database) -> None:
    assert await look(database) == {
        "runway": Health(account="runway", max_concurrent=2, spacing=5 * SECOND),
        "seedance": Health(account="seedance", max_concurrent=9),
    }


async def test_who_waits_and_what_runs_is_counted_for_each_account(database: Database) -> None:
    for _ in range(3):
        await claimed(database)
    await sending(database)
    await running(database)
    done = await running(database)
    await ended(database, done, JobState.FAILED, failure=a_failure())
    refused = await sending(database)
    await finished_sending(database, refused, Rejected(failure=a_failure()))
    await claimed(database, await created(database, route=(SEEDANCE,)))
    healths = await look(database)
    assert (healths["runway"].waiting, healths["runway"].running) == (3, 2)
    assert (healths["seedance"].waiting, healths["seedance"].running) == (1, 0)


async def test_a_given_up_job_that_goes_on_is_counted_until_nobody_can_know(database: Database) -> None:
    job = await running(database)
    await given_up(database, job, a_failure())
    assert (await look(database))["runway"].running == 1
    assert (await look(database, SENT + 2 * LIMITS.job - SECOND))["runway"].running == 1
    assert (await look(database, SENT + 2 * LIMITS.job))["runway"].running == 0


@pytest.mark.parametrize(
    ("record", "until"),
    [
        (BreakerRecord(), None),
        (BreakerRecord(state=BreakerState.OPEN, until=micros_of(NOW + MINUTE)), NOW + MINUTE),
        (BreakerRecord(state=BreakerState.HALF_OPEN, until=micros_of(NOW + MINUTE)), NOW + MINUTE),
        (BreakerRecord(state=BreakerState.OPEN, until=micros_of(NOW)), None),
    ],
)
async def test_a_breaker_is_open_until_its_moment(
    database: Database, record: BreakerRecord, until: datetime | None
) -> None:
    await news(database, record, hold_off_until=micros_of(NOW + 2 * MINUTE))
    health = (await look(database))["runway"]
    assert (health.breaker_until, health.hold_off_until) == (until, NOW + 2 * MINUTE)
    assert health.is_open(SENT) is (until is None)


async def test_a_paused_account_takes_no_orders(database: Database) -> None:
    async with database.write() as connection:
        await gates.pause(connection, "runway", "maintenance", NOW)
    healths = await look(database)
    assert (healths["runway"].is_paused, healths["seedance"].is_paused) == (True, False)
    generation_id = await created(database)
    order = (await answered(database, generation_id, healths=healths)).order
    assert order is not None
    assert (await shown(database, generation_id)).current.attempts[0].account == "runway"


async def took(database: Database, seconds: float, state: JobState = JobState.SUCCEEDED) -> None:
    job = await running(database)
    failure = None if state is JobState.SUCCEEDED else a_failure()
    await ended(database, job, state, failure=failure)
    async with database.write() as connection:
        await connection.execute(
            update(attempts)
            .where(attempts.c.ref == job.ref)
            .values(ended_at=SENT + timedelta(seconds=seconds))
        )


async def test_times_are_measured_with_jobs_that_gave_a_video(database: Database) -> None:
    for seconds in (10, 20):
        await took(database, seconds)
    await took(database, 999, JobState.FAILED)
    healths = await look(database)
    assert (healths["runway"].job_seconds, healths["runway"].is_measured) == (15.0, True)
    assert not healths["seedance"].is_measured
    assert not (await look(database, mode=DeploymentMode.LIVE))["runway"].is_measured


async def test_only_the_last_jobs_are_measured(database: Database) -> None:
    for seconds in range(1, 23):
        await took(database, seconds)
    assert (await look(database))["runway"].job_seconds == sum(range(3, 23)) / 20


async def test_the_accounts_are_looked_at_only_once_in_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.gate.healths._KEEP_SECONDS", 3600)
    healths = Healths(ACCOUNTS, DeploymentMode.SANDBOX)
    async with database.read() as connection:
        before = await healths.look(connection, SENT)
    await claimed(database)
    async with database.read() as connection:
        assert await healths.look(connection, SENT) is before
        monkeypatch.setattr("storage.gate.healths._KEEP_SECONDS", 0)
        assert (await healths.look(connection, SENT))["runway"].waiting == 1
