"""The proof that a file is a playable video, made by decoding it, and its comparison with the order.

Promises: `MediaFacts` are measured on decoded frames, never copied from the container's own claims (a
truncated MP4 still claims its full length). The decoding happens in `storage/files/media_child.py`, a child process
confined by `storage.files.confined`; it cannot be made to open another file or a URL, and it is gone when
`inspect_video` returns, raises or is cancelled.

Refuses, as `UnplayableVideo`: whatever does not decode from its first to its last frame within the limits.
What is our own fault (no child, a missing file) is another exception, since no provider is to blame for it.
"""

import asyncio
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storage.files.confined import ChildLimits, Defeated, InspectionFailed, ask

__all__ = [
    "InspectionFailed",
    "InspectionLimits",
    "MediaFacts",
    "UnplayableVideo",
    "check_against_order",
    "inspect_video",
]

_CHILD = Path(__file__).with_name("media_child.py")
_CHILD_KNOWS = {"side_pixels", "duration_seconds", "poster_width_pixels", "threads"}
_SIZE_TOLERANCE_PIXELS = 16  # codecs work in blocks of 16 pixels, and some providers deliver whole blocks
_RATIO_TOLERANCE = 0.02
_DURATION_TOLERANCE = 0.12
_DURATION_TOLERANCE_SECONDS = 0.75


class UnplayableVideo(Exception):
    """The file is no playable video, or not the video that was ordered.

    Attributes:
        reason: why, as a sentence for a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InspectionLimits(BaseModel):
    """What one inspection may cost and what a video may be at most."""

    model_config = ConfigDict(frozen=True)

    wall_seconds: float = Field(default=120, gt=0)
    cpu_seconds: int = Field(default=240, gt=0)
    memory_bytes: int = Field(default=2 * 1024**3, gt=0)
    """Address space of the child, of which about 0.3 GiB are Python, FFmpeg and thread stacks."""
    poster_bytes: int = Field(default=4 * 1024**2, gt=0)
    side_pixels: int = Field(default=8192, gt=0)
    duration_seconds: float = Field(default=600, gt=0)
    poster_width_pixels: int = Field(default=640, ge=2)
    threads: int = Field(default_factory=lambda: min(4, os.cpu_count() or 1), gt=0)


class MediaFacts(BaseModel):
    """What decoding the whole file has shown."""

    model_config = ConfigDict(frozen=True)

    duration_seconds: float = Field(gt=0)
    """From the first presentation time to the end of the last decoded frame."""
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    fps: float = Field(gt=0)
    """Decoded frames by duration."""
    codec: str
    """FFmpeg's name of the picture codec: `h264`, `hevc`, `av1`, `vp9`, ..."""
    has_audio: bool
    """Whether there is a sound track; its sound is not decoded."""
    size_bytes: int = Field(gt=0)
    frames: int = Field(gt=0)


async def inspect_video(
    path: Path, poster_path: Path, *, limits: InspectionLimits | None = None
) -> MediaFacts:
    """Decode the whole video in a limited child process, and write its poster.

    Args:
        path: of the file to inspect; nobody may change it meanwhile.
        poster_path: where the JPEG goes, a frame of about a third into the video. Afterwards it exists only
            if the inspection succeeded.
        limits: of the child and of the video; the defaults suit videos up to 4K and 30 s.

    Raises:
        UnplayableVideo: the file is at fault.
        InspectionFailed: we are.
        OSError: `path` cannot be read.
    """
    limits = limits or InspectionLimits()
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    proven = False
    try:
        if size_bytes == 0:
            raise UnplayableVideo("The file is empty.")
        answer = await _ask_child(path, poster_path, limits)
        facts = _facts_of(answer, size_bytes)
        proven = True
    finally:
        if not proven:
            _forget(poster_path)
    return facts


def check_against_order(
    facts: MediaFacts,
    *,
    duration_seconds: float | None = None,
    width: int | None = None,
    height: int | None = None,
    exact_size: bool = True,
) -> None:
    """Compare a video with its order. Pure; names every difference, with the numbers.

    Args:
        facts: of the video.
        duration_seconds: ordered; the video may differ by 12 %, or 0.75 s if that is more. `None`: any.
        width: ordered, in pixels; the video may differ by 16 on either side. `None` (either): any size.
        height: the same.
        exact_size: `False` where the provider picks the size: then only the ratio of `width` to `height`
            counts (16 and 9 will do), within 2 %.

    Raises:
        UnplayableVideo: with all differences in its reason.
    """
    differences = []
    if duration_seconds is not None:
        tolerance = max(_DURATION_TOLERANCE_SECONDS, duration_seconds * _DURATION_TOLERANCE)
        if abs(facts.duration_seconds - duration_seconds) > tolerance:
            differences.append(
                f"The video is {facts.duration_seconds:.2f} s long, {duration_seconds:g} s were ordered."
            )
    if width is not None and height is not None:
        ratio = facts.width * height / (facts.height * width)
        off_pixels = max(abs(facts.width - width), abs(facts.height - height))
        if exact_size and off_pixels > _SIZE_TOLERANCE_PIXELS:
            differences.append(
                f"The picture is {facts.width}x{facts.height} pixels, {width}x{height} were ordered."
            )
        elif not exact_size and max(ratio, 1 / ratio) > 1 + _RATIO_TOLERANCE:
            differences.append(
                f"The picture is {facts.width}x{facts.height} pixels, which is not the ordered ratio of"
                f" {width}:{height}."
            )
    if differences:
        raise UnplayableVideo(" ".join(differences))


def _forget(poster_path: Path) -> None:
    poster_path.unlink(missing_ok=True)


async def _ask_child(path: Path, poster_path: Path, limits: InspectionLimits) -> object:
    child_limits = ChildLimits(
        wall_seconds=limits.wall_seconds,
        cpu_seconds=limits.cpu_seconds,
        memory_bytes=limits.memory_bytes,
        file_bytes=limits.poster_bytes,
    )
    try:
        return await ask(_CHILD, _request(path, poster_path, limits), libraries=["av"], limits=child_limits)
    except Defeated as error:
        raise UnplayableVideo(error.reason) from error


def _request(path: Path, poster_path: Path, limits: InspectionLimits) -> dict[str, object]:
    return {
        "input": str(path.absolute()),
        "poster": str(poster_path.absolute()),
        **limits.model_dump(include=_CHILD_KNOWS),
    }


def _facts_of(answer: object, size_bytes: int) -> MediaFacts:
    match answer:
        case {"facts": {} as facts}:
            try:
                return MediaFacts.model_validate({**facts, "size_bytes": size_bytes})
            except ValidationError as error:
                raise UnplayableVideo(f"Its measurements make no sense: {facts}.") from error
        case {"unplayable": str(reason)}:
            raise UnplayableVideo(reason)
        case other:
            raise InspectionFailed(f"the inspecting process says {other!r}")
