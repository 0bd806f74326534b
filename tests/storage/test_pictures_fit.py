"""A picture is fitted to exactly the size of the video, and the same each time."""

from pathlib import Path

import pytest
from PIL import Image

from domain.orders.pictures import PictureFault
from storage.files.pictures import PictureLimits, UnusablePicture, fit
from tests.storage.pictures import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    Colour,
    alike,
    claiming,
    colour_at,
    corners,
    decoded,
    encoded,
    noise,
    quarters,
    written,
)


async def fitted(path: Path, width: int, height: int) -> Image.Image:
    jpeg = await fit(path, width=width, height=height)
    assert [left.name for left in path.parent.iterdir()] == [path.name]
    return decoded(jpeg)


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (960, 960), (1584, 672), (160, 100), (320, 200)])
async def test_the_result_has_exactly_the_size_and_is_not_moved(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    picture = await fitted(written(tmp_path / "picture.jpg", encoded(corners(), "JPEG")), *size)
    assert picture.size == size
    assert picture.mode == "RGB"
    for seen, wanted in zip(quarters(picture), (RED, GREEN, BLUE, YELLOW), strict=True):
        assert alike(seen, wanted)


def _framed(cut_width: int, cut_height: int) -> Image.Image:
    """Green, with a red frame just as wide as what must be cut from it."""
    picture = Image.new("RGB", (400 + 2 * cut_width, 400 + 2 * cut_height), RED)
    picture.paste(GREEN, (cut_width, cut_height, cut_width + 400, cut_height + 400))
    return picture


@pytest.mark.parametrize(("cut_width", "cut_height"), [(48, 0), (0, 48)])
async def test_what_is_cut_is_cut_on_both_sides_alike(
    tmp_path: Path, cut_width: int, cut_height: int
) -> None:
    path = written(tmp_path / "picture.png", encoded(_framed(cut_width, cut_height), "PNG"))
    picture = await fitted(path, 200, 200)
    edges: list[Colour] = [colour_at(picture, spot) for spot in ((2, 100), (197, 100), (100, 2), (100, 197))]
    assert all(alike(edge, GREEN) for edge in edges)


async def test_nothing_is_cut_where_the_ratios_agree(tmp_path: Path) -> None:
    picture = corners(640, 400)
    picture.paste((0, 0, 0), (0, 0, 640, 4))
    result = await fitted(written(tmp_path / "picture.png", encoded(picture, "PNG")), 320, 200)
    assert alike(colour_at(result, (160, 0)), (0, 0, 0), within=20)


async def test_fine_stripes_become_even_grey(tmp_path: Path) -> None:
    """A poor filter would show some of the stripes and lose others."""
    stripes = Image.new("1", (1600, 1600))
    for x in range(0, 1600, 2):
        stripes.paste(1, (x, 0, x + 1, 1600))
    result = await fitted(written(tmp_path / "picture.png", encoded(stripes, "PNG")), 190, 190)
    for spot in ((50, 50), (95, 95), (140, 50)):
        assert alike(colour_at(result, spot), (127, 127, 127))


async def test_a_picture_on_its_side_is_measured_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = written(tmp_path / "picture.jpg", encoded(corners(400, 200), "JPEG", exif=exif))
    picture = await fitted(path, 200, 400)
    for seen, wanted in zip(quarters(picture), (BLUE, RED, YELLOW, GREEN), strict=True):
        assert alike(seen, wanted)


async def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    path = written(tmp_path / "picture.jpg", encoded(noise(), "JPEG"))
    first = await fit(path, width=640, height=360)
    assert await fit(path, width=640, height=360) == first
    assert await fit(path, width=640, height=352) != first


async def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    content = encoded(noise(), "JPEG")
    for broken in (content[: len(content) // 2], claiming(content, 320, 400)):
        with pytest.raises(UnusablePicture) as refusal:
            await fit(written(tmp_path / "picture.jpg", broken), width=640, height=360)
        assert refusal.value.code == PictureFault.DAMAGED


async def test_a_result_of_too_many_bytes_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "picture.jpg", encoded(noise(), "JPEG"))
    with pytest.raises(UnusablePicture, match="larger than") as refusal:
        await fit(path, width=2000, height=2000, limits=PictureLimits(result_bytes=200_000))
    assert refusal.value.code == PictureFault.TOO_LARGE


async def test_a_large_result_arrives_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "picture.jpg", encoded(noise(2000, 2000), "JPEG"))
    picture = await fitted(path, 3000, 3000)
    assert picture.size == (3000, 3000)


@pytest.mark.parametrize("size", [(0, 100), (100, -1), (8193, 100)])
async def test_an_impossible_size_is_our_own_mistake(tmp_path: Path, size: tuple[int, int]) -> None:
    path = written(tmp_path / "picture.jpg", encoded(corners(), "JPEG"))
    with pytest.raises(ValueError, match="no size for a picture"):
        await fit(path, width=size[0], height=size[1])


async def test_a_missing_file_is_not_blamed_on_the_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await fit(tmp_path / "missing", width=640, height=360)
