"""The proof that a file is a playable video, made by decoding it, and its comparison with the order.

Promises: `MediaFacts` are measured on decoded frames, never copied from the container's own claims (a
truncated MP4 still claims its full length). The decoding happens in `storage/media_child.py`, a child process
with limits on memory, processor time, wall-clock time, file size and open files; it cannot be made to open
another file or a URL, it is gone when `inspect_video` returns, raises or is cancelled, and it dies with us.

Refuses, as `UnplayableVideo`: whatever does not decode from its first to its last frame within the limits.
What is our own fault (no child, a missing file) is another exception, since no provider is to blame for it.
"""

import asyncio
import importlib.util
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_CHILD = Path(__file__).with_name("media_child.py")
# The child runs without site-packages and environment, so that it starts fast and obeys nobody's settings;
# it is told where PyAV lives, and nothing else.
_BOOT = "import runpy, sys; sys.path.append(sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')"
_ANSWER_BYTES = 64 * 1024
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


class InspectionFailed(Exception):
    """We could not inspect the file, which says nothing about the file; trying again may help."""


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
        answer = await _ask_child(_request(path, poster_path, limits), limits)
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


def _request(path: Path, poster_path: Path, limits: InspectionLimits) -> str:
    return json.dumps(
        {
            "input": str(path.absolute()),
            "poster": str(poster_path.absolute()),
            "parent": os.getpid(),
            **limits.model_dump(exclude={"wall_seconds"}),
        }
    )


def _forget(poster_path: Path) -> None:
    poster_path.unlink(missing_ok=True)


async def _ask_child(request: str, limits: InspectionLimits) -> bytes:
    """Run the child on this request; return its one line of JSON."""
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _BOOT, _folder_of_av(), str(_CHILD), request),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_bare_environment(),
            limit=_ANSWER_BYTES,
        )
    except OSError as error:
        raise InspectionFailed(f"the inspecting process did not start: {error}") from error
    if child.stdout is None:
        raise InspectionFailed("the inspecting process has no output")
    try:
        async with asyncio.timeout(limits.wall_seconds):
            answer = await child.stdout.readline()
            status = await child.wait()
    except TimeoutError:
        raise UnplayableVideo(f"Decoding it took longer than {limits.wall_seconds:g} s.") from None
    except ValueError as error:
        raise InspectionFailed("the inspecting process answers without end") from error
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if not answer.endswith(b"\n"):
        raise _silent_death(status, limits)
    return answer


def _facts_of(answer: bytes, size_bytes: int) -> MediaFacts:
    match json.loads(answer):
        case {"facts": {} as facts}:
            try:
                return MediaFacts.model_validate({**facts, "size_bytes": size_bytes})
            except ValidationError as error:
                raise UnplayableVideo(f"Its measurements make no sense: {facts}.") from error
        case {"unplayable": str(reason)}:
            raise UnplayableVideo(reason)
        case other:
            raise InspectionFailed(f"the inspecting process says {other!r}")


def _silent_death(status: int, limits: InspectionLimits) -> Exception:
    """Judge a child that ended without an answer: broken files kill decoders, but we may be killed too."""
    if status == -signal.SIGXCPU:
        return UnplayableVideo(f"Decoding it took more than {limits.cpu_seconds} s of processor time.")
    if status in {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}:
        return UnplayableVideo(f"The decoder crashed on it ({signal.Signals(-status).name}).")
    return InspectionFailed(f"the inspecting process ended with status {status} and no answer")


def _folder_of_av() -> str:
    """Find PyAV without importing it: the worker itself has no use for it."""
    spec = importlib.util.find_spec("av")
    if spec is None or spec.origin is None:
        raise InspectionFailed("PyAV is not installed")
    return str(Path(spec.origin).parent.parent)


def _bare_environment() -> dict[str, str]:
    """Keep only what an unusual Python needs to find its own library; above all, no keys."""
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    # Each arena of malloc's reserves 64 MiB of the address space that is limited, used or not.
    return {
        "LC_ALL": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        **{name: os.environ[name] for name in kept if name in os.environ},
    }
