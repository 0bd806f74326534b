"""Generations and pictures that were kept long enough go, what somebody wants to keep or still needs stays."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, text, update

from domain.status import Status
from runtime.housekeeping.retention import Retention
from storage import catalog
from storage.database import Database
from storage.files import images
from storage.files.images import Image
from storage.retention import (
    finished_before,
    has_had_its_time,
    remove_picture,
    unused_before,
)
from storage.tables import generations, ledger, takes
from storage.takes import erasing
from tests.eventually import eventually
from tests.factories import NOW, SECOND
from tests.storage.steps import SOMEBODY, closed, completed, created, regenerated, running, shown

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
DAY = timedelta(days=1)
MONTH = timedelta(days=30)


async def finished(database: Database, at: datetime, **fields: Any) -> str:
    """A generation that failed at a moment."""
    generation_id = await created(database, **fields)
    await closed(database, generation_id)
    await age(database, generation_id, at)
    return generation_id


async def age(database: Database, generation_id: str, at: datetime) -> None:
    async with database.write() as connection:
        await connection.execute(
            update(generations).where(generations.c.id == generation_id).values(updated_at=at)
        )


async def keep(database: Database, generation_id: str, *, kept: bool = True) -> None:
    async with database.write() as connection:
        await connection.execute(
            update(takes).where(takes.c.generation_id == generation_id).values(kept=kept)
        )


async def is_there(database: Database, generation_id: str) -> bool:
    return (await shown(database, generation_id)).deleted_at is None


async def an_image(database: Database, image_id: str, at: datetime) -> Image:
    image = Image(image_id, image_id[-1] * 64, 8, 8, 8, "image/png", at)
    async with database.write() as connection:
        await images.add(connection, SOMEBODY.tenant_id, image)
    return image


async def there_is(database: Database, image_id: str) -> bool:
    async with database.read() as connection:
        return await images.find(connection, SOMEBODY.tenant_id, image_id) is not None


async def test_only_what_has_been_over_for_long_is_deleted(database: Database) -> None:
    old = await finished(database, NOW - MONTH - SECOND)
    young = await finished(database, NOW - MONTH + SECOND)
    under_way = (await running(database)).generation_id
    await age(database, under_way, NOW - 2 * MONTH)
    await Retention(database, MONTH).sweep(NOW)
    assert [await is_there(database, one) for one in (old, young, under_way)] == [False, True, True]
    async with database.read() as connection:
        assert list(await erasing.to_be_erased(connection)) == [old], "files and histories follow"


async def found(database: Database, before: datetime, limit: int = 10) -> list[str]:
    async with database.read() as connection:
        return list(await finished_before(connection, before, limit))


async def test_what_is_kept_under_way_or_gone_is_not_even_found(database: Database) -> None:
    """Portion after portion of what must stay would hide what may go."""
    younger = await finished(database, NOW - MONTH - SECOND)
    older = await finished(database, NOW - 2 * MONTH)
    await finished(database, NOW - MONTH)
    await age(database, (await running(database)).generation_id, NOW - 2 * MONTH)
    kept, gone = await finished(database, NOW - 2 * MONTH), await finished(database, NOW - 2 * MONTH)
    await keep(database, kept)
    async with database.write() as connection:
        await erasing.delete(connection, await catalog.load(connection, gone), NOW)
    await age(database, gone, NOW - 2 * MONTH)
    assert await found(database, NOW - MONTH) == [older, younger], "the oldest first"
    assert await found(database, NOW - MONTH, limit=1) == [older]


async def test_what_has_changed_since_it_was_found_is_judged_anew(database: Database) -> None:
    generation_id = await finished(database, NOW - 2 * MONTH)
    old = await shown(database, generation_id)
    assert has_had_its_time(old, NOW - MONTH)
    assert not has_had_its_time(old, old.updated_at), "nothing but what is older"
    assert not has_had_its_time(old.model_copy(update={"deleted_at": NOW}), NOW - MONTH), (
        "somebody was faster"
    )
    await keep(database, generation_id)
    assert not has_had_its_time(await shown(database, generation_id), NOW - MONTH), "kept"
    await keep(database, generation_id, kept=False)
    await regenerated(database, generation_id)
    await age(database, generation_id, NOW - 2 * MONTH)
    assert not has_had_its_time(await shown(database, generation_id), NOW - MONTH), "under way again"


async def test_who_keeps_a_take_in_the_moment_of_its_deletion_has_it(postgresql: Database) -> None:
    generation_id = await finished(postgresql, NOW - 2 * MONTH)

    async def waits() -> bool:
        async with postgresql.read() as connection:
            return bool((await connection.execute(WAITING)).scalar_one())

    async with postgresql.write(generation_id) as connection:
        sweep = asyncio.create_task(Retention(postgresql, MONTH).sweep(NOW))
        await eventually(waits, what="it was found, and its deletion waits for who is faster")
        await connection.execute(update(takes).values(kept=True))
    await sweep
    assert await is_there(postgresql, generation_id)


async def test_one_that_cannot_be_deleted_keeps_none_of_the_others(database: Database) -> None:
    broken, *sound = [
        await finished(database, NOW - 2 * MONTH - number * SECOND) for number in range(3, 0, -1)
    ]
    async with database.write() as connection:
        await connection.execute(update(takes).where(takes.c.generation_id == broken).values(request={}))
    with structlog.testing.capture_logs() as said:
        await Retention(database, MONTH, portion=2).sweep(NOW)
    assert [await is_there(database, one) for one in sound] == [False, False]
    assert await found(database, NOW - MONTH) == [broken]
    assert {one["generation"] for one in said if one["log_level"] == "warning"} == {broken}


async def test_without_a_time_nothing_is_deleted(database: Database) -> None:
    old = await finished(database, NOW - 100 * MONTH)
    picture = await an_image(database, "img_a", NOW - 100 * MONTH)
    await Retention(database, None).sweep(NOW)
    assert await is_there(database, old)
    assert await there_is(database, picture.id)


async def test_a_kept_take_keeps_its_generation(database: Database) -> None:
    job = await running(database)
    await completed(database, job)
    assert (await shown(database, job.generation_id)).status is Status.COMPLETED
    await keep(database, job.generation_id)
    await age(database, job.generation_id, NOW - 2 * MONTH)
    await Retention(database, MONTH).sweep(NOW)
    assert await is_there(database, job.generation_id)
    await keep(database, job.generation_id, kept=False)
    await Retention(database, MONTH).sweep(NOW)
    assert not await is_there(database, job.generation_id)


async def test_the_books_stay(database: Database) -> None:
    job = await running(database)
    await completed(database, job)
    await age(database, job.generation_id, NOW - 2 * MONTH)
    cost = (await shown(database, job.generation_id)).cost

    async def entries() -> int:
        async with database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(ledger))).scalar_one())

    before = await entries()
    await Retention(database, MONTH).sweep(NOW)
    after = await shown(database, job.generation_id)
    assert (after.deleted_at, after.cost) == (NOW, cost)
    assert (await entries(), before > 0) == (before, True)


async def test_more_than_a_portion_goes_in_one_sweep(database: Database) -> None:
    old = [await finished(database, NOW - 2 * MONTH) for _ in range(5)]
    pictures = [(await an_image(database, f"img_{name}", NOW - 2 * MONTH)).id for name in "abcde"]
    await Retention(database, MONTH, portion=2).sweep(NOW)
    assert [await is_there(database, one) for one in old] == [False] * 5
    assert [await there_is(database, one) for one in pictures] == [False] * 5


async def test_a_picture_goes_when_nothing_begins_with_it(database: Database) -> None:
    for name, at in (("img_a", NOW - 2 * MONTH), ("img_b", NOW - 2 * MONTH), ("img_c", NOW - DAY)):
        await an_image(database, name, at)
    user = await finished(database, NOW - DAY, params={"image_id": "img_b"})
    await Retention(database, MONTH).sweep(NOW)
    assert [await there_is(database, one) for one in ("img_a", "img_b", "img_c")] == [False, True, True]
    await age(database, user, NOW - 2 * MONTH)
    await Retention(database, MONTH).sweep(NOW)
    assert not await there_is(database, "img_b"), "with the generation that began with it"


async def test_a_picture_that_is_uploaded_again_counts_as_new(database: Database) -> None:
    image = await an_image(database, "img_a", NOW - 2 * MONTH)
    async with database.write() as connection:
        await images.renew(connection, image, NOW - DAY)
    async with database.write() as connection:
        assert not await remove_picture(connection, image, NOW - MONTH, NOW), "found before, renewed since"
    await Retention(database, MONTH).sweep(NOW)
    assert await there_is(database, image.id)


async def test_a_picture_that_is_deleted_or_ordered_with_since_it_was_found_is_left(
    database: Database,
) -> None:
    image = await an_image(database, "img_a", NOW - 2 * MONTH)
    async with database.read() as connection:
        assert await unused_before(connection, NOW - MONTH, 10) == [image]
        assert await unused_before(connection, NOW - 2 * MONTH, 10) == [], "nothing but what is older"
    await finished(database, NOW, params={"image_id": image.id})
    async with database.write() as connection:
        assert await unused_before(connection, NOW - MONTH, 10) == []
        assert not await remove_picture(connection, image, NOW - MONTH, NOW), "ordered with"
    assert await there_is(database, image.id)
    async with database.write() as connection:
        await connection.execute(update(takes).values(image_id=None))
        assert await remove_picture(connection, image, NOW - MONTH, NOW)
    async with database.write() as connection:
        assert await unused_before(connection, NOW - MONTH, 10) == []
        assert not await remove_picture(connection, image, NOW - MONTH, NOW), "deleted"
