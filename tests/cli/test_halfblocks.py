"""A poster becomes lines of coloured half blocks."""

import re
from fractions import Fraction
from pathlib import Path

import av
import pytest

from cli.running.halfblocks import halfblocks, render_poster

_RED, _GREEN, _BLUE = b"\xff\x00\x00", b"\x00\xff\x00", b"\x00\x00\xff"


def make_jpeg(path: Path, *, width: int, height: int) -> Path:
    """Write a JPEG whose upper half is black and whose lower half is white."""
    half = width * (height // 2)
    rgba = b"\x00\x00\x00\xff" * half + b"\xff\xff\xff\xff" * (width * height - half)
    frame = av.VideoFrame.from_bytes(rgba, width, height).reformat(format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 1)
    frame.pts = 0
    path.write_bytes(b"".join(bytes(p) for p in [*encoder.encode(frame), *encoder.encode(None)]))
    return path


def test_two_pixels_are_one_character() -> None:
    assert halfblocks(_RED + _BLUE, 1, 2) == "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m"


def test_neighbours_of_one_colour_share_their_escape_sequence() -> None:
    text = halfblocks(_RED * 3 + _GREEN + _BLUE * 4, 4, 2)
    assert text == "\x1b[38;2;255;0;0;48;2;0;0;255m▀▀▀\x1b[38;2;0;255;0;48;2;0;0;255m▀\x1b[0m"


def test_every_line_names_its_colours_and_ends_without() -> None:
    lines = halfblocks(_RED * 8, 2, 4).split("\n")
    assert lines == ["\x1b[38;2;255;0;0;48;2;255;0;0m▀▀\x1b[0m"] * 2


@pytest.mark.parametrize(("rgb", "width", "height"), [(_RED, 1, 1), (_RED, 1, 2), (_RED * 3, 1, 2)])
def test_bytes_that_are_no_such_picture_are_refused(rgb: bytes, width: int, height: int) -> None:
    with pytest.raises(ValueError, match="even height"):
        halfblocks(rgb, width, height)


@pytest.mark.parametrize(
    ("width", "height", "columns", "lines"),
    [(640, 360, 64, 18), (360, 640, 64, 57), (640, 360, 31, 9), (33, 17, 10, 3), (640, 16, 8, 1)],
)
def test_a_poster_keeps_its_proportions(
    tmp_path: Path, width: int, height: int, columns: int, lines: int
) -> None:
    text = render_poster(make_jpeg(tmp_path / "poster.jpg", width=width, height=height), columns)
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert plain.split("\n") == ["▀" * columns] * lines


@pytest.mark.parametrize("columns", [64, 10, 33])
def test_the_colours_are_those_of_the_picture(tmp_path: Path, columns: int) -> None:
    text = render_poster(make_jpeg(tmp_path / "poster.jpg", width=640, height=360), columns)
    colours = [[int(part) for part in line[2 : line.index("m")].split(";")] for line in text.split("\n")]
    assert all(part < 10 for part in colours[0][2:5] + colours[0][7:])
    assert all(part > 245 for part in colours[-1][2:5] + colours[-1][7:])
    assert text.split("\n")[-1].count("\x1b") == 2, "one colour from the first column to the last"


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff\xe0"])
def test_what_is_no_jpeg_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "poster.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no JPEG"):
        render_poster(path)


def test_a_picture_without_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one column"):
        render_poster(make_jpeg(tmp_path / "poster.jpg", width=64, height=64), 0)
