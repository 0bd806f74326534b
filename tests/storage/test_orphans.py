"""Files that belong to nobody are removed after an hour; what is used, or is about to be, is never lost."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from storage.database import Database
from storage.files import images, orphans, uses
from storage.files.asset_store import Asset
from storage.files.assets import LocalAssets
from storage.files.uses import FileGone
from tests.factories import NOW, a_video
from tests.storage.folders import visible
from tests.storage.steps import SOMEBODY, a_second, completed, running, shown


async def names(assets: LocalAssets) -> set[str]:
    found = await asyncio.to_thread(visible, assets)
    return {path.name for path in found}


def aged(assets: LocalAssets, *stored: Asset, seconds: float = orphans.OLD_SECONDS + 60) -> None:
    for one in stored:
        then = time.time() - seconds
        os.utime(assets.path_of(one.sha256, one.suffix), (then, then))


async def test_a_file_that_nothing_uses_is_removed_when_it_is_old(
    database: Database, assets: LocalAssets
) -> None:
    old = [await assets.put_bytes(b"a film", uses.VIDEO), await assets.put_bytes(b"a poster", uses.PICTURE)]
    young = await assets.put_bytes(b"another film", uses.VIDEO)
    aged(assets, *old)
    aged(assets, young, seconds=orphans.OLD_SECONDS - 60)
    assert await orphans.remove(database, assets) == 2
    assert await names(assets) == {f"{young.sha256}.mp4"}
    assert await orphans.remove(database, assets) == 0


async def test_what_a_take_or_a_picture_uses_stays(database: Database, assets: LocalAssets) -> None:
    film = await assets.put_bytes(b"a film", uses.VIDEO)
    poster = await assets.put_bytes(b"a poster", uses.PICTURE)
    uploaded = await assets.put_bytes(b"an upload", uses.PICTURE)
    video = a_video(sha256=film.sha256, poster_sha256=poster.sha256)
    await completed(database, await running(database), assets=assets, video=video)
    async with database.write() as connection:
        image = images.Image("img_1", uploaded.sha256, 8, 8, 8, "image/png", NOW)
        await images.add(connection, SOMEBODY.tenant_id, image)
    aged(assets, film, poster, uploaded)
    assert await orphans.remove(database, assets) == 0
    assert len(await names(assets)) == 3


async def test_a_video_is_not_kept_by_a_picture_of_the_same_name(
    database: Database, assets: LocalAssets
) -> None:
    film = await assets.put_bytes(b"the same", uses.VIDEO)
    picture = await assets.put_bytes(b"the same", uses.PICTURE)
    async with database.write() as connection:
        image = images.Image("img_1", picture.sha256, 8, 8, 8, "image/png", NOW)
        await images.add(connection, SOMEBODY.tenant_id, image)
    aged(assets, film, picture)
    assert await orphans.remove(database, assets) == 1
    assert await names(assets) == {f"{picture.sha256}.jpg"}


async def test_storing_a_file_again_makes_it_young(database: Database, assets: LocalAssets) -> None:
    film = await assets.put_bytes(b"a film", uses.VIDEO)
    aged(assets, film)
    await assets.put_bytes(b"a film", uses.VIDEO)
    assert await orphans.remove(database, assets) == 0


async def test_strangers_and_half_received_files_are_left_alone(
    database: Database, assets: LocalAssets
) -> None:
    film = await assets.put_bytes(b"a film", uses.VIDEO)
    stranger = assets.path_of(film.sha256, film.suffix).with_name("notes.txt")
    await asyncio.to_thread(stranger.write_text, "not ours")
    await assets.delete(film.sha256, film.suffix)
    then = time.time() - 2 * orphans.OLD_SECONDS
    os.utime(stranger, (then, then))
    async with assets.receive(suffix=uses.VIDEO) as incoming:
        await incoming.write(b"half")
        assert await orphans.remove(database, assets, 0) == 0
        assert stranger.exists()


async def test_a_store_without_a_folder_has_nothing_to_remove(database: Database, tmp_path: Path) -> None:
    assert await orphans.remove(database, LocalAssets(tmp_path / "nowhere")) == 0


async def test_a_file_that_is_stored_while_it_is_removed_is_stored_once_more(
    database: Database, assets: LocalAssets
) -> None:
    """The age is no protection here: everything is old at once, so only the holding of names is."""
    async with a_second(database) as other:
        for number in range(12):
            job = await running(database)

            async def store(number: int = number, job: object = job) -> None:
                while True:
                    film = await assets.put_bytes(b"film %d" % (number % 2), uses.VIDEO)
                    poster = await assets.put_bytes(b"poster", uses.PICTURE)
                    video = a_video(sha256=film.sha256, poster_sha256=poster.sha256)
                    try:
                        await completed(database, job, assets=assets, video=video)  # type: ignore[arg-type]  # of many kinds
                    except FileGone:
                        continue
                    return

            await asyncio.gather(
                store(), orphans.remove(other, assets, -60), orphans.remove(other, assets, -60)
            )
            video = (await shown(database, job.generation_id)).current.video
            assert video is not None
            assert await assets.exists(video.sha256, uses.VIDEO)
            assert await assets.exists(video.poster_sha256, uses.PICTURE)


async def test_a_row_that_comes_after_the_first_look_still_keeps_its_file(
    database: Database, assets: LocalAssets, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = await assets.put_bytes(b"a film", uses.VIDEO)
    poster = await assets.put_bytes(b"a poster", uses.PICTURE)
    aged(assets, film, poster)
    job = await running(database)
    looks = orphans._unused  # noqa: SLF001 - the moment between its look and the removal is what this is about

    async def look_then_somebody_stores(*given: object) -> object:
        found = await looks(*given)  # type: ignore[arg-type]  # of many kinds
        video = a_video(sha256=film.sha256, poster_sha256=poster.sha256)
        await completed(database, job, assets=assets, video=video)
        return found

    monkeypatch.setattr(orphans, "_unused", look_then_somebody_stores)
    assert await orphans.remove(database, assets) == 0
    assert len(await names(assets)) == 2
