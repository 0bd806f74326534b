"""Waiting in tests: poll a condition with a deadline, never sleep and hope."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")

_PAUSE_SECONDS = 0.05


async def eventually(
    ask: Callable[[], Awaitable[Value | None]], *, within: float = 30.0, what: str = "the condition"
) -> Value:
    """Return the first answer that is true.

    Args:
        ask: Asked again and again.
        within: Seconds.
        what: Named when it never comes true.

    Raises:
        AssertionError: It did not come true in time.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while True:
        answer = await ask()
        if answer:
            return answer
        assert loop.time() < until, f"{what} did not come true within {within} s; last answer: {answer!r}"
        await asyncio.sleep(_PAUSE_SECONDS)


async def eventually_so(
    is_so: Callable[[], bool], *, within: float = 30.0, what: str = "the condition"
) -> None:
    """Return when it is so, while other tasks of the loop go on; fail if it is not in time."""

    async def ask() -> bool:
        return is_so()

    await eventually(ask, within=within, what=what)


def wait_until(is_so: Callable[[], bool], *, within: float = 30.0, what: str = "the condition") -> None:
    """Return when it is so, without an event loop; fail if it is not in time."""
    give_up_at = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < give_up_at, f"{what} did not come true within {within} s"
        time.sleep(_PAUSE_SECONDS)
