"""How a command goes on after its request: it follows the generation, fetches the video, prints the last state."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import typer

from cli import console
from cli.asking import following, progress, showing
from cli.client import PATIENCE_SECONDS, Client, Json
from cli.exits import Exit

_WAIT_SECONDS = 3600.0
_ENDS = {"completed": Exit.OK, "failed": Exit.FAILED, "cancelled": Exit.CANCELLED}


@dataclass(frozen=True)
class Waiting:
    """How a command that orders something goes on.

    Attributes:
        wait: Follow the generation to its end.
        output: Where the video goes; implies waiting.
        as_json: Print the last state as one JSON document and nothing else.
        timeout_seconds: The most that ordering and waiting may take; None for the defaults.
    """

    wait: bool = False
    output: Path | None = None
    as_json: bool = False
    timeout_seconds: float | None = None

    @property
    def patience_seconds(self) -> float:
        """How long a service that is away is tried."""
        return PATIENCE_SECONDS if self.timeout_seconds is None else self.timeout_seconds

    @property
    def give_up_at(self) -> float:
        """When nobody waits any longer, on the monotonic clock, for one who begins now."""
        return time.monotonic() + (self.timeout_seconds or _WAIT_SECONDS)


def waiting_for(
    *, wait: bool = False, output: Path | None = None, timeout: float | None = None, as_json: bool = False
) -> Waiting:
    """Return how a command goes on after its request.

    Raises:
        typer.BadParameter: The video cannot be saved there.
    """
    if output is not None and not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
    return Waiting(wait=wait, output=output, as_json=as_json, timeout_seconds=timeout)


async def finish(client: Client, generation: Json, waiting: Waiting, give_up_at: float) -> Exit:
    """Wait for a generation where asked, fetch its video where asked, and print it."""
    output, errors = console.output(), console.errors()
    if waiting.wait or waiting.output:
        generation = await _followed(client, generation, waiting, give_up_at)
    if waiting.output and generation["status"] == "completed":
        saved = await following.download(client, generation, waiting.output)
        console.line(errors if waiting.as_json else output, f"saved to {saved}")
    if waiting.as_json:
        console.print_json(generation)
    else:
        showing.generation(output, generation, client.base_url)
        if generation["status"] not in following.TERMINAL:
            console.line(
                output, f"  it goes on; look again with `videoplanet show {generation['id']} --wait`"
            )
    return _ENDS.get(generation["status"], Exit.OK)


async def _followed(client: Client, generation: Json, waiting: Waiting, give_up_at: float) -> Json:
    output, errors = console.output(), console.errors()
    if not waiting.as_json:
        console.line(output, str(generation["id"]))
    said_before = client.note
    try:
        async with progress.display(output, errors, quiet=waiting.as_json) as display:
            client.note = display.note
            return await following.follow(
                client,
                generation,
                display,
                give_up_at=give_up_at,
                patience_seconds=waiting.patience_seconds,
            )
    except asyncio.CancelledError:
        gid = generation["id"]
        console.line(
            errors,
            f"not waiting any longer; {gid} goes on: `videoplanet show {gid} --wait` looks again, "
            f"`videoplanet cancel {gid}` ends it",
        )
        raise
    finally:
        client.note = said_before
