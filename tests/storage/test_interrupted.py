"""A caller that is cancelled in the middle of a transaction neither tears it nor takes the only writer along."""

import asyncio

from domain.status import Status
from storage import catalog
from storage.database import Database, uninterrupted
from storage.takes import wishes
from tests.factories import NOW
from tests.storage.steps import created, shown


async def test_cancelled_transactions_leave_the_writer_usable_and_nothing_half_done(
    database: Database,
) -> None:
    generation_id = await created(database)

    @uninterrupted
    async def cancel_and_read() -> None:
        async with database.write(generation_id) as connection:
            generation = await catalog.load(connection, generation_id)
            await wishes.cancel(connection, generation, NOW, by="user", reason=None)

    for steps in range(60):
        task = asyncio.create_task(cancel_and_read())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5), database.write() as connection:
        await catalog.load(connection, generation_id)
    assert (await shown(database, generation_id)).status is Status.CANCELLED
