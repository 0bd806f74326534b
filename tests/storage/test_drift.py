"""What the comparison of the books finds: nothing where only our code wrote, and every edit by another hand."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update

from domain.attempts.outcomes import JobState
from storage.database import Database
from storage.money.drift import Drift, drift
from storage.tables import attempts, ledger, spending, takes
from tests.factories import NOW
from tests.storage.steps import created, ended, running


async def drift_of(database: Database) -> Drift:
    async with database.read() as connection:
        return await drift(connection)


async def settled(database: Database) -> str:
    """A generation whose job has ended, and one that waits for its first attempt."""
    await created(database)
    job = await running(database)
    await ended(database, job, JobState.SUCCEEDED)
    return job.ref


async def test_what_only_our_code_wrote_agrees(database: Database) -> None:
    await settled(database)
    assert not await drift_of(database)


@pytest.mark.parametrize(
    ("edit", "micros"),
    [
        ("UPDATE attempts SET settled_micros = settled_micros + 1", 1),
        ("UPDATE takes SET reserved_micros = reserved_micros - 2 WHERE reserved_micros > 0", 2),
        ("UPDATE spending SET at_risk_micros = 3", 3),
        ("UPDATE ledger SET amount_micros = amount_micros + 4 WHERE kind = 'settle'", 4 * 2 + 4 * 2),
    ],
)
async def test_an_edit_by_another_hand_is_found_to_the_micro_dollar(
    database: Database, edit: str, micros: int
) -> None:
    await settled(database)
    async with database.write() as connection:
        await connection.execute(text(edit))
    assert (await drift_of(database)).micros == micros


async def test_rows_without_entries_and_entries_without_rows_are_found(database: Database) -> None:
    ref = await settled(database)
    async with database.write() as connection:
        await connection.execute(delete(ledger).where(ledger.c.ref == ref))
    found = await drift_of(database)
    assert (found.refs, found.sums) == ((ref,), 1)
    async with database.write() as connection:
        await connection.execute(delete(spending))
    assert (await drift_of(database)).sums == 1


async def test_a_reserve_of_a_take_that_is_over_is_found(database: Database) -> None:
    job = await running(database)
    async with database.write() as connection:
        await connection.execute(update(takes).values(status="failed"))
    assert (await drift_of(database)).refs == (job.ref,)


async def test_a_quick_look_sees_what_was_written_lately_only(database: Database) -> None:
    ref = await settled(database)
    async with database.write() as connection:
        await connection.execute(update(attempts).where(attempts.c.ref == ref).values(settled_micros=1))
    async with database.read() as connection:
        assert (await drift(connection, since=NOW)).refs == (ref,)
        assert not await drift(connection, since=NOW + timedelta(days=1))
