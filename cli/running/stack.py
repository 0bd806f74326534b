"""The parts of a stack: what is started, in which order, how each shows that it is ready, and how all are ended."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import httpx

from cli.address import reachable_host
from cli.exits import Exit, Stop
from cli.running import environment, ports, processes
from cli.running.lock import FolderLock
from cli.running.ports import Ports
from cli.running.processes import Part, Supervised
from domain.generation import DeploymentMode
from runtime import temporal_server
from runtime.settings import Settings

Say = Callable[[str], None]

PROCESSES_FILE = "processes.json"
_READY_SECONDS = 90.0
_HOPELESS_DEATHS = 4
_LOOK_SECONDS = 0.1
_SAY_SECONDS = 4.0
_SERVER_GRACE_SECONDS = 10.0


class Stack:
    """All parts of one data folder, from `start` to `stop`.

    Args:
        settings: Mode and data folder.
        chosen: The ports.
        environ: The environment of the supervisor.
        say: Told one line at a time what happens.
        inherited: The descriptor of the parts' lock, which every part holds.
    """

    def __init__(
        self,
        settings: Settings,
        chosen: Ports,
        environ: Mapping[str, str],
        say: Say,
        inherited: int,
    ) -> None:
        self.data_dir = settings.data_dir.absolute()
        self.ports = chosen
        self.api_url = f"http://{reachable_host(settings.api_host)}:{chosen.api}"
        self._settings = settings
        self._external_temporal = environ.get("TEMPORAL_ADDRESS") or None
        self.temporal_address = self._external_temporal or f"127.0.0.1:{chosen.temporal}"
        self._environment = environment.for_parts(environ, settings, chosen)
        self._say = say
        self._inherited = (inherited,)
        self._running: dict[str, Supervised] = {}
        self._stopping = False

    async def start(self) -> None:
        """Start everything, each part when what it needs is ready.

        Raises:
            Stop: A part did not become ready; says what its log says.
        """
        if self._external_temporal is None:
            await self._start("temporal", self._temporal_command())
        if needs_sandbox(self._settings):
            jobs = str(self.data_dir / "sandbox")
            await self._start(
                "sandbox",
                _python(
                    "sandbox", "--host", "127.0.0.1", "--port", str(self.ports.sandbox), "--data-dir", jobs
                ),
            )
        await self._ready("temporal", self._temporal_answers)
        await self._migrate()
        if "sandbox" in self._running:
            await self._ready("sandbox", lambda: _answers(f"http://127.0.0.1:{self.ports.sandbox}/healthz"))
        await self._start("worker", _python("worker"))
        await self._start("api", _python("api"))
        await self._ready("api", lambda: _answers(f"{self.api_url}/readyz"))

    async def stop(self, grace_seconds: float) -> None:
        """End everything: first those who work, then those whom they need."""
        self._stopping = True
        for names, grace in (
            (("api", "worker"), grace_seconds),
            (("sandbox",), _SERVER_GRACE_SECONDS),
            (("temporal",), _SERVER_GRACE_SECONDS),
        ):
            await asyncio.gather(*(self._stop(name, grace) for name in names if name in self._running))
        (self.data_dir / PROCESSES_FILE).unlink(missing_ok=True)

    def kill(self) -> None:
        """End everything at once."""
        for supervised in self._running.values():
            supervised.kill()

    async def _stop(self, name: str, grace_seconds: float) -> None:
        began = time.monotonic()
        stopping = asyncio.create_task(self._running[name].stop(grace_seconds))
        while not (await asyncio.wait({stopping}, timeout=_SAY_SECONDS))[0]:
            left = grace_seconds - (time.monotonic() - began)
            self._say(f"{name} finishes what it is doing; it is ended in {max(0, left):.0f} s at the latest")
        await stopping

    async def _start(self, name: str, command: tuple[str, ...]) -> None:
        part = self._part(name, command)
        processes.rotate(part.log)
        supervised = Supervised(
            part, say=self._say, on_start=self._write_processes, inherited=self._inherited
        )
        self._running[name] = supervised
        await supervised.start()
        self._say(f"{name} started (process {supervised.pid})")

    def _part(self, name: str, command: tuple[str, ...]) -> Part:
        log = self.data_dir / "logs" / f"{name}.log"
        return Part(name=name, command=command, environment=self._environment, log=log)

    def _write_processes(self) -> None:
        alive = {name: supervised.pid for name, supervised in self._running.items() if supervised.pid}
        ports.write_whole(self.data_dir / PROCESSES_FILE, json.dumps(alive, indent=2))

    def _temporal_command(self) -> tuple[str, ...]:
        binary = temporal_server.find_binary()
        if binary is None:
            raise Stop("the `temporal` command is missing: install the requirements again", Exit.UNREACHABLE)
        database = self.data_dir / "temporal.db"
        return tuple(
            temporal_server.command(
                binary, port=self.ports.temporal, ui_port=self.ports.temporal_ui, db_file=database
            )
        )

    async def _temporal_answers(self) -> bool:
        if self._external_temporal is None:
            # Through the UI's server, which asks the real one: answers only when the namespace can be used.
            return await _answers(f"http://127.0.0.1:{self.ports.temporal_ui}/api/v1/namespaces/default")
        return await listens(self.temporal_address)

    async def _migrate(self) -> None:
        part = self._part("migrate", _python("migrate", "--operator-key"))
        process = await processes.spawn(part, self._inherited)
        ended = asyncio.create_task(process.wait())
        began = time.monotonic()
        try:
            while not (await asyncio.wait({ended}, timeout=_SAY_SECONDS))[0]:
                self._say(f"migrating the database ({time.monotonic() - began:.0f} s)")
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.kill()
            raise
        if code := ended.result():
            raise self._broken(part, f"migrate {processes.how_it_ended(code)}")
        self._say("database ready")

    async def _ready(self, name: str, is_ready: Callable[[], Awaitable[bool]]) -> None:
        began = said = time.monotonic()
        supervised = self._running.get(name)
        while not await is_ready():
            now = time.monotonic()
            if supervised and supervised.deaths >= _HOPELESS_DEATHS:
                raise self._broken(supervised.part, f"{name} dies again and again")
            if now - began > _READY_SECONDS:
                what = f"{name} is not ready after {_READY_SECONDS:.0f} s"
                if supervised is None:
                    raise Stop(f"{what}: nothing answers at {self.temporal_address}", Exit.UNREACHABLE)
                raise self._broken(supervised.part, what)
            if now - said >= _SAY_SECONDS:
                said = now
                self._say(f"waiting for {name} to be ready ({now - began:.0f} s)")
            await asyncio.sleep(_LOOK_SECONDS)
        self._say(f"{name} ready")

    def _broken(self, part: Part, what: str) -> Stop:
        return Stop(f"{what}; the end of {part.log}:\n{part.log_tail()}", Exit.UNREACHABLE)


def needs_sandbox(settings: Settings) -> bool:
    """Tell whether a stack has a sandbox of its own: in sandbox mode, unless one elsewhere is named."""
    return settings.mode is DeploymentMode.SANDBOX and settings.sandbox_url is None


def listening_parts(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return whose ports the stack needs."""
    parts = ["api"]
    parts += ["sandbox"] if needs_sandbox(settings) else []
    parts += [] if environ.get("TEMPORAL_ADDRESS") else ["temporal", "temporal_ui"]
    return tuple(parts)


async def take_parts(folder: FolderLock, say: Say, grace_seconds: float) -> int:
    """Return the parts' lock; parts of a killed `up` are given the grace to end, then ended.

    Raises:
        Stop: They do not end.
    """
    began = said = time.monotonic()
    killed = False
    while (descriptor := folder.take_parts()) is None:
        now = time.monotonic()
        if now - began > 2 * grace_seconds + 1:
            raise Stop("parts of an earlier `videoplanet up` in this folder do not end", Exit.UNREACHABLE)
        if now - began > grace_seconds and not killed:
            killed = True
            for pid in folder.leftovers():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        if now - said >= _SAY_SECONDS:
            said = now
            say("waiting for the parts of an earlier `videoplanet up` to end")
        await asyncio.sleep(_LOOK_SECONDS)
    return descriptor


async def listens(address: str) -> bool:
    """Tell whether anybody listens at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, ValueError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=3) as http:
            return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


def _python(*arguments: str) -> tuple[str, ...]:
    # -P: the folder from which `up` was called must not shadow our modules.
    return (sys.executable, "-P", "-m", "cli.main", *arguments)
