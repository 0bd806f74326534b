"""Killed or cancelled at any moment, the asset store shows whole files only and leaves no litter."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage.files.assets import LocalAssets
from tests.eventually import eventually_so
from tests.storage.folders import files_in, visible

_REPOSITORY = Path(__file__).parents[2]
_MIB = 1024 * 1024

_HALF_RECEIVED = """
import asyncio, sys
from pathlib import Path
from storage.files.assets import LocalAssets

async def main():
    async with LocalAssets(Path(sys.argv[1])).receive(suffix=".mp4") as incoming:
        await incoming.write(bytes(3 * 1024 * 1024))
        print("half way", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

_STORING_ON_AND_ON = """
import asyncio, os, sys
from pathlib import Path
from storage.files.assets import LocalAssets

async def main():
    assets = LocalAssets(Path(sys.argv[1]))
    while True:
        async with assets.receive(suffix=".mp4") as incoming:
            await incoming.write(os.urandom(1_500_000))
            await incoming.commit()
        print("stored", flush=True)

asyncio.run(main())
"""


@pytest.fixture
def assets(tmp_path: Path) -> LocalAssets:
    return LocalAssets(tmp_path / "assets")


async def test_content_whose_write_was_cancelled_cannot_be_committed(assets: LocalAssets) -> None:
    async with assets.receive(suffix=".mp4") as incoming:
        writing = asyncio.create_task(incoming.write(bytes(2 * _MIB)))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        with pytest.raises(RuntimeError, match="received again"):
            await incoming.commit()
    assert files_in(assets.root) == []


async def test_cancelling_at_any_moment_leaves_no_temporary_file(assets: LocalAssets) -> None:
    data = os.urandom(4 * _MIB)

    async def store() -> None:
        async with assets.receive(suffix=".mp4") as incoming:
            for start in range(0, len(data), _MIB):
                await incoming.write(data[start : start + _MIB])
            await incoming.commit()

    for turns in range(60):  # each turn of the loop is one more moment
        task = asyncio.create_task(store())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await eventually_so(lambda: [p for p in files_in(assets.root) if p.parent.name == "incoming"] == [])
    assert all(path.read_bytes() == data for path in visible(assets))


async def test_cancelled_twice_while_all_threads_are_busy_leaves_no_temporary_file(
    assets: LocalAssets,
) -> None:
    received, free = asyncio.Event(), threading.Event()

    async def receive() -> None:
        async with assets.receive(suffix=".mp4"):
            received.set()
            await asyncio.Event().wait()

    receiving = asyncio.create_task(receive())
    await received.wait()
    busy = [asyncio.create_task(asyncio.to_thread(free.wait)) for _ in range(40)]
    for _ in range(2):
        await asyncio.sleep(0)
        receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    free.set()
    await asyncio.gather(*busy)
    await eventually_so(lambda: files_in(assets.root) == [])


async def test_killed_half_way_leaves_only_what_sweep_removes(assets: LocalAssets) -> None:
    with start_process(_HALF_RECEIVED, assets.root) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "half way\n"
        process.send_signal(signal.SIGKILL)
    assert visible(assets) == []
    assert len(files_in(assets.root)) == 1
    assert await assets.sweep(older_than_seconds=60) == 0, "another process may still be writing it"
    assert len(files_in(assets.root)) == 1
    assert await assets.sweep(older_than_seconds=0) == 1
    assert files_in(assets.root) == []


async def test_killed_at_any_moment_every_visible_asset_is_whole(assets: LocalAssets) -> None:
    for rounds in range(1, 6):
        with start_process(_STORING_ON_AND_ON, assets.root) as process:
            assert process.stdout is not None
            for _ in range(rounds):
                assert await asyncio.to_thread(process.stdout.readline) == "stored\n"
            process.send_signal(signal.SIGKILL)
    assert len(visible(assets)) >= 15
    for path in visible(assets):
        assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()


def start_process(program: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(root)], cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True
    )
