"""A picture in the terminal: two pixels per character, as true-colour upper half blocks.

Promises: pixels become text in one pure function; decoding and scaling are PyAV's, beside it. Refuses nothing
but what is no JPEG: whether the terminal shows 24-bit colour is for the caller to know.
"""

from pathlib import Path

import av

_HALF_BLOCK = "▀"  # its upper half takes the foreground colour, its lower half the background colour
_RESET = "\x1b[0m"
_BYTES_PER_PIXEL = 3


def render_poster(jpeg_path: Path, columns: int = 64) -> str:
    """Return the JPEG as lines of text, `columns` characters wide, in its own proportions.

    Args:
        jpeg_path: of the picture.
        columns: the width, in characters of the usual shape (twice as high as wide).

    Raises:
        ValueError: the file is no JPEG that can be decoded, or `columns` is not positive.
        OSError: it cannot be read.
    """
    if columns < 1:
        raise ValueError("a picture is at least one column wide")
    rgb, width, height = _scaled(jpeg_path.read_bytes(), columns)
    return halfblocks(rgb, width, height)


def halfblocks(rgb: bytes, width: int, height: int) -> str:
    """Turn pixels into text: `height / 2` lines of `width` half blocks, each line ending uncoloured.

    Args:
        rgb: red, green, blue, one byte each, row by row from the top left, without padding.
        width: of the picture, in pixels.
        height: the same; even.

    Raises:
        ValueError: the height is odd, or the bytes are not `width * height * 3`.
    """
    if height % 2 or len(rgb) != width * height * _BYTES_PER_PIXEL:
        raise ValueError(f"{len(rgb)} bytes are no picture of {width}x{height} pixels with an even height")
    row_bytes = width * _BYTES_PER_PIXEL
    rows = [rgb[start : start + row_bytes] for start in range(0, len(rgb), row_bytes)]
    return "\n".join(_line(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True))


def _line(upper: bytes, lower: bytes) -> str:
    parts = []
    colours: tuple[bytes, bytes] | None = None
    for start in range(0, len(upper), _BYTES_PER_PIXEL):
        wanted = upper[start : start + _BYTES_PER_PIXEL], lower[start : start + _BYTES_PER_PIXEL]
        if wanted != colours:  # neighbours of one colour share one escape sequence
            colours = wanted
            parts.append("\x1b[38;2;{};{};{};48;2;{};{};{}m".format(*wanted[0], *wanted[1]))
        parts.append(_HALF_BLOCK)
    return "".join(parts) + _RESET


def _scaled(jpeg: bytes, columns: int) -> tuple[bytes, int, int]:
    """Decode and scale to `columns` pixels a row and an even number of rows; return RGB, width, height."""
    decoder = av.CodecContext.create("mjpeg", "r")
    try:
        frames = [*decoder.decode(av.Packet(jpeg)), *decoder.decode(None)] if jpeg else []
    except av.FFmpegError as error:
        raise ValueError("the file is no JPEG that can be decoded") from error
    if not frames:
        raise ValueError("the file is no JPEG that can be decoded")
    rows = max(1, round(columns * frames[0].height / frames[0].width / 2))
    plane = frames[0].reformat(columns, 2 * rows, "rgb24").planes[0]
    padded = bytes(plane)
    lines = (padded[at * plane.line_size :][: columns * _BYTES_PER_PIXEL] for at in range(2 * rows))
    return b"".join(lines), columns, 2 * rows
