"""What is taken in comes out as a plain JPEG that looks the same and says nothing else."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from storage.files.confined import InspectionFailed
from storage.files.pictures import Picture, take_in
from tests.storage.pictures import (
    BLUE,
    GREEN,
    GREY,
    RED,
    SRGB,
    WHITE,
    YELLOW,
    Colour,
    alike,
    colour_at,
    corners,
    decoded,
    encoded,
    noise,
    quarters,
    with_segment,
    written,
)

_SECRET = b"secret-place"
_GPS = 0x8825
_ORIENTATION = 0x0112


async def taken_in(content: bytes, folder: Path) -> bytes:
    target = folder / "target.jpg"
    picture = await take_in(written(folder / "upload", content), target)
    jpeg = target.read_bytes()
    assert decoded(jpeg).size == (picture.width, picture.height)
    assert sorted(left.name for left in folder.iterdir()) == ["target.jpg", "upload"]
    return jpeg


async def looks(content: bytes, folder: Path) -> list[Colour]:
    return quarters(decoded(await taken_in(content, folder)))


def all_alike(seen: list[Colour], wanted: list[Colour], *, within: int = 6) -> bool:
    return all(alike(one, other, within=within) for one, other in zip(seen, wanted, strict=True))


@pytest.mark.parametrize(
    ("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
async def test_a_picture_is_measured_and_becomes_a_jpeg(tmp_path: Path, kind: str, media_type: str) -> None:
    path, target = written(tmp_path / "name.gif", encoded(corners(), kind)), tmp_path / "target.jpg"
    picture = await take_in(path, target)
    assert picture == Picture.model_validate(
        {"width": 320, "height": 200, "source_type": media_type, "size_bytes": target.stat().st_size}
    )
    result = decoded(target.read_bytes())
    assert result.mode == "RGB"
    assert all_alike(quarters(result), [RED, GREEN, BLUE, YELLOW])


async def test_colours_are_stored_as_finely_as_brightness(tmp_path: Path) -> None:
    with Image.open(io.BytesIO(await taken_in(encoded(corners(), "PNG"), tmp_path))) as jpeg:
        assert [layer[1:3] for layer in getattr(jpeg, "layer", [])] == [(1, 1)] * 3


async def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    content = encoded(noise(), "PNG")
    assert await taken_in(content, tmp_path) == await taken_in(content, tmp_path)


def _transparent(mode: str) -> Image.Image:
    """Opaque at the left, transparent at the right."""
    picture = corners().convert(mode)
    picture.putalpha(Image.new("L", (160, 200), 255).crop((0, 0, 320, 200)))
    return picture


def _sixteen_bit() -> Image.Image:
    return Image.new("I;16", (320, 200), 128 * 257)


_COLOURS = [RED, GREEN, BLUE, YELLOW]
_GREYS = [(grey, grey, grey) for grey in (corners(2, 2).convert("L").tobytes())]


@pytest.mark.parametrize(
    ("kind", "make", "wanted"),
    [
        ("PNG", lambda: corners().convert("P", palette=Image.Palette.ADAPTIVE), _COLOURS),
        ("PNG", lambda: corners().convert("L"), _GREYS),
        ("PNG", lambda: _transparent("RGB"), [RED, WHITE, BLUE, WHITE]),
        ("PNG", lambda: _transparent("L"), [_GREYS[0], WHITE, _GREYS[2], WHITE]),
        ("PNG", lambda: _transparent("RGB").quantize(8), [RED, WHITE, BLUE, WHITE]),
        ("PNG", _sixteen_bit, [GREY] * 4),
        ("PNG", lambda: Image.new("1", (320, 200), 1), [WHITE] * 4),
        ("WEBP", lambda: _transparent("RGB"), [RED, WHITE, BLUE, WHITE]),
        ("JPEG", lambda: corners().convert("L"), _GREYS),
        ("JPEG", lambda: corners().convert("CMYK"), _COLOURS),
    ],
    ids=["P", "L", "RGBA", "LA", "P with alpha", "I;16", "1", "WebP RGBA", "JPEG L", "JPEG CMYK"],
)
async def test_every_kind_of_pixel_becomes_rgb_on_white(
    tmp_path: Path, kind: str, make: Callable[[], Image.Image], wanted: list[Colour]
) -> None:
    assert all_alike(await looks(encoded(make(), kind), tmp_path), wanted)


async def test_half_transparent_is_half_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (200, 200), (0, 0, 0, 128))
    assert all_alike(await looks(encoded(picture, "PNG"), tmp_path), [(127, 127, 127)] * 4)


@pytest.mark.parametrize(
    ("mode", "transparent", "wanted"),
    [("L", 100, WHITE), ("RGB", (9, 8, 7), WHITE), ("RGB", (1, 1, 1), (9, 8, 7))],
)
async def test_a_colour_that_means_transparent_is_white(
    tmp_path: Path, mode: str, transparent: object, wanted: Colour
) -> None:
    picture = Image.new(mode, (200, 200), 100 if mode == "L" else (9, 8, 7))
    content = encoded(picture, "PNG", transparency=transparent)
    assert all_alike(await looks(content, tmp_path), [wanted] * 4)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        (1, [RED, GREEN, BLUE, YELLOW]),
        (2, [GREEN, RED, YELLOW, BLUE]),
        (3, [YELLOW, BLUE, GREEN, RED]),
        (4, [BLUE, YELLOW, RED, GREEN]),
        (5, [RED, BLUE, GREEN, YELLOW]),
        (6, [BLUE, RED, YELLOW, GREEN]),
        (7, [YELLOW, GREEN, BLUE, RED]),
        (8, [GREEN, YELLOW, RED, BLUE]),
        (9, [RED, GREEN, BLUE, YELLOW]),
    ],
)
async def test_the_picture_stands_upright(
    tmp_path: Path, kind: str, orientation: int, wanted: list[Colour]
) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    result = decoded(await taken_in(encoded(corners(), kind, exif=exif), tmp_path))
    assert result.size == ((200, 320) if orientation in {5, 6, 7, 8} else (320, 200))
    assert all_alike(quarters(result), wanted)


async def test_broken_exif_is_no_reason_to_refuse(tmp_path: Path) -> None:
    for exif in (b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"):
        content = with_segment(encoded(corners(), "JPEG"), 0xE1, exif)
        assert all_alike(await looks(content, tmp_path), _COLOURS)


def _full_of_secrets(kind: str, profile: bytes | None) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = _SECRET.decode()  # ImageDescription
    exif[_GPS] = {1: "N", 2: (52.0, 31.0, 12.0), 29: _SECRET.decode()}
    text = PngInfo()
    text.add_text("Comment", _SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", _SECRET.decode())
    own: dict[str, dict[str, object]] = {
        "JPEG": {"comment": _SECRET, "xmp": _SECRET},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": _SECRET},
    }
    return encoded(corners(), kind, exif=exif, icc_profile=profile, **own[kind]) + _SECRET


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("profile", [SRGB, None], ids=["profile", "no profile"])
async def test_nothing_of_the_metadata_is_left(tmp_path: Path, kind: str, profile: bytes | None) -> None:
    content = _full_of_secrets(kind, profile)
    assert content.count(_SECRET) > 2
    jpeg = await taken_in(content, tmp_path)
    assert _SECRET not in jpeg
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


async def test_a_second_picture_behind_the_first_is_dropped(tmp_path: Path) -> None:
    hidden = encoded(noise(), "JPEG")
    first = with_segment(encoded(corners(), "JPEG"), 0xE2, b"MPF\0" + bytes(40))
    jpeg = await taken_in(first + hidden, tmp_path)
    assert all_alike(quarters(decoded(jpeg)), _COLOURS)
    assert jpeg.count(b"\xff\xd8") == 1


def _with_red_and_green_exchanged() -> bytes:
    """An sRGB profile whose red is green: whoever honours it sees the colours exchanged."""
    profile = bytearray(SRGB)
    for at in range(132, 132 + 12 * int.from_bytes(SRGB[128:132], "big"), 12):
        exchanged = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(bytes(profile[at : at + 4]))
        if exchanged:
            profile[at : at + 4] = exchanged
    return bytes(profile)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_colours_are_converted_by_their_profile(tmp_path: Path, kind: str) -> None:
    picture = Image.new("RGB", (200, 200), (200, 100, 50))
    content = encoded(picture, kind, icc_profile=_with_red_and_green_exchanged())
    assert all_alike(await looks(content, tmp_path), [(100, 200, 50)] * 4, within=8)


async def test_a_profile_of_other_colours_counts_for_nothing(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (lab, b"garbage", SRGB[:200]):
        assert all_alike(await looks(encoded(corners(), "PNG", icc_profile=profile), tmp_path), _COLOURS)


async def test_grey_pixels_with_a_colour_profile_are_grey(tmp_path: Path) -> None:
    content = encoded(corners().convert("L"), "JPEG", icc_profile=SRGB)
    assert all_alike(await looks(content, tmp_path), _GREYS)


async def test_it_works_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "upload", encoded(corners(), "PNG"))
    for name in ("PIL.py", "av.py", "storage.py", "base64.py"):
        written(tmp_path / name, b"raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    picture = await take_in(Path("upload"), Path("target.jpg"))
    assert (picture.width, picture.height) == (320, 200)


async def test_a_missing_file_is_not_blamed_on_the_picture(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await take_in(tmp_path / "missing", tmp_path / "target.jpg")


async def test_a_target_that_cannot_be_written_is_not_blamed_on_the_picture(tmp_path: Path) -> None:
    path = written(tmp_path / "upload", encoded(corners(), "PNG"))
    with pytest.raises(InspectionFailed, match="FileNotFoundError"):
        await take_in(path, tmp_path / "missing" / "target.jpg")


async def test_the_smallest_and_the_longest_are_taken(tmp_path: Path) -> None:
    for size in ((128, 128), (8192, 128)):
        jpeg = await taken_in(encoded(Image.new("RGB", size), "PNG"), tmp_path)
        assert decoded(jpeg).size == size
        assert alike(colour_at(decoded(jpeg), (1, 1)), (0, 0, 0))
