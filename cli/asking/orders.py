"""What the commands about generations do, over HTTP only."""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from cli import console, showing
from cli.address import api_url, key_for
from cli.asking import following, progress
from cli.client import Client, Json, Refused, Unreachable
from cli.exits import Exit, Stop
from cli.problems import exit_of, lines_of, lines_of_absence

PATIENCE_SECONDS = 60.0
"""How long a service that is away is tried, unless a command says otherwise."""

_WAIT_SECONDS = 3600.0
_ENDS = {"completed": Exit.OK, "failed": Exit.FAILED, "cancelled": Exit.CANCELLED}


class Waiting(BaseModel):
    """How a command that orders something goes on.

    Attributes:
        wait: Follow the generation to its end.
        output: Where the video goes; implies waiting.
        as_json: Print the last state as one JSON document and nothing else.
        timeout_seconds: The most that ordering and waiting may take; None for the defaults.
    """

    model_config = ConfigDict(frozen=True)

    wait: bool
    output: Path | None = None
    as_json: bool = False
    timeout_seconds: float | None = None

    @property
    def patience_seconds(self) -> float:
        """How long a service that is away is tried."""
        return PATIENCE_SECONDS if self.timeout_seconds is None else self.timeout_seconds


def run(task: Callable[[Client], Awaitable[Exit]]) -> Exit:
    """Run one command against the service; every way it can end becomes lines for a person and an exit code."""
    from runtime.settings import Settings  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    errors = console.errors()

    async def connected() -> Exit:
        def note(text: str) -> None:
            console.line(errors, text, "yellow")

        settings = Settings()
        url = api_url(settings)
        async with Client(url, key_for(settings, url), note) as client:
            return await task(client)

    try:
        return asyncio.run(connected())
    except Refused as refused:
        for text in lines_of(refused):
            console.line(errors, text)
        return exit_of(refused)
    except Unreachable as away:
        for text in lines_of_absence(away):
            console.line(errors, text)
        return Exit.UNREACHABLE
    except Stop as stop:
        console.line(errors, str(stop))
        return stop.code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def print_json(document: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


async def order(
    client: Client, path: str, body: Json, waiting: Waiting, key: str | None, image: Path | None = None
) -> Exit:
    """Send an order for a video, or for another take, and wait for it where asked.

    Args:
        client: The service.
        path: Where the order goes.
        body: The order.
        waiting: How it goes on.
        key: The idempotency key; a fresh one if None.
        image: A picture that is uploaded first, to be the first frame.
    """
    give_up_at = time.monotonic() + (waiting.timeout_seconds or _WAIT_SECONDS)
    key = key or str(uuid.uuid4())
    if image is not None:
        uploaded = await client.upload("/v1/images", image, patience_seconds=waiting.patience_seconds)
        body = body | {"params": body.get("params", {}) | {"image_id": uploaded["id"]}}
    generation = await client.post(path, body, key=key, patience_seconds=waiting.patience_seconds)
    if not waiting.as_json:
        showing.adjustments(console.output(), generation)
    return await finish(client, generation, waiting, give_up_at)


async def show(client: Client, generation_id: str, waiting: Waiting) -> Exit:
    """Show a generation, wait for it or fetch its video where asked."""
    give_up_at = time.monotonic() + (waiting.timeout_seconds or _WAIT_SECONDS)
    generation = await client.get(following.path_of(generation_id))
    code = await finish(client, generation, waiting, give_up_at)
    if not waiting.as_json:
        showing.adjustments(console.output(), generation)
    return code if waiting.wait or waiting.output else Exit.OK


async def finish(client: Client, generation: Json, waiting: Waiting, give_up_at: float) -> Exit:
    """Wait for a generation where asked, fetch its video where asked, and print it."""
    output, errors = console.output(), console.errors()
    if waiting.wait or waiting.output:
        generation = await _followed(client, generation, waiting, give_up_at)
    if waiting.output and generation["status"] == "completed":
        saved = await following.download(client, generation, waiting.output)
        console.line(errors if waiting.as_json else output, f"saved to {saved}")
    if waiting.as_json:
        print_json(generation)
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


async def cancel(
    client: Client, generation_id: str, reason: str | None, waiting: Waiting, key: str | None
) -> Exit:
    """Ask for the end of a generation and say what came of it."""
    body: dict[str, Any] = {} if reason is None else {"reason": reason}
    answer = await client.post(
        f"{following.path_of(generation_id)}/cancel",
        body,
        key=key or str(uuid.uuid4()),
        patience_seconds=waiting.patience_seconds,
    )
    if waiting.as_json:
        print_json(answer)
    else:
        words = f"{generation_id}: {showing.cancel_words(answer)}, cost {showing.money(answer)}"
        console.line(console.output(), words)
    return Exit.OK


async def preview_cancel(client: Client, generation_id: str, as_json: bool) -> Exit:
    """Say what a cancel would do; ask for nothing."""
    answer = await client.get(f"{following.path_of(generation_id)}/cancel-preview")
    if as_json:
        print_json(answer)
    else:
        words = f"{generation_id}: {answer['message']} cost then: {showing.money(answer)}"
        console.line(console.output(), words)
    return Exit.OK


async def delete(client: Client, generation_id: str) -> Exit:
    """Erase a generation."""
    await client.delete(following.path_of(generation_id), patience_seconds=PATIENCE_SECONDS)
    console.line(console.output(), f"{generation_id} is deleted; what it cost stays in the books")
    return Exit.OK


async def workflow(client: Client, generation_id: str, as_json: bool) -> Exit:
    """Print what the workflow of a generation says of itself."""
    answer = await client.get(f"{following.path_of(generation_id)}/workflow")
    if as_json:
        print_json(answer)
    else:
        showing.workflow(console.output(), answer)
    return Exit.OK


async def listing(client: Client, query: dict[str, Any], as_json: bool) -> Exit:
    """Print one page of generations."""
    page = await client.get("/v1/generations", query)
    if as_json:
        print_json(page)
    elif page["data"]:
        showing.generations(console.output(), page)
    else:
        console.line(console.output(), "no generations")
    return Exit.OK
