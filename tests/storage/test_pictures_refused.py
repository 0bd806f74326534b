"""What is no whole, still JPEG, PNG or WebP of a sensible size is refused, and the reason named."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from domain.orders.pictures import PictureFault
from tests.storage.pictures import (
    claiming,
    corners,
    encoded,
    fault_of,
    noise,
    png_header,
    png_of,
    refused,
)

_IDAT = (b"IDAT", zlib.compress(bytes(10)))
_END = (b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "HTML"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (encoded(corners(), "GIF"), "GIF"),
        (encoded(corners(), "BMP"), "no picture"),
        (encoded(corners(), "TIFF"), "no picture"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (bytes(range(256)) * 400, "no picture"),
        (b" " + encoded(corners(), "PNG"), "no picture"),
        (b"<html>" + encoded(corners(), "JPEG"), "HTML"),
    ],
    ids=["empty", "html", "svg", "gif", "bmp", "tiff", "heic", "garbage", "late png", "polyglot"],
)
async def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    refusal = await refused(content, tmp_path)
    assert refusal.code == PictureFault.NOT_A_PICTURE
    assert reason in refusal.reason


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_an_animation_is_refused(tmp_path: Path, kind: str) -> None:
    content = encoded(corners(), kind, save_all=True, append_images=[noise()], duration=100)
    refusal = await refused(content, tmp_path)
    assert refusal.code == PictureFault.NOT_A_PICTURE
    assert "animation" in refusal.reason


@pytest.mark.parametrize(
    ("size", "reason", "code"),
    [
        ((127, 500), "127x500 pixels; each side needs 128", PictureFault.TOO_SMALL),
        ((500, 127), "500x127 pixels; each side needs 128", PictureFault.TOO_SMALL),
        ((8193, 128), "8193x128 pixels; 8192 a side", PictureFault.TOO_LARGE),
        ((128, 8193), "128x8193 pixels; 8192 a side", PictureFault.TOO_LARGE),
        ((6400, 6400), "more than the 40 megapixels", PictureFault.TOO_LARGE),
    ],
)
async def test_sizes_out_of_bounds_are_refused(
    tmp_path: Path, size: tuple[int, int], reason: str, code: PictureFault
) -> None:
    refusal = await refused(encoded(Image.new("1", size), "PNG"), tmp_path)
    assert refusal.code == code
    assert reason in refusal.reason


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (8192, 8192)])
async def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    content = png_of(png_header(*size), _IDAT, _END)
    assert len(content) < 100
    refusal = await refused(content, tmp_path, memory_bytes=300 * 1024**2)
    assert refusal.code == PictureFault.TOO_LARGE
    assert "are allowed" in refusal.reason


async def test_bombs_of_the_other_formats_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    webp = b"VP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xff\x3f\x00" * 2 + b"VP8 "
    canvas = b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp
    for content in (canvas, claiming(encoded(corners(), "JPEG"), 65535, 65535)):
        assert await fault_of(content, tmp_path) == PictureFault.TOO_LARGE


async def test_a_bomb_of_text_is_refused(tmp_path: Path) -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(50_000_000))
    content = png_of(png_header(200, 200), (b"zTXt", text), _IDAT, _END)
    assert await fault_of(content, tmp_path) == PictureFault.DAMAGED


_VARIANTS = {
    "jpeg": encoded(noise(), "JPEG"),
    "progressive": encoded(noise(), "JPEG", progressive=True),
    "jpeg whose end is not needed": encoded(noise(138, 130), "JPEG"),
    "grey jpeg": encoded(noise(mode="L"), "JPEG"),
    "cmyk jpeg": encoded(noise(mode="CMYK"), "JPEG"),
    "png": encoded(noise(), "PNG"),
    "palette png": encoded(noise(mode="P"), "PNG"),
    "webp": encoded(noise(), "WEBP"),
    "lossless webp": encoded(noise(), "WEBP", lossless=True),
}


@pytest.mark.parametrize("content", _VARIANTS.values(), ids=_VARIANTS.keys())
async def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path, content: bytes) -> None:
    half = len(content) // 2
    for length in (20, 200, half, half + 1, len(content) - 14, len(content) - 2, len(content) - 1):
        assert await fault_of(content[:length], tmp_path) == PictureFault.DAMAGED, length


@pytest.mark.parametrize("name", ["jpeg", "progressive", "grey jpeg", "cmyk jpeg"])
async def test_a_jpeg_that_ends_early_in_good_order_is_refused(tmp_path: Path, name: str) -> None:
    content = _VARIANTS[name]
    refusal = await refused(content[: len(content) * 2 // 3] + b"\xff\xd9", tmp_path)
    assert refusal.code == PictureFault.DAMAGED
    assert "pixels are missing" in refusal.reason


@pytest.mark.parametrize("size", [(320, 400), (640, 200), (2000, 2000)])
async def test_a_jpeg_with_fewer_pixels_than_it_claims_is_refused(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    content = claiming(_VARIANTS["jpeg"], *size)
    assert await fault_of(content, tmp_path) == PictureFault.DAMAGED


@pytest.mark.parametrize("chunk", [b"IHDR", b"IDAT", b"PLTE"])
async def test_a_png_with_a_wrong_checksum_is_refused(tmp_path: Path, chunk: bytes) -> None:
    content = bytearray(encoded(Image.new("P", (200, 200)), "PNG"))
    at = content.index(chunk)
    checksum = at + 4 + int.from_bytes(content[at - 4 : at], "big")
    content[checksum] ^= 1
    assert await fault_of(bytes(content), tmp_path) == PictureFault.DAMAGED


async def test_a_jpeg_with_a_hole_is_refused(tmp_path: Path) -> None:
    content = bytearray(_VARIANTS["jpeg"])
    half = len(content) // 2
    content[half : half + 100] = bytes(100)
    assert await fault_of(bytes(content), tmp_path) == PictureFault.DAMAGED


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff" + bytes(range(256)) * 9,
        b"\x89PNG\r\n\x1a\n" + b"\xa5" * 999,
        b"RIFF\xff\xff\0\0WEBPVP8 ",
    ],
    ids=["jpeg", "png", "webp"],
)
async def test_a_right_beginning_is_not_enough(tmp_path: Path, content: bytes) -> None:
    assert await fault_of(content, tmp_path) == PictureFault.DAMAGED
    assert (
        await fault_of(content[:3] if content[0] == 0xFF else content[:12], tmp_path) == PictureFault.DAMAGED
    )


async def test_a_result_of_too_many_bytes_is_refused(tmp_path: Path) -> None:
    content = encoded(noise(1000, 1000), "PNG")
    assert await fault_of(content, tmp_path, result_bytes=100_000) == PictureFault.TOO_LARGE
