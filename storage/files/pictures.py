"""Pictures that people upload as the first frame of a video: taken in safely, and fitted to the video's size.

Promises: what comes out is a plain JPEG (quality 95, 4:4:4), upright, in 8-bit sRGB, on white where it was
transparent, without any metadata: no place, no camera, no comment, no hidden second picture. Files are opened in
`storage/files/picture_child.py` only, a child process confined by `storage.files.confined`; it is gone, and nothing
is left on the disk, when a function raises or is cancelled. The same file gives the same bytes.

Refuses, as `UnusablePicture`: all that is no JPEG, PNG or WebP by its content (never by its name), animations,
pictures over the limits before they are decoded, and files that are damaged or cut off, even by a little.
What is our own fault is `InspectionFailed`.
"""

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.orders.pictures import PictureFault, PixelSize, fitting
from storage.files.confined import ChildLimits, Crashed, InspectionFailed, Overrun, ask

_CHILD = Path(__file__).with_name("picture_child.py")
_LIBRARIES = ["PIL", "av"]

Answer = TypeVar("Answer", bound=BaseModel)


class UnusablePicture(Exception):
    """The file is no picture that can be the first frame of a video.

    Attributes:
        reason: why, as a sentence for a person.
        code: the same as a stable word for programs.
    """

    def __init__(self, reason: str, code: PictureFault) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class PictureLimits(BaseModel):
    """What one picture may cost and what it may be at most; sizes are those of the uploaded picture."""

    model_config = ConfigDict(frozen=True)

    wall_seconds: float = Field(default=60, gt=0)
    cpu_seconds: int = Field(default=30, gt=0)
    memory_bytes: int = Field(default=1536 * 1024**2, gt=0)
    """Address space of the child, of which about 0.3 GiB are Python and its libraries."""
    result_bytes: int = Field(default=64 * 1024**2, gt=0)
    least_side: int = Field(default=128, gt=0)
    """In pixels, as the next two."""
    longest_side: int = Field(default=8192, gt=0)
    pixels: int = Field(default=40_000_000, gt=0)


class Picture(BaseModel):
    """A picture that was taken in."""

    model_config = ConfigDict(frozen=True)

    width: int = Field(gt=0)
    """In pixels, of the JPEG that was made, as is `height`."""
    height: int = Field(gt=0)
    source_type: Literal["image/jpeg", "image/png", "image/webp"]
    """What was uploaded."""
    size_bytes: int = Field(gt=0)
    """Of the JPEG that was made."""


class _Measured(BaseModel):
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class _Fitted(BaseModel):
    jpeg: str
    """In Base64."""


async def take_in(path: Path, target: Path, *, limits: PictureLimits | None = None) -> Picture:
    """Make a plain JPEG of an uploaded picture.

    Args:
        path: of the uploaded file; nobody may change it meanwhile.
        target: where the JPEG goes. Afterwards it exists only if this succeeded.
        limits: of the child and of the picture.

    Raises:
        UnusablePicture: the file is at fault.
        InspectionFailed: we are.
        OSError: `path` cannot be read.
    """
    taken = False
    try:
        request = {"work": "take in", "output": str(_absolute(target))}
        picture = _read(Picture, await _ask_child(path, request, limits or PictureLimits()))
        taken = True
    finally:
        if not taken:
            _forget(target)
    return picture


async def fit(path: Path, *, width: int, height: int, limits: PictureLimits | None = None) -> bytes:
    """Return a picture as a JPEG of exactly this size, cut and scaled as `domain.orders.pictures.fitting` says.

    Args:
        path: of the picture, as `take_in` made it.
        width: in pixels.
        height: in pixels.
        limits: of the child and of the picture.

    Raises:
        UnusablePicture: the file is at fault.
        InspectionFailed: we are.
        OSError: `path` cannot be read.
        ValueError: the size wanted is less than a pixel or longer than a picture may be.
    """
    limits = limits or PictureLimits()
    if not (1 <= width <= limits.longest_side and 1 <= height <= limits.longest_side):
        raise ValueError(f"{width}x{height} pixels is no size for a picture")
    measured = _read(_Measured, await _ask_child(path, {"work": "measure"}, limits))
    source: PixelSize = (measured.width, measured.height)
    box = fitting(source, (width, height)).box
    request = {"work": "fit", "width": width, "height": height, "box": box}
    fitted = _read(_Fitted, await _ask_child(path, request, limits))
    return await asyncio.to_thread(base64.b64decode, fitted.jpeg)


async def _ask_child(path: Path, request: Mapping[str, object], limits: PictureLimits) -> object:
    if (await asyncio.to_thread(path.stat)).st_size == 0:
        raise UnusablePicture("The file is empty.", PictureFault.NOT_A_PICTURE)
    child_limits = ChildLimits(
        wall_seconds=limits.wall_seconds,
        cpu_seconds=limits.cpu_seconds,
        memory_bytes=limits.memory_bytes,
        file_bytes=limits.result_bytes,
        answer_bytes=2 * limits.result_bytes,  # Base64 takes a third more
    )
    known = limits.model_dump(include={"result_bytes", "least_side", "longest_side", "pixels"})
    order = {"input": str(_absolute(path)), **known, **request}
    try:
        return await ask(_CHILD, order, libraries=_LIBRARIES, limits=child_limits)
    except Overrun as error:
        raise UnusablePicture(error.reason, PictureFault.TOO_LARGE) from error
    except Crashed as error:
        raise UnusablePicture(error.reason, PictureFault.DAMAGED) from error


def _read(model: type[Answer], answer: object) -> Answer:
    match answer:
        case {"picture": {} as said}:
            try:
                return model.model_validate(said)
            except ValidationError as error:
                raise InspectionFailed(f"the inspecting process says {said!r}") from error
        case {"unusable": {"reason": str(reason), "code": str(code)}}:
            raise UnusablePicture(reason, PictureFault(code))
        case other:
            raise InspectionFailed(f"the inspecting process says {other!r}")


def _absolute(path: Path) -> Path:
    return path.absolute()


def _forget(target: Path) -> None:
    target.unlink(missing_ok=True)
