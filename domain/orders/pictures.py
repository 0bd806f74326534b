"""A picture as the first frame of a video: what may be wrong with one, and how one fits the video's size.

Pure; pictures are opened in `storage/files/pictures.py` only.
"""

from enum import StrEnum

from domain.model import Frozen

PixelSize = tuple[int, int]
"""Width and height, in pixels."""


class PictureFault(StrEnum):
    """Why a picture cannot be used, as a stable word for programs."""

    NOT_A_PICTURE = "not_a_picture"
    """No JPEG, PNG or WebP, or an animation."""
    TOO_SMALL = "picture_too_small"
    TOO_LARGE = "picture_too_large"
    """It has too many pixels, or takes too much time or memory to decode."""
    DAMAGED = "picture_damaged"


BEGINNING_BYTES = 12
"""How much of a file tells its type."""


def may_be_picture(beginning: bytes) -> bool:
    """Tell whether a file that begins so may be a JPEG, PNG or WebP; only decoding it tells whether it is."""
    is_webp = beginning[:4] == b"RIFF" and beginning[8:BEGINNING_BYTES] == b"WEBP"
    return is_webp or beginning.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))


class Fitting(Frozen):
    """How a picture is brought to a size: it is never distorted, so what sticks out is cut, half on each side.

    Attributes:
        source: size of the picture.
        target: size wanted.
        cut_width: pixels of the source that are cut at left and right together.
        cut_height: the same at top and bottom. At most one of the two is not 0.
    """

    source: PixelSize
    target: PixelSize
    cut_width: int
    cut_height: int

    @property
    def kept(self) -> PixelSize:
        """Size of the part of the source that becomes the target."""
        return self.source[0] - self.cut_width, self.source[1] - self.cut_height

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Where that part is, in pixels of the source: left, top, right, bottom."""
        left, top = self.cut_width // 2, self.cut_height // 2
        width, height = self.kept
        return left, top, left + width, top + height

    @property
    def scale(self) -> float:
        """Pixels of the target by pixels of the source along one side; above 1 the picture is enlarged."""
        return max(self.target[0] / self.source[0], self.target[1] / self.source[1])

    def describe(self) -> str:
        """Say for a person what happens to the picture; nothing, if nothing does."""
        done = []
        if self.kept != self.target:
            done.append(f"scaled from {_written(self.source)} to {_written(self.target)}")
        if self.cut_width:
            done.append(f"cut by {self.cut_width} of {self.source[0]} pixels at left and right")
        if self.cut_height:
            done.append(f"cut by {self.cut_height} of {self.source[1]} pixels at top and bottom")
        return " and ".join(done)


def fitting(source: PixelSize, target: PixelSize) -> Fitting:
    """Return how a picture is brought to a size.

    Args:
        source: size of the picture.
        target: size wanted.

    Raises:
        ValueError: a side is not at least 1 pixel.
    """
    if min(*source, *target) < 1:
        raise ValueError("a picture has at least one pixel a side")
    width, height = source
    kept_width = min(width, _share(height, target[0], target[1]))
    kept_height = min(height, _share(width, target[1], target[0]))
    return Fitting(
        source=source, target=target, cut_width=width - kept_width, cut_height=height - kept_height
    )


def _share(side: int, numerator: int, denominator: int) -> int:
    """Return `side * numerator / denominator`, rounded to the nearest, but at least one pixel."""
    return max(1, (2 * side * numerator + denominator) // (2 * denominator))


def _written(size: PixelSize) -> str:
    return f"{size[0]}x{size[1]}"
