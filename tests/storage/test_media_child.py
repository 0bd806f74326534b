"""The inspecting child keeps within its limits, and never outlives whoever asked."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from storage.files.media import InspectionFailed, inspect_video
from tests.eventually import eventually_so
from tests.storage.inspection import exists, refusal
from tests.storage.videos import join_videos, make_video

_REPOSITORY = Path(__file__).parents[2]
_MIB = 1024 * 1024
_CHILD_NAME = b"media_child.py"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_INSPECTING = """
import asyncio, sys
from pathlib import Path
from storage.files.media import inspect_video
asyncio.run(inspect_video(Path(sys.argv[1]), Path(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes seconds to decode: for whoever must be interrupted."""
    folder = tmp_path_factory.mktemp("long")
    second = make_video(folder / "second.mp4", seconds=1, width=1280, height=720, fps=30)
    return join_videos([second] * 500, folder / "long.mp4")


@pytest.fixture
def poster(tmp_path: Path) -> Path:
    return tmp_path / "poster.jpg"


def children_of(parent: int) -> list[int]:
    """Process ids of the inspecting children of this process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent
            if ours and _CHILD_NAME in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def is_limited(pid: int) -> bool:
    """Whether the child has done all that it does before it opens the file."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
            if line.startswith("Max address space"):
                return "unlimited" not in line
    return False


async def child_of(parent: int) -> int:
    """Wait for the inspecting child to work under its limits."""
    await eventually_so(lambda: any(is_limited(pid) for pid in children_of(parent)))
    return children_of(parent)[0]


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@linux_only
async def test_more_memory_than_allowed_is_refused(tmp_path: Path, poster: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=0.2, width=4096, height=4096)
    assert "200 MiB of memory" in await refusal(path, poster, memory_bytes=200 * _MIB)
    assert (await inspect_video(path, poster)).width == 4096


async def test_more_processor_time_than_allowed_is_refused(long_video: Path, poster: Path) -> None:
    assert "1 s of processor time" in await refusal(long_video, poster, cpu_seconds=1)


async def test_more_time_than_allowed_is_refused(long_video: Path, poster: Path) -> None:
    assert "longer than 0.3 s" in await refusal(long_video, poster, wall_seconds=0.3)


@linux_only
async def test_a_child_that_hangs_is_killed(long_video: Path, poster: Path) -> None:
    inspecting = asyncio.create_task(refusal(long_video, poster, wall_seconds=1))
    child = await child_of(os.getpid())
    os.kill(child, signal.SIGSTOP)
    assert "longer than 1 s" in await inspecting
    assert is_gone(child)


@linux_only
async def test_a_killed_child_is_not_blamed_on_the_video(long_video: Path, poster: Path) -> None:
    inspecting = asyncio.create_task(inspect_video(long_video, poster))
    os.kill(await child_of(os.getpid()), signal.SIGKILL)
    with pytest.raises(InspectionFailed, match="status -9"):
        await inspecting


@linux_only
async def test_a_decoder_that_crashes_is_blamed_on_the_video(long_video: Path, poster: Path) -> None:
    inspecting = asyncio.create_task(refusal(long_video, poster))
    os.kill(await child_of(os.getpid()), signal.SIGSEGV)
    assert "SIGSEGV" in await inspecting


@linux_only
async def test_cancelling_ends_the_child(long_video: Path, poster: Path) -> None:
    inspecting = asyncio.create_task(inspect_video(long_video, poster))
    child = await child_of(os.getpid())
    inspecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await inspecting
    assert is_gone(child), "not even a zombie is left"
    assert not exists(poster)


@linux_only
async def test_cancelling_at_any_moment_leaves_no_child(long_video: Path, poster: Path) -> None:
    for turns in range(30):
        inspecting = asyncio.create_task(inspect_video(long_video, poster))
        for _ in range(turns):
            await asyncio.sleep(0)
        inspecting.cancel()
        await asyncio.gather(inspecting, return_exceptions=True)
    assert children_of(os.getpid()) == []


@linux_only
async def test_a_killed_parent_takes_the_child_along(long_video: Path, poster: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _INSPECTING, str(long_video), str(poster)), cwd=_REPOSITORY
    )
    child = await child_of(parent.pid)
    os.kill(child, signal.SIGSTOP)  # so that it cannot end by itself
    parent.kill()
    await parent.wait()
    await eventually_so(lambda: is_gone(child))


@linux_only
async def test_the_child_sees_no_keys_and_has_few_rights(
    long_video: Path, poster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNWAY_API_KEY", "key_secret")
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    inspecting = asyncio.create_task(inspect_video(long_video, poster))
    process = Path(f"/proc/{await child_of(os.getpid())}")
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    environment = (process / "environ").read_bytes()
    lines = (process / "limits").read_text().splitlines()
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines}
    inspecting.cancel()
    await asyncio.gather(inspecting, return_exceptions=True)
    assert b"key_secret" not in environment
    assert b"LC_ALL" in environment
    assert limits["Max address space"] == str(2 * 1024**3)
    assert limits["Max core file size"] == "0"
    assert limits["Max open files"] == "64"
    assert limits["Max cpu time"] == "240"
    assert limits["Max file size"] == str(4 * _MIB)


async def test_many_at_once(tmp_path: Path) -> None:
    path = make_video(tmp_path / "video.mp4", seconds=0.5)
    posters = [tmp_path / f"{number}.jpg" for number in range(6)]
    facts = await asyncio.gather(*(inspect_video(path, poster) for poster in posters))
    assert len(set(facts)) == 1
    assert all(poster.exists() for poster in posters)
