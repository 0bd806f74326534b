"""A part is kept running with real child processes, and ended for good."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cli.running.processes import Delays, Part, Supervised, how_it_ended
from tests.cli.alive import is_alive
from tests.eventually import eventually_so, wait_until

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("heard", flush=True))
print("ready", flush=True)
while True:
    time.sleep(1)
"""
POLITE = """
import signal, sys, time
def leave(*_):
    print("finished", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
while True:
    time.sleep(1)
"""
QUICK = Delays(first=0.01, longest=0.04, forgiven_after=60)


def part_of(tmp_path: Path, code: str) -> Part:
    return Part(
        name="part",
        command=(sys.executable, "-u", "-c", code),
        environment={"PATH": os.environ["PATH"]},
        log=tmp_path / "logs" / "part.log",
    )


@asynccontextmanager
async def supervised(
    part: Part, say: Callable[[str], None] = lambda _: None, delays: Delays = QUICK
) -> AsyncIterator[Supervised]:
    kept = Supervised(part, say=say, delays=delays)
    await kept.start()
    try:
        yield kept
    finally:
        kept.kill()
        await kept.stop(5)


def said(part: Part, word: str) -> Callable[[], bool]:
    return lambda: word in part.log_tail()


async def test_a_killed_part_is_started_again_and_its_end_is_told_in_one_line(tmp_path: Path) -> None:
    lines: list[str] = []
    part = part_of(tmp_path, POLITE)
    async with supervised(part, lines.append) as kept:
        first = kept.pid
        assert first is not None
        await eventually_so(said(part, "ready"), what="it runs")
        os.kill(first, signal.SIGKILL)
        await eventually_so(lambda: kept.pid != first, what="another one runs")
        assert kept.is_alive
        assert lines == ["part was ended by SIGKILL; starting it again in 0.01 s"]


async def test_the_wait_grows_while_a_part_dies_at_once(tmp_path: Path) -> None:
    lines: list[str] = []
    async with supervised(part_of(tmp_path, "raise SystemExit(3)"), lines.append):
        await eventually_so(lambda: len(lines) >= 5, what="it has died five times")
    waits = [float(line.split()[-2]) for line in lines[:5]]
    assert waits == [0.01, 0.02, 0.04, 0.04, 0.04]
    assert "ended with status 3" in lines[0]


async def test_a_part_that_has_lived_a_while_is_started_again_soon(tmp_path: Path) -> None:
    lines: list[str] = []
    delays = Delays(first=0.01, longest=1, forgiven_after=0)
    async with supervised(part_of(tmp_path, "pass"), lines.append, delays):
        await eventually_so(lambda: len(lines) >= 3, what="it has ended three times")
    assert {float(line.split()[-2]) for line in lines} == {0.01}


async def test_a_part_is_asked_to_end_and_finishes(tmp_path: Path) -> None:
    part = part_of(tmp_path, POLITE)
    async with supervised(part) as kept:
        await eventually_so(said(part, "ready"), what="it runs")
        await kept.stop(20)
        assert not kept.is_alive
        assert said(part, "finished")()


async def test_a_part_that_does_not_end_is_killed_after_the_grace(tmp_path: Path) -> None:
    part = part_of(tmp_path, STUBBORN)
    async with supervised(part) as kept:
        await eventually_so(said(part, "ready"), what="it runs")
        began = time.monotonic()
        await kept.stop(0.3)
        assert time.monotonic() - began >= 0.3
        assert said(part, "heard")()
        assert kept.pid is not None
        assert not is_alive(kept.pid)


async def test_a_stopped_part_stays_ended_though_it_was_about_to_be_started_again(tmp_path: Path) -> None:
    lines: list[str] = []
    slow = Delays(first=60, longest=60, forgiven_after=60)
    async with supervised(part_of(tmp_path, "pass"), lines.append, slow) as kept:
        await eventually_so(lambda: bool(lines), what="it has ended")
        async with asyncio.timeout(10):
            await kept.stop(10)
        assert not kept.is_alive


async def test_ctrl_c_at_the_terminal_does_not_reach_a_part(tmp_path: Path) -> None:
    part = part_of(tmp_path, POLITE)
    async with supervised(part) as kept:
        assert kept.pid is not None
        pid = kept.pid
        # Until its process has become the part it may still be about to join its own group.
        await eventually_so(said(part, "ready"), what="it runs")
        assert os.getpgid(pid) == pid
        assert os.getpgid(pid) != os.getpgid(0)


SUPERVISOR = """
import asyncio, json, os, sys
from pathlib import Path
from cli.running.processes import Part, Supervised

async def main():
    folder = Path(sys.argv[1])
    command = (sys.executable, "-c", "import time; time.sleep(600)")
    kept = Supervised(Part(name="part", command=command, environment=dict(os.environ), log=folder / "log"), say=print)
    await kept.start()
    (folder / "new").write_text(json.dumps(kept.pid))
    (folder / "new").rename(folder / "pid")
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_a_part_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(tmp_path)])
    try:
        wait_until((tmp_path / "pid").exists, what="the part runs")
        pid = json.loads((tmp_path / "pid").read_text())
        assert is_alive(pid)
    finally:
        supervisor.kill()
        supervisor.wait()
    wait_until(lambda: not is_alive(pid), what="the part has ended")


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "ended with status 0"), (-15, "was ended by SIGTERM"), (-99, "was ended by signal 99")],
)
def test_how_a_process_ended_is_said_in_words(code: int, words: str) -> None:
    assert how_it_ended(code) == words
