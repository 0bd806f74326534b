"""Real pictures for the tests, made with Pillow, and asking for one to be refused."""

import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from domain.orders.pictures import PictureFault
from storage.files.pictures import PictureLimits, UnusablePicture, take_in

Colour = tuple[int, int, int]

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 160, 40), (30, 50, 220), (230, 220, 40)
WHITE, GREY = (255, 255, 255), (128, 128, 128)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def corners(width: int = 320, height: int = 200) -> Image.Image:
    """Red, green, blue and yellow quarters: top left, top right, bottom left, bottom right."""
    small = Image.new("RGB", (2, 2))
    for place, colour in zip(((0, 0), (1, 0), (0, 1), (1, 1)), (RED, GREEN, BLUE, YELLOW), strict=True):
        small.putpixel(place, colour)
    return small.resize((width, height), Image.Resampling.NEAREST)


def noise(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Something that compresses badly, so that every byte of the file matters; the same at each call."""
    pixels = random.Random(width).randbytes(width * height * 3)  # noqa: S311 - nobody has to guess it
    return Image.frombytes("RGB", (width, height), pixels).convert(mode)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    output = io.BytesIO()
    picture.save(output, kind, **options)
    return output.getvalue()


def decoded(jpeg: bytes) -> Image.Image:
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
        picture.load()
        return picture


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def quarters(picture: Image.Image) -> list[Colour]:
    """The colours in the middle of each quarter, in the order of `corners`."""
    width, height = picture.size
    spots = [(x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [colour_at(picture, spot) for spot in spots]


def colour_at(picture: Image.Image, spot: tuple[int, int]) -> Colour:
    assert picture.mode == "RGB"
    x, y = spot
    red, green, blue = picture.crop((x, y, x + 1, y + 1)).tobytes()
    return red, green, blue


def alike(one: Colour, other: Colour, *, within: int = 6) -> bool:
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


def png_of(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, whatever they say, with right checksums."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def png_header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


def with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    """Put an application segment behind the start of a JPEG."""
    return jpeg[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """Let the header of a baseline JPEG claim another size."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


async def refused(content: bytes, folder: Path, **limits: float) -> UnusablePicture:
    """The refusal of a file with this content; nothing may be left of it but the file."""
    path, target = written(folder / "upload", content), written(folder / "target.jpg", b"of an earlier try")
    with pytest.raises(UnusablePicture) as refusal:
        await take_in(path, target, limits=PictureLimits.model_validate(limits))
    assert [left.name for left in folder.iterdir()] == ["upload"]
    assert refusal.value.reason.endswith(".")
    return refusal.value


async def fault_of(content: bytes, folder: Path, **limits: float) -> PictureFault:
    return (await refused(content, folder, **limits)).code
