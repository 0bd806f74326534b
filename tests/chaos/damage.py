"""Killing and pausing the processes of a stack, each at its moment, and starting them again."""

import asyncio
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from failpoints import Point
from tests.chaos.plan import TENANTS, Fault, Kill, Pause, Victim
from tests.eventually import eventually
from tests.stack import Part, Stack, free_port, freeze_at

Json = dict[str, Any]
_REACH_SECONDS = 15.0
_UP_SECONDS = 120.0
_CHECK_EVERY_SECONDS = 1.0


class Damage:
    """The one who breaks a stack, and who keeps it up otherwise.

    A process is started with the point of its next kill armed but held back: the file that marks the freezing is
    there already, so it passes. Removing the file lets it freeze the next time that it gets there.

    Attributes:
        kills: What was killed when: rows of the report.
        pauses: When the worker stood still.
        deaths: Processes that ended though nobody had killed them; there should be none.
    """

    def __init__(self, stack: Stack, kills: Sequence[Kill]) -> None:
        self._stack = stack
        self._ahead = {name: deque[Kill]() for name in (*map(api_of, TENANTS), "worker", "temporal")}
        for kill in kills:
            self._ahead[name_of(kill)].append(kill)
        self._own: dict[str, dict[str, str]] = {
            api_of(tenant): {"VIDEOPLANET_TENANT_ID": tenant, "VIDEOPLANET_API_PORT": str(free_port())}
            for tenant in TENANTS
        }
        self._one_at_a_time = asyncio.Lock()
        self.kills: list[Json] = []
        self.pauses: list[Json] = []
        self.deaths: list[Json] = []

    @property
    def urls(self) -> Mapping[str, str]:
        """Where each tenant's API is."""
        return {
            tenant: f"http://127.0.0.1:{self._own[api_of(tenant)]['VIDEOPLANET_API_PORT']}"
            for tenant in TENANTS
        }

    async def start(self) -> None:
        """Start every process of the stack."""
        await self._stack.migrate()
        await asyncio.gather(self._stack.start_part("sandbox"), self._start("temporal"))
        await asyncio.gather(*(self._start(api_of(tenant)) for tenant in TENANTS), self._start("worker"))

    async def misbehave(self, faults: Sequence[Fault]) -> None:
        """Make the provider's side misbehave."""
        for fault in faults:
            more = {"seconds": fault.seconds, "retry_after": fault.retry_after}
            await self._stack.fault(
                fault.operation,
                fault.fault,
                fault.times,
                provider=fault.provider,
                **{name: value for name, value in more.items() if value is not None},
            )

    async def do(self, act: Kill | Pause) -> None:
        """Kill or pause, and see that everything is up again."""
        async with self._one_at_a_time:
            match act:
                case Kill():
                    await self._kill(act)
                case Pause():
                    await self._pause(act)

    async def keep_up(self) -> None:
        """Start again what ended by itself, as a supervisor does, until cancelled."""
        while True:
            async with self._one_at_a_time:
                for name in self._ahead:
                    if self._notice_death(name):
                        await self._start(name)
            await asyncio.sleep(_CHECK_EVERY_SECONDS)

    def _notice_death(self, name: str) -> bool:
        process = self._stack.processes[name]
        if process.poll() is None:
            return False
        self.deaths.append({"part": name, "status": process.returncode, "at": time.time()})
        say(f"{name} ended by itself with status {process.returncode}")
        return True

    async def _kill(self, kill: Kill) -> None:
        name, point = name_of(kill), kill.sort.point
        self._ahead[name].popleft()
        frozen_at: float | None = None
        if point is None:
            await asyncio.sleep(kill.after_seconds)
        elif await self._freezes(name, point, kill):
            frozen_at = time.time()
        self._notice_death(name)
        pid, at = self._stack.processes[name].pid, time.time()
        await self._stack.kill(name)
        if kill.sort.victim is Victim.TEMPORAL:
            await asyncio.sleep(kill.down_seconds)
        await self._start(name)
        up_at = time.time()
        row = {
            "number": kill.number,
            "at": at,
            "pid": pid,
            "part": str(kill.sort.victim),
            "name": name,
            "point": point if frozen_at is not None else None,
            "aim": point,
            "frozen_at": frozen_at,
            "up_at": up_at,
        }
        self.kills.append(row)
        where = "at any moment" if point is None else f"at {point}" if frozen_at else f"having missed {point}"
        say(f"kill {kill.number}: {name} (process {pid}) {where}, up after {up_at - at:.1f} s")

    async def _freezes(self, name: str, point: Point, kill: Kill) -> bool:
        self._marker(point, kill).unlink()
        with suppress(AssertionError):
            await self._stack.freezes(name, within=_REACH_SECONDS)
            return True
        return False

    async def _pause(self, pause: Pause) -> None:
        await asyncio.sleep(pause.after_seconds)
        process = self._stack.processes["worker"]
        at = time.time()
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(pause.seconds)
        process.send_signal(signal.SIGCONT)
        self.pauses.append({"at": at, "until": time.time(), "part": "worker", "pid": process.pid})
        say(f"the worker stood still for {pause.seconds:.1f} s")

    async def _start(self, name: str) -> None:
        """Start a process, however often that takes; it may be killed by what others do meanwhile."""
        part: Part = "api" if name.startswith("api") else "temporal" if name == "temporal" else "worker"
        settings = {**self._own.get(name, {}), **self._armed(name)}

        async def started() -> bool:
            try:
                await self._stack.start_part(part, name=name, **settings)
            except AssertionError as error:
                say(f"{name} does not start: {error}")
                await self._stack.kill(name)
                return False
            return True

        await eventually(started, within=_UP_SECONDS, what=f"{name} is up again")

    def _armed(self, name: str) -> dict[str, str]:
        """The settings that let it freeze at its next kill's point, which is held back."""
        coming = next(iter(self._ahead[name]), None)
        if coming is None or coming.sort.point is None:
            return {}
        marker = self._marker(coming.sort.point, coming)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        return freeze_at(coming.sort.point, marker.parent)

    def _marker(self, point: Point, kill: Kill) -> Path:
        return self._stack.data_dir / "points" / str(kill.number) / f"frozen-{point}"


def api_of(tenant: str) -> str:
    """The name of a tenant's API process."""
    return f"api-{tenant}"


def name_of(kill: Kill) -> str:
    """The name of the process that is killed."""
    return api_of(kill.tenant) if kill.sort.victim is Victim.API else str(kill.sort.victim)


def say(sentence: str) -> None:
    """Tell who waits what is going on; standard output is for the result."""
    sys.stderr.write(f"chaos: {sentence}\n")
    sys.stderr.flush()


async def sandbox_says(stack: Stack, what: str) -> Json:
    """What the provider's side lists or counts."""
    async with httpx.AsyncClient(base_url=stack.sandbox_url, timeout=30, trust_env=False) as client:
        answer = await client.get(f"/_sandbox/{what}")
        return dict(answer.raise_for_status().json())
