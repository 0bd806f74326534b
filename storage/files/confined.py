"""Untrusted files are opened in a child process with limits; this starts one, asks it once, and ends it.

Promises: the child has no keys and no environment, finds only the libraries named for it, is bounded in
memory, processor time, wall-clock time, file size and open files (`storage/files/child_limits.py`), and is gone
with its whole process group when `ask` returns, raises or is cancelled. It dies with us. It answers in one
line of JSON; what the line means is the caller's business.

Refuses to guess whose fault a silent death is: a crashed or exhausted decoder is `Defeated` by its file,
every other end without an answer is `InspectionFailed`.
"""

import asyncio
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

# A child runs without site-packages and environment, so that it starts fast and obeys nobody's settings; it is
# told where `storage.files.child_limits` and its libraries live, and nothing else.
_BOOT = (
    "import json, runpy, sys; sys.path += json.loads(sys.argv[1]);"
    " runpy.run_path(sys.argv[2], run_name='__main__')"
)
_HOME = Path(__file__).absolute().parents[2]
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}


class InspectionFailed(Exception):
    """We could not inspect the file, which says nothing about the file; trying again may help."""


class Defeated(Exception):
    """The file was more than the child could take.

    Attributes:
        reason: why, as a sentence for a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Overrun(Defeated):
    """The file costs more time than it may."""


class Crashed(Defeated):
    """The file crashed its decoder."""


class ChildLimits(BaseModel):
    """What one child may use."""

    model_config = ConfigDict(frozen=True)

    wall_seconds: float = Field(gt=0)
    cpu_seconds: int = Field(gt=0)
    memory_bytes: int = Field(gt=0)
    """Of address space, which Python and its libraries take a part of."""
    file_bytes: int = Field(ge=0)
    """The largest file it may write."""
    answer_bytes: int = Field(default=64 * 1024, gt=0)


async def ask(
    child: Path, request: Mapping[str, object], *, libraries: Sequence[str], limits: ChildLimits
) -> object:
    """Run the child on this request.

    Args:
        child: the file to run; it answers with `storage.files.child_limits.answer`.
        request: what to do, as JSON knows it; a few kilobytes at most.
        libraries: the top-level packages that the child imports beside the standard library.
        limits: of the child.

    Returns:
        The child's answer, one value of JSON.

    Raises:
        Overrun: it took too long.
        Crashed: it died of the file.
        InspectionFailed: it did not start, or ended without an answer for another reason.
    """
    process = await _start(child, request, libraries, limits)
    if process.stdout is None:
        raise InspectionFailed("the inspecting process has no output")
    try:
        async with asyncio.timeout(limits.wall_seconds):
            line = await process.stdout.readline()
            status = await process.wait()
    except TimeoutError:
        raise Overrun(f"Decoding it took longer than {limits.wall_seconds:g} s.") from None
    except ValueError as error:
        raise InspectionFailed("the inspecting process answers without end") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if not line.endswith(b"\n"):
        raise _silent_death(status, limits)
    try:
        answer: object = json.loads(line)
    except ValueError as error:
        raise InspectionFailed("the inspecting process does not answer in JSON") from error
    return answer


async def _start(
    child: Path, request: Mapping[str, object], libraries: Sequence[str], limits: ChildLimits
) -> asyncio.subprocess.Process:
    folders = list(dict.fromkeys([str(_HOME), *map(_folder_of, libraries)]))
    order = {"parent": os.getpid(), "limits": limits.model_dump(), "request": dict(request)}
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _BOOT, json.dumps(folders), str(child), json.dumps(order)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_bare_environment(),
            limit=limits.answer_bytes,
            # A group of its own, to be killed with whatever a decoder started; uvloop knows no other way.
            start_new_session=True,
        )
    except OSError as error:
        raise InspectionFailed(f"the inspecting process did not start: {error}") from error


def _silent_death(status: int, limits: ChildLimits) -> Exception:
    """Judge a child that ended without an answer: broken files kill decoders, but we may be killed too."""
    if status == -signal.SIGXCPU:
        return Overrun(f"Decoding it took more than {limits.cpu_seconds} s of processor time.")
    if -status in _CRASHES:
        return Crashed(f"The decoder crashed on it ({signal.Signals(-status).name}).")
    return InspectionFailed(f"the inspecting process ended with status {status} and no answer")


def _folder_of(library: str) -> str:
    """Find a library without importing it: the service itself has no use for it."""
    spec = importlib.util.find_spec(library)
    if spec is None or spec.origin is None:
        raise InspectionFailed(f"{library} is not installed")
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
