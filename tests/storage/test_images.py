"""Uploaded pictures: found by their tenant only, kept while a take needs them, and never half gone."""

import asyncio

import pytest

from domain.ids import new_generation_id
from domain.orders.plans import FirstFrame
from domain.orders.refusals import RequestRefused
from domain.status import Status
from storage.database import Database
from storage.files import images
from storage.files.images import Image, ImageInUse
from storage.takes import wishes
from tests.factories import NOW, a_plan, a_request
from tests.storage.steps import SOMEBODY, a_second, cancelled, closed, created, regenerated, shown

PICTURE = Image("img_1", "c" * 64, 640, 480, 1234, "image/png", NOW)
WITH_PICTURE = a_request(params={"image_id": PICTURE.id})


async def uploaded(database: Database, tenant_id: str = SOMEBODY.tenant_id) -> None:
    async with database.write() as connection:
        await images.add(connection, tenant_id, PICTURE)


async def found(database: Database, tenant_id: str = SOMEBODY.tenant_id) -> Image | None:
    async with database.read() as connection:
        return await images.find(connection, tenant_id, PICTURE.id)


async def removed(database: Database) -> None:
    async with database.write() as connection:
        await images.remove(connection, PICTURE, NOW)


async def ordered_with_picture(database: Database) -> str:
    """Order as the API does: the picture is looked up in the transaction that writes the order."""
    async with database.write() as connection:
        await images.first_frame(connection, SOMEBODY.tenant_id, WITH_PICTURE)
        generation_id = new_generation_id()
        await wishes.create(connection, generation_id, SOMEBODY, WITH_PICTURE, [a_plan()], NOW)
    return generation_id


async def test_a_picture_is_read_as_it_was_written_and_by_its_tenant_only(database: Database) -> None:
    await uploaded(database)
    assert await found(database) == PICTURE
    assert await found(database, "somebody else") is None


async def test_a_request_starts_from_the_picture_that_it_names(database: Database) -> None:
    await uploaded(database)
    async with database.write() as connection:
        frame = await images.first_frame(connection, SOMEBODY.tenant_id, WITH_PICTURE)
        assert frame == FirstFrame(image_id=PICTURE.id, sha256=PICTURE.sha256, width=640, height=480)
        assert await images.first_frame(connection, SOMEBODY.tenant_id, a_request()) is None


@pytest.mark.parametrize("whose", [None, "somebody else"])
async def test_a_picture_that_is_not_there_or_not_ones_own_is_refused_by_its_field(
    database: Database, whose: str | None
) -> None:
    if whose is not None:
        await uploaded(database, whose)
    async with database.write() as connection:
        with pytest.raises(RequestRefused) as refused:
            await images.first_frame(connection, SOMEBODY.tenant_id, WITH_PICTURE)
    (problem,) = refused.value.problems
    assert (problem.pointer, problem.code) == ("/params/image_id", "unknown_image")


async def test_a_picture_is_kept_as_long_as_a_take_that_is_not_over_needs_it(database: Database) -> None:
    await uploaded(database)
    generation_id = await created(database, params={"image_id": PICTURE.id})
    with pytest.raises(ImageInUse):
        await removed(database)
    await cancelled(database, generation_id)
    await removed(database)
    assert await found(database) is None


async def test_the_take_of_another_picture_does_not_hold_this_one(database: Database) -> None:
    await uploaded(database)
    generation_id = await created(database, params={"image_id": PICTURE.id})
    await closed(database, generation_id)
    await regenerated(database, generation_id)
    await removed(database)
    assert await found(database) is None


async def test_an_order_and_the_deletion_of_its_picture_at_once_leave_both_or_neither(
    database: Database,
) -> None:
    async with a_second(database) as other:
        for number in range(15):
            await uploaded(database)
            both = [ordered_with_picture(database), removed(other)]
            order, deletion = (0, 1) if number % 2 else (1, 0)
            results = await asyncio.gather(both[order], both[deletion], return_exceptions=True)
            ordering, removing = results[order], results[deletion]
            if isinstance(ordering, str):
                assert isinstance(removing, ImageInUse)
                assert await found(database) == PICTURE
                await cancelled(database, ordering)
                assert (await shown(database, ordering)).status is Status.CANCELLED
                await removed(database)
            else:
                assert isinstance(ordering, RequestRefused)
                assert removing is None
            assert await found(database) is None
