"""A pixel font of three by five, enough to write SANDBOX and a prompt into a small picture.

A glyph is five octal digits, one per row from the top; the bits of a digit are the pixels from the left.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ADVANCE: Final = 4  # three pixels and a gap
HEIGHT: Final = 5

_DRAWN: Final = """
    A25755 B65656 C34443 D65556 E74647 F74644 G34553 H55755 I72227 J11152 K55655 L44447 M57755
    N75555 O25552 P65644 Q25563 R65655 S34216 T72222 U55557 V55552 W55775 X55255 Y55222 Z71247
    075557 126227 261247 361216 455711 574616 634757 771222 875757 975716
    .00002 ,00024 !22202 ?61202 -00700 :02020 '22000 /11244 +02720 %51245 (12221 )42224 #57575 =07070
"""
_GLYPHS: Final = {drawn[0]: drawn[1:] for drawn in _DRAWN.split()}


class Span(NamedTuple):
    """Pixels `left` to `right` (exclusive) of row `top`."""

    top: int
    left: int
    right: int


def width(text: str, scale: int) -> int:
    """How many pixels a text takes."""
    return max(0, len(text) * ADVANCE - 1) * scale


def spans(text: str, left: int, top: int, scale: int) -> list[Span]:
    """The pixels of a text, as horizontal runs.

    Args:
        text: What to write; characters without a glyph become gaps.
        left: Where the text begins.
        top: Its uppermost row.
        scale: How many pixels a pixel of the font takes.
    """
    runs: list[Span] = []
    for column, letter in enumerate(text.upper()):
        for row, digit in enumerate(_GLYPHS.get(letter, "")):
            for bit in range(3):
                if int(digit, 8) & (4 >> bit):
                    x = left + (column * ADVANCE + bit) * scale
                    runs += [Span(top + row * scale + line, x, x + scale) for line in range(scale)]
    return runs
