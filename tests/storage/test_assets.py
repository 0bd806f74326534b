"""The asset store keeps whole files under their SHA-256, whatever is killed or cancelled in between."""

import asyncio
import hashlib
import os
import time
from pathlib import Path

import pytest

from storage.files.asset_store import Asset, AssetStore, AssetTooLarge
from storage.files.assets import LocalAssets
from tests.storage.folders import files_in, visible

_MIB = 1024 * 1024


@pytest.fixture
def assets(tmp_path: Path) -> LocalAssets:
    return LocalAssets(tmp_path / "assets")


async def test_a_stream_becomes_an_asset_named_by_its_content(assets: LocalAssets) -> None:
    data = os.urandom(3 * _MIB + 17)
    async with assets.receive(suffix=".mp4") as incoming:
        for start in range(0, len(data), 100_000):
            await incoming.write(data[start : start + 100_000])
        assert visible(assets) == []
        asset = await incoming.commit()
    assert asset == Asset(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), suffix=".mp4")
    path = assets.path_of(asset.sha256, ".mp4")
    assert path.read_bytes() == data
    assert path.relative_to(assets.root).parts == (
        asset.sha256[:2],
        asset.sha256[2:4],
        f"{asset.sha256}.mp4",
    )
    assert files_in(assets.root) == [path]


async def test_the_content_can_be_examined_before_it_is_committed(assets: LocalAssets) -> None:
    async with assets.receive(suffix=".mp4") as incoming:
        await incoming.write(b"begin")
        assert (await incoming.local_copy()).read_bytes() == b"begin"
        await incoming.write(b", end")
        local = await incoming.local_copy()
        assert local.read_bytes() == b"begin, end"
        assert local.suffix == ".mp4"
        asset = await incoming.commit()
    assert assets.path_of(asset.sha256, ".mp4").read_bytes() == b"begin, end"


async def test_leaving_without_commit_leaves_nothing(assets: LocalAssets) -> None:
    async with assets.receive(suffix=".mp4") as incoming:
        await incoming.write(bytes(2 * _MIB))
    assert files_in(assets.root) == []


async def test_an_error_while_receiving_leaves_nothing(assets: LocalAssets) -> None:
    async def receive_and_lose_the_connection() -> None:
        async with assets.receive(suffix=".mp4") as incoming:
            await incoming.write(bytes(2 * _MIB))
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await receive_and_lose_the_connection()
    assert files_in(assets.root) == []


async def test_too_much_is_refused_and_leaves_nothing(assets: LocalAssets) -> None:
    async def receive_too_much() -> None:
        async with assets.receive(suffix=".mp4", limit_bytes=1000) as incoming:
            await incoming.write(bytes(1000))
            await incoming.write(b"!")

    with pytest.raises(AssetTooLarge, match="1000 bytes"):
        await receive_too_much()
    assert files_in(assets.root) == []


async def test_exactly_the_limit_is_accepted(assets: LocalAssets) -> None:
    async with assets.receive(suffix=".mp4", limit_bytes=1000) as incoming:
        await incoming.write(bytes(1000))
        assert (await incoming.commit()).size_bytes == 1000


async def test_content_that_missed_a_piece_cannot_be_committed(assets: LocalAssets) -> None:
    async with assets.receive(suffix=".mp4", limit_bytes=10) as incoming:
        with pytest.raises(AssetTooLarge):
            await incoming.write(bytes(11))
        with pytest.raises(RuntimeError, match="received again"):
            await incoming.commit()
    assert files_in(assets.root) == []


async def test_a_second_commit_is_refused(assets: LocalAssets) -> None:
    async with assets.receive(suffix=".mp4") as incoming:
        await incoming.write(b"once")
        await incoming.commit()
        with pytest.raises(RuntimeError, match="already committed"):
            await incoming.commit()
    assert len(visible(assets)) == 1


async def test_the_same_content_twice_is_one_asset(assets: LocalAssets) -> None:
    first = await assets.put_bytes(b"poster", ".jpg")
    assert await assets.put_bytes(b"poster", ".jpg") == first
    assert len(files_in(assets.root)) == 1


