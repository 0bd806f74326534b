"""A poster becomes lines of coloured half blocks."""

import io
import re

import pytest
from PIL import Image
from rich.console import Console

from cli.running.halfblocks import halfblocks


def a_jpeg(width: int, height: int) -> bytes:
    """A JPEG whose upper half is black and whose lower half is white."""
    picture = Image.new("RGB", (width, height), "white")
    picture.paste("black", (0, 0, width, height // 2))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    return file.getvalue()


def shown(jpeg: bytes, columns: int) -> list[str]:
    """The lines that a terminal with all colours would get."""
    terminal = Console(
        file=io.StringIO(), force_terminal=True, color_system="truecolor", width=200, _environ={}
    )
    with terminal.capture() as captured:
        terminal.print(halfblocks(jpeg, columns), end="")
    return captured.get().rstrip("\n").split("\n")


@pytest.mark.parametrize(
    ("width", "height", "columns", "lines"),
    [(640, 360, 64, 18), (360, 640, 64, 57), (640, 360, 31, 9), (33, 17, 10, 3), (640, 16, 8, 1)],
)
def test_a_poster_keeps_its_proportions(width: int, height: int, columns: int, lines: int) -> None:
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in shown(a_jpeg(width, height), columns)]
    assert [len(line) for line in plain] == [columns] * lines
    assert set("".join(plain)) == {"▄"}


@pytest.mark.parametrize("columns", [64, 10, 33])
def test_the_colours_are_those_of_the_picture(columns: int) -> None:
    lines = shown(a_jpeg(640, 360), columns)
    first, last = (
        [int(number) for kind in re.findall(r"[34]8;2;(\d+;\d+;\d+)", line) for number in kind.split(";")]
        for line in (lines[0], lines[-1])
    )
    assert len(first) == len(last) == 6 * columns
    assert max(first) < 10
    assert min(last) > 245


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff\xe0"])
def test_what_is_no_jpeg_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no JPEG"):
        halfblocks(content)


def test_a_picture_without_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="one column"):
        halfblocks(a_jpeg(64, 64), 0)
