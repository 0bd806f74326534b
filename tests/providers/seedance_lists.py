"""Lists of Seedance tasks as a test writes them, and what is found in them."""

import asyncio
from typing import Any

from tests.providers.raw import RawServer, Script, answers, raw_server
from tests.providers.seedance_orders import (
    PRO,
    SEED,
    SENT_AT,
    a_seedance_order,
    seedance_at,
)

NOW = int(SENT_AT.timestamp())


def listed(task_id: str = "cgt-ours", **changes: object) -> dict[str, Any]:
    """A task in the list as our order becomes one, without a reference; None leaves a field out."""
    told = {
        "id": task_id,
        "model": PRO,
        "status": "running",
        "created_at": NOW + 1,
        "seed": SEED,
        "resolution": "720p",
        "ratio": "16:9",
        "duration": 5,
    } | changes
    return {name: value for name, value in told.items() if value is not None}


def a_page(*items: object, total: object = None) -> dict[str, Any]:
    return {"total": len(items) if total is None else total, "items": list(items)}


def in_turn(*scripts: Script) -> Script:
    """One script after the other, the last one again and again."""
    left = list(scripts)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(reader, writer)

    return script


def paths_of(server: RawServer) -> list[str]:
    return [received.split(b" ")[1].decode() for received in server.received]


async def found(*pages: object, picture: bytes | None = None, **changes: Any) -> str | None:
    """What is found in a list of these pages."""
    script = in_turn(*(answers(200, page) for page in pages))
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        return await seedance.find(a_seedance_order(picture=picture, **changes), SENT_AT)
