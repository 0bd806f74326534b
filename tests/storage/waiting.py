"""Waiting in tests: for a condition, with a deadline."""

import asyncio
import time
from collections.abc import Callable


async def eventually(condition: Callable[[], bool], *, within_seconds: float = 10.0) -> None:
    """Return when the condition holds; fail if it does not in time."""
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)
