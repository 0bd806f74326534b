"""What was kept long enough goes, what somebody wants to keep or still needs stays; on both databases."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from domain.people.callers import Scope
from domain.people.keys import Key, Pass, PassKind
from domain.status import Status
from runtime.housekeeping.retention import Retention
from storage.database import Database
from storage.files import images
from storage.files.images import Image
from storage.idempotency import KEEP
from storage.people import keys, passes
from storage.retention import KEYS_ARE_KEPT, remove_picture
from storage.tables import api_keys, generations, idempotency, ledger, takes
from storage.tables import passes as pass_rows
from storage.takes import erasing
from tests.factories import NOW, SECOND
from tests.storage.steps import SOMEBODY, closed, completed, created, running, shown

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
    async with database.write() as connection:
        await connection.execute(
            update(takes).where(takes.c.generation_id == job.generation_id).values(kept=True)
        )
    await age(database, job.generation_id, NOW - 2 * MONTH)
    await Retention(database, MONTH).sweep(NOW)
    assert await is_there(database, job.generation_id)
    async with database.write() as connection:
        await connection.execute(update(takes).values(kept=False))
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
    await Retention(database, MONTH, portion=2).sweep(NOW)
    assert [await is_there(database, one) for one in old] == [False] * 5


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


async def test_passes_and_replies_that_are_over_go_in_any_case(database: Database) -> None:
    for name, until in (("over", NOW - SECOND), ("good", NOW + DAY)):
        made = Pass(
            kind=PassKind.SESSION,
            key_id="k",
            tenant_id="t",
            user_id=None,
            scopes=frozenset(Scope),
            created_at=NOW - DAY,
            expires_at=until,
        )
        async with database.write() as connection:
            await passes.add(connection, name, made)
    for name, at in (("old", NOW - KEEP - SECOND), ("young", NOW - KEEP + SECOND)):
        values = {
            "scope": name,
            "body_sha256": "",
            "status": 202,
            "headers": {},
            "body": {},
            "created_at": at,
        }
        async with database.write() as connection:
            await connection.execute(insert(idempotency).values(**values))
    await Retention(database, None).sweep(NOW)
    async with database.read() as connection:
        assert (await connection.execute(select(pass_rows.c.token_hmac))).scalars().all() == ["good"]
        assert (await connection.execute(select(idempotency.c.scope))).scalars().all() == ["young"]


async def test_keys_go_long_after_their_end_but_never_the_last_one(database: Database) -> None:
    long_ago = NOW - KEYS_ARE_KEPT - SECOND

    async def make(name: str, made: datetime, **more: datetime) -> None:
        key = Key(
            id=name, tenant_id="t", user_id=None, name=name, scopes=frozenset(Scope), created_at=made, **more
        )
        async with database.write() as connection:
            await keys.add(connection, key, name)

    async def left() -> list[str]:
        async with database.read() as connection:
            return sorted((await connection.execute(select(api_keys.c.id))).scalars())

    await make("revoked", long_ago - 2 * DAY, revoked_at=long_ago)
    await make("expired", long_ago - 2 * DAY, expires_at=long_ago)
    await make("just-revoked", long_ago - 2 * DAY, revoked_at=NOW - DAY)
    await make("good", long_ago - 2 * DAY)
    await make("newest", long_ago - DAY, revoked_at=long_ago)
    await Retention(database, None).sweep(NOW)
    assert await left() == ["good", "just-revoked", "newest"]
    await Retention(database, None).sweep(NOW + 2 * KEYS_ARE_KEPT)
    assert await left() == ["good", "newest"]
    async with database.write() as connection:
        await keys.revoke(connection, "good", NOW)
    await Retention(database, None).sweep(NOW + 2 * KEYS_ARE_KEPT)
    assert await left() == ["newest"], "without any row the house would be open again"
