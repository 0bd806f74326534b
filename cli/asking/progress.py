"""How a generation's way is shown while somebody waits: a live bar in a terminal, plain lines elsewhere.

Neither is silent for more than five seconds: the bar's clock ticks, the lines repeat themselves.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli.client import Json
from cli.console import line

SILENT_SECONDS = 4.0
STAGES = {
    "accepted": "accepted",
    "queued": "waiting for a free place",
    "submitting": "sending to the provider",
    "looking_up": "looking for the provider's job",
    "provider_queued": "in the provider's queue",
    "generating": "generating",
    "waiting_retry": "waiting before another attempt",
    "storing": "fetching, checking and storing the video",
    "cancelling": "cancelling",
}


class Display(Protocol):
    """Shows how far a generation is."""

    def show(self, generation: Json) -> None:
        """Show its present state."""

    def note(self, text: str) -> None:
        """Say something beside it."""


def percent_of(generation: Json) -> int:
    """Return how far it is, 0 to 100."""
    progress = generation.get("progress") or {}
    return int(progress.get("percent") or 0)


def describe(generation: Json) -> str:
    """Return in words what is being done."""
    if generation["status"] in {"completed", "failed", "cancelled"}:
        return str(generation["status"])
    stage = str(generation.get("stage") or generation["status"])
    words = [STAGES.get(stage, stage)]
    queue = generation.get("queue")
    if stage == "queued" and queue:
        words.append(f"{queue.get('position')} of {queue.get('of')}")
        if queue.get("message"):
            words.append(str(queue["message"]).rstrip("."))
    elif generation.get("provider") and stage in {"submitting", "provider_queued", "generating"}:
        words.append(str(generation["provider"]))
    eta = generation.get("eta_seconds")
    if eta:
        words.append(f"about {float(eta):.0f} s left")
    return ", ".join(words)


@asynccontextmanager
async def display(console: Console, notes: Console, *, quiet: bool = False) -> AsyncIterator[Display]:
    """Open the display that suits where the output goes.

    Args:
        console: Where results go; it decides whether there is a bar.
        notes: Where notes go when nothing else is shown.
        quiet: Show nothing but notes.
    """
    if quiet:
        yield _Notes(notes)
    elif console.is_terminal:
        columns = (
            SpinnerColumn(finished_text=" "),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console) as progress:
            yield _Bar(progress, progress.add_task("ordering", total=100))
    else:
        lines = _Lines(console)
        async with ticking(lines.repeat):
            yield lines


@asynccontextmanager
async def ticking(tick: Callable[[], None]) -> AsyncIterator[None]:
    """Call something every second while the block lasts."""

    async def run() -> None:
        while True:
            await asyncio.sleep(1)
            tick()

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class _Notes:
    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, generation: Json) -> None:
        pass

    def note(self, text: str) -> None:
        line(self._console, text)


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def show(self, generation: Json) -> None:
        self._progress.update(self._task, completed=percent_of(generation), description=describe(generation))

    def note(self, text: str) -> None:
        self._progress.console.print(Text(text, style="yellow"))


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._said_at = time.monotonic()
        self._text = ""

    def show(self, generation: Json) -> None:
        text = f"{percent_of(generation):3d} %  {describe(generation)}"
        if text != self._text:
            self._text = text
            self._say(text)

    def note(self, text: str) -> None:
        self._say(text)

    def repeat(self) -> None:
        now = time.monotonic()
        if self._text and now - self._said_at >= SILENT_SECONDS:
            self._say(f"{self._text}  (after {now - self._began:.0f} s)")

    def _say(self, text: str) -> None:
        self._said_at = time.monotonic()
        line(self._console, text)
