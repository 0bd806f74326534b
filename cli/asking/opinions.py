"""What the commands about takes do, over HTTP only: keep one, let it go, rate it."""

import uuid

from cli import console, showing
from cli.asking.following import path_of
from cli.asking.orders import PATIENCE_SECONDS, print_json
from cli.client import Client, Json
from cli.exits import Exit


async def keep(client: Client, generation_id: str, take: int, *, undo: bool, as_json: bool) -> Exit:
    """Mark a take as one to keep, or take the mark back."""
    path = f"{path_of(generation_id)}/takes/{take}/keep"
    if undo:
        generation = await client.delete(path, patience_seconds=PATIENCE_SECONDS)
    else:
        generation = await _post(client, path, {})
    return _told(generation, as_json)


async def rate(client: Client, generation_id: str, body: Json, *, as_json: bool) -> Exit:
    """Say what a take is worth."""
    return _told(await _post(client, f"{path_of(generation_id)}/feedback", body), as_json)


async def _post(client: Client, path: str, body: Json) -> Json:
    return await client.post(path, body, key=str(uuid.uuid4()), patience_seconds=PATIENCE_SECONDS)


def _told(generation: Json, as_json: bool) -> Exit:
    if as_json:
        print_json(generation)
    else:
        console.line(console.output(), str(generation["id"]))
        showing.takes(console.output(), generation)
    return Exit.OK