async def test_content_damaged_on_the_disk_is_replaced_when_it_comes_again(assets: LocalAssets) -> None:
    asset = await assets.put_bytes(b"poster", ".jpg")
    assets.path_of(asset.sha256, ".jpg").write_bytes(b"post")
    await assets.put_bytes(b"poster", ".jpg")
    assert assets.path_of(asset.sha256, ".jpg").read_bytes() == b"poster"


async def test_the_same_content_at_the_same_time_is_one_asset(assets: LocalAssets) -> None:
    data = os.urandom(2 * _MIB)
    together = asyncio.Barrier(8)

    async def store() -> Asset:
        async with assets.receive(suffix=".mp4") as incoming:
            await incoming.write(data)
            await together.wait()
            return await incoming.commit()

    stored = await asyncio.gather(*(store() for _ in range(8)))
    assert len(set(stored)) == 1
    assert [path.read_bytes() for path in files_in(assets.root)] == [data]


async def test_the_event_loop_is_free_while_the_disk_is_busy(assets: LocalAssets) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    async with assets.receive(suffix=".mp4") as incoming:
        await incoming.write(bytes(64 * _MIB))
        during_write = ticks
        await incoming.commit()
    ticking.cancel()
    assert during_write > 50


async def test_sweep_spares_what_is_young_and_what_is_stored(assets: LocalAssets) -> None:
    asset = await assets.put_bytes(b"stored", ".jpg")
    hour_ago = time.time() - 3600
    os.utime(assets.path_of(asset.sha256, ".jpg"), (hour_ago, hour_ago))
    async with assets.receive(suffix=".mp4") as old, assets.receive(suffix=".mp4") as young:
        os.utime(await old.local_copy(), (hour_ago, hour_ago))
        await young.local_copy()
        assert await assets.sweep(older_than_seconds=600) == 1
        await young.commit()
    assert await assets.exists(asset.sha256, ".jpg")


async def test_sweeping_a_store_that_was_never_used_is_fine(assets: LocalAssets) -> None:
    assert await assets.sweep(older_than_seconds=0) == 0


async def test_an_asset_can_be_measured_read_in_parts_and_deleted(assets: LocalAssets) -> None:
    data = os.urandom(600_000)
    asset = await assets.put_bytes(data, ".mp4")

    async def read(start: int = 0, length: int | None = None) -> bytes:
        return b"".join([c async for c in assets.open(asset.sha256, ".mp4", start=start, length=length)])

    assert await assets.size(asset.sha256, ".mp4") == 600_000
    assert await read() == data
    assert await read(start=500_000) == data[500_000:]
    assert await read(start=10, length=300_000) == data[10:300_010]
    assert await read(start=599_999, length=50) == data[-1:]
    assert await assets.delete(asset.sha256, ".mp4")
    assert not await assets.delete(asset.sha256, ".mp4")
    assert not await assets.exists(asset.sha256, ".mp4")
    with pytest.raises(FileNotFoundError):
        await assets.size(asset.sha256, ".mp4")
    with pytest.raises(FileNotFoundError):
        await read()


@pytest.mark.parametrize(
    "sha256",
    [
        "",
        "ab" * 31,
        "AB" * 32,
        "../" * 21 + "a",
        "/" + "a" * 63,
        "a" * 64 + "\n",
        "a" * 64 + "/../x",
        "g" * 64,
    ],
)
async def test_an_address_that_is_no_sha256_is_refused(assets: LocalAssets, sha256: str) -> None:
    with pytest.raises(ValueError, match="64 lower-case hex"):
        assets.path_of(sha256, ".mp4")
    with pytest.raises(ValueError, match="64 lower-case hex"):
        await assets.delete(sha256, ".mp4")


@pytest.mark.parametrize("suffix", ["", "mp4", ".", "/../x", ".mp4/..", ".MP4", ".mp4\n", ".tar.gz"])
async def test_a_suffix_that_is_none_is_refused(assets: LocalAssets, suffix: str) -> None:
    with pytest.raises(ValueError, match="file suffix"):
        assets.path_of("ab" * 32, suffix)
    with pytest.raises(ValueError, match="file suffix"):
        await assets.put_bytes(b"x", suffix)


def test_the_local_folder_is_an_asset_store(assets: LocalAssets) -> None:
    store: AssetStore = assets
    assert store is assets
