"""The child that opens pictures keeps within its limits, and leaves nothing behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image

from domain.orders.pictures import PictureFault
from storage.files.confined import InspectionFailed
from storage.files.pictures import PictureLimits, fit, take_in
from tests.storage.children import children_of, confined_child_of, is_gone
from tests.storage.pictures import SRGB, corners, encoded, fault_of, noise, refused, written

_CHILD = "picture_child.py"
_MIB = 1024 * 1024

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def large_picture() -> bytes:
    """Takes a second or more to decode: for whoever must be interrupted."""
    return encoded(noise(6300, 6300), "JPEG", quality=60, subsampling=0, icc_profile=SRGB)


@pytest.fixture
def upload(tmp_path: Path, large_picture: bytes) -> Path:
    return written(tmp_path / "upload", large_picture)


@linux_only
async def test_more_memory_than_allowed_is_refused(tmp_path: Path) -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        content = encoded(Image.new("RGB", (6300, 6300)), kind)
        refusal = await refused(content, tmp_path, memory_bytes=300 * _MIB)
        assert refusal.code == PictureFault.TOO_LARGE
        assert "300 MiB of memory" in refusal.reason


@linux_only
@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"method": 0, "lossless": False})])
async def test_the_largest_picture_fits_into_the_memory_allowed(
    tmp_path: Path, kind: str, options: dict[str, object]
) -> None:
    picture = Image.new("RGBA", (8192, 4882), (10, 20, 30, 40))
    path = written(tmp_path / "upload", encoded(picture, kind, icc_profile=SRGB, **options))
    assert (await take_in(path, tmp_path / "target.jpg")).width == 8192


async def test_more_processor_time_than_allowed_is_refused(tmp_path: Path, large_picture: bytes) -> None:
    refusal = await refused(large_picture, tmp_path, cpu_seconds=1)
    assert refusal.code == PictureFault.TOO_LARGE
    assert "1 s of processor time" in refusal.reason


async def test_more_time_than_allowed_is_refused(tmp_path: Path, large_picture: bytes) -> None:
    assert await fault_of(large_picture, tmp_path, wall_seconds=0.2) == PictureFault.TOO_LARGE


@linux_only
async def test_a_killed_child_is_not_blamed_on_the_picture(tmp_path: Path, upload: Path) -> None:
    target = tmp_path / "target.jpg"
    taking = asyncio.create_task(take_in(upload, target))
    os.kill(await confined_child_of(os.getpid(), _CHILD), signal.SIGKILL)
    with pytest.raises(InspectionFailed, match="status -9"):
        await taking
    assert not target.exists()


@linux_only
async def test_a_decoder_that_crashes_is_blamed_on_the_picture(tmp_path: Path, large_picture: bytes) -> None:
    taking = asyncio.create_task(fault_of(large_picture, tmp_path))
    os.kill(await confined_child_of(os.getpid(), _CHILD), signal.SIGSEGV)
    assert await taking == PictureFault.DAMAGED


@linux_only
async def test_cancelling_ends_the_child_and_leaves_nothing(tmp_path: Path, upload: Path) -> None:
    target = tmp_path / "target.jpg"
    taking = asyncio.create_task(take_in(upload, target))
    child = await confined_child_of(os.getpid(), _CHILD)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert is_gone(child), "not even a zombie is left"
    assert [left.name for left in tmp_path.iterdir()] == ["upload"]


@linux_only
async def test_cancelling_a_fit_at_any_moment_leaves_no_child(upload: Path) -> None:
    for turns in range(0, 40, 2):
        fitting = asyncio.create_task(fit(upload, width=640, height=360))
        for _ in range(turns):
            await asyncio.sleep(0)
        fitting.cancel()
        await asyncio.gather(fitting, return_exceptions=True)
    assert children_of(os.getpid(), _CHILD) == []


async def test_many_at_once(tmp_path: Path) -> None:
    path = written(tmp_path / "upload", encoded(corners(), "WEBP"))
    targets = [tmp_path / f"{number}.jpg" for number in range(6)]
    taken = await asyncio.gather(*(take_in(path, target) for target in targets))
    assert len(set(taken)) == 1
    assert len({target.read_bytes() for target in targets}) == 1


def test_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="least_side"):
        PictureLimits(least_side=0)
