"""One part of the stack as a process of its own, started again whenever it dies.

Promises: a part that dies is started again with the same command, after a short delay that grows while it keeps
dying at once; ending it is graceful first and certain later; a part never outlives a killed supervisor (Linux)
and never hears the Ctrl-C that is meant for the supervisor.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from cli.running import tied

_LOG_ROTATED_AT_BYTES = 10_000_000
_TAIL_BYTES = 20_000


class Part(BaseModel):
    """What is needed to start one part.

    Attributes:
        name: As in `processes.json` and the log file's name.
        command: The command line.
        environment: The whole environment of the process.
        log: The file that its output is appended to.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines of the log."""
        with suppress(OSError):
            text = self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""


class Delays(BaseModel):
    """How long to wait before a part that died is started again, in seconds.

    Attributes:
        first: The wait after the first death.
        longest: Doubling stops here.
        forgiven_after: A part that lived so long starts with the first wait again.
    """

    model_config = ConfigDict(frozen=True)

    first: float = 0.5
    longest: float = 10.0
    forgiven_after: float = 30.0


class Supervised:
    """A part that is kept running from `start` to `stop`."""

    def __init__(
        self,
        part: Part,
        *,
        say: Callable[[str], None],
        on_start: Callable[[], None] = lambda: None,
        inherited: tuple[int, ...] = (),
        delays: Delays | None = None,
    ) -> None:
        """Prepare a part; nothing runs yet.

        Args:
            part: What to run.
            say: Told in one line of every death.
            on_start: Called after every start, when `pid` is the new one.
            inherited: File descriptors that the process keeps open.
            delays: The waits between restarts.
        """
        self.part = part
        self.deaths = 0
        self._say = say
        self._on_start = on_start
        self._inherited = inherited
        self._delays = delays or Delays()
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the newest process, which may have died a moment ago."""
        return self._process.pid if self._process else None

    @property
    def is_alive(self) -> bool:
        """Whether its process runs now, as far as is known."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, and keep it running from now on."""
        self._process = await self._spawn()
        self._keeper = asyncio.create_task(self._keep(self._process))

    async def stop(self, grace_seconds: float) -> None:
        """End it for good: SIGTERM, and SIGKILL for it and all of its own if it takes longer than the grace."""
        self._stopping.set()
        if self._keeper is None:
            return
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self._keeper}, timeout=grace_seconds)
        if not done:
            self.kill()
            await asyncio.wait({self._keeper})

    def kill(self) -> None:
        """End it at once; the second Ctrl-C."""
        self._stopping.set()
        if self.is_alive and self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        delay = self._delays.first
        while True:
            started_at = time.monotonic()
            code = await process.wait()
            if self._stopping.is_set():
                return
            self.deaths += 1
            if time.monotonic() - started_at >= self._delays.forgiven_after:
                delay = self._delays.first
            self._say(f"{self.part.name} {how_it_ended(code)}; starting it again in {delay:g} s")
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
                return
            delay = min(delay * 2, self._delays.longest)
            process = self._process = await self._spawn()

    async def _spawn(self) -> asyncio.subprocess.Process:
        process = await spawn(self.part, self._inherited)
        self._process = process
        self._on_start()
        if self._stopping.is_set():  # asked to stop while it was being started
            self._signal(signal.SIGTERM)
        return process

    def _signal(self, number: signal.Signals) -> None:
        if self.is_alive and self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


async def spawn(part: Part, inherited: tuple[int, ...] = ()) -> asyncio.subprocess.Process:
    """Start a part's process, tied to this one, in a process group of its own, its output in its log."""
    part.log.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"pass_fds": inherited, "process_group": 0}
    with part.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(tied.__file__)), str(os.getpid())),
            *part.command,
            env=dict(part.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            **options,
        )


def rotate(log: Path) -> None:
    """Set a log aside that has grown large, so that two of that size are the most there is."""
    with suppress(OSError):
        if log.stat().st_size > _LOG_ROTATED_AT_BYTES:
            log.replace(log.with_name(log.name + ".1"))


def how_it_ended(code: int) -> str:
    """Return in words what an exit status says.

    Args:
        code: Non-negative: what it exited with; negative: the signal that ended it.
    """
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
