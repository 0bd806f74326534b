"""Files that several takes share: there as long as anything uses them, gone with the last use."""

import asyncio

import pytest

from domain.generation import Video
from domain.messages import Job
from storage import catalog
from storage.database import Database
from storage.files import images, uses
from storage.files.assets import LocalAssets
from storage.files.uses import FileGone
from storage.takes import erasing
from tests.factories import NOW, a_video
from tests.storage.folders import visible
from tests.storage.steps import SOMEBODY, a_second, completed, running, shown


async def stored(assets: LocalAssets, film: bytes = b"a film", poster: bytes = b"a poster") -> Video:
    video = await assets.put_bytes(film, uses.VIDEO)
    picture = await assets.put_bytes(poster, uses.PICTURE)
    return a_video(sha256=video.sha256, poster_sha256=picture.sha256)


async def done(database: Database, assets: LocalAssets, video: Video) -> Job:
    job = await running(database)
    await completed(database, job, assets=assets, video=video)
    return job


async def erased(database: Database, assets: LocalAssets, generation_id: str) -> None:
    async with database.write(generation_id) as connection:
        generation = await catalog.load(connection, generation_id)
        if generation.deleted_at is None:
            await erasing.delete(connection, generation, NOW)
    async with database.write(generation_id) as connection:
        await erasing.erase_files(connection, assets, generation_id, NOW)


async def names(assets: LocalAssets) -> set[str]:
    found = await asyncio.to_thread(visible, assets)
    return {path.name for path in found}


def files_of(video: Video) -> set[str]:
    return {f"{video.sha256}.mp4", f"{video.poster_sha256}.jpg"}


async def test_a_shared_file_stays_until_its_last_use_ends(database: Database, assets: LocalAssets) -> None:
    video = await stored(assets)
    first, second = await done(database, assets, video), await done(database, assets, video)
    await erased(database, assets, first.generation_id)
    assert await names(assets) == files_of(video)
    await erased(database, assets, second.generation_id)
    assert await names(assets) == set()


async def test_a_shared_poster_outlives_the_video_beside_it(database: Database, assets: LocalAssets) -> None:
    one, other = await stored(assets, b"one"), await stored(assets, b"other")
    first, _ = await done(database, assets, one), await done(database, assets, other)
    await erased(database, assets, first.generation_id)
    assert await names(assets) == files_of(other)


async def test_a_poster_that_is_also_an_uploaded_picture_stays(
    database: Database, assets: LocalAssets
) -> None:
    video = await stored(assets)
    image = images.Image("img_1", video.poster_sha256, 8, 8, 8, "image/png", NOW)
    async with database.write() as connection:
        await images.add(connection, SOMEBODY.tenant_id, image)
    job = await done(database, assets, video)
    await erased(database, assets, job.generation_id)
    assert await names(assets) == {f"{video.poster_sha256}.jpg"}
    async with database.write() as connection:
        await images.remove(connection, image, NOW)
        await uses.erase_image(connection, assets, image)
    assert await names(assets) == set()


async def test_a_picture_whose_name_is_a_videos_does_not_keep_the_video(
    database: Database, assets: LocalAssets
) -> None:
    video = await stored(assets, b"the same", b"the same")
    job = await done(database, assets, video)
    async with database.write() as connection:
        image = images.Image("img_1", video.sha256, 8, 8, 8, "image/png", NOW)
        await images.add(connection, SOMEBODY.tenant_id, image)
    await erased(database, assets, job.generation_id)
    assert await names(assets) == {f"{video.sha256}.jpg"}


async def test_a_video_whose_file_is_gone_again_completes_nothing(
    database: Database, assets: LocalAssets
) -> None:
    video = await stored(assets)
    await assets.delete(video.sha256, uses.VIDEO)
    job = await running(database)
    before = await shown(database, job.generation_id)
    with pytest.raises(FileGone):
        await completed(database, job, assets=assets, video=video)
    assert await shown(database, job.generation_id) == before


async def test_a_video_that_comes_after_its_generation_was_erased_is_erased_as_well(
    database: Database, assets: LocalAssets
) -> None:
    video = await stored(assets)
    first = await done(database, assets, video)
    await erased(database, assets, first.generation_id)
    again = await stored(assets, b"another film")
    await completed(database, first, assets=assets, video=again)
    async with database.read() as connection:
        assert await erasing.to_be_erased(connection) == [first.generation_id]
    await erased(database, assets, first.generation_id)
    assert await names(assets) == set()
    async with database.read() as connection:
        assert await erasing.to_be_erased(connection) == []


async def test_a_file_is_never_removed_between_its_storing_and_the_row_that_says_so(
    database: Database, assets: LocalAssets
) -> None:
    async with a_second(database) as other:
        last = await done(database, assets, await stored(assets))
        for _ in range(12):
            jobs = [await running(database) for _ in range(3)]

            async def store(one: Database, job: Job) -> None:
                while True:
                    try:
                        await completed(one, job, assets=assets, video=await stored(assets))
                    except FileGone:
                        continue
                    return

            await asyncio.gather(
                store(database, jobs[0]),
                erased(other, assets, last.generation_id),
                store(other, jobs[1]),
                store(database, jobs[2]),
            )
            assert await names(assets) == files_of(await stored(assets))
            await asyncio.gather(
                erased(database, assets, jobs[0].generation_id),
                erased(other, assets, jobs[1].generation_id),
            )
            last = jobs[2]
        await erased(database, assets, last.generation_id)
        assert await names(assets) == set()
