"""Waiting in tests: asks again and again instead of sleeping for a guessed time."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path


def eventually(what: str, is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Return as soon as it is so; fail if it is not in time."""
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, f"not within {seconds} s: {what}"
        time.sleep(0.02)


async def eventually_async(what: str, is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Do the same while other tasks of the loop go on."""
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and is not yet reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()
