"""Reading a generation's event log, and following it as it grows."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from cli import console
from cli.asking import showing
from cli.asking.following import TERMINAL, path_of
from cli.client import Client, Json, Unreachable
from cli.exits import Exit

_ALL_HEARD = 204
_PATIENCE_SECONDS = 60.0
_RECONNECT_SECONDS = 0.5


async def read(client: Client, generation_id: str, as_json: bool) -> Exit:
    """Print the events so far."""
    events = await so_far(client, generation_id)
    if as_json:
        console.print_json({"data": events, "has_more": False, "next": None})
    for event in () if as_json else events:
        showing.event(console.output(), event)
    return Exit.OK


async def follow(client: Client, generation_id: str, as_json: bool) -> Exit:
    """Print every event as it comes, exactly once, until the generation has ended; JSON is one event a line."""
    output = console.output()
    async for event in _as_they_come(client, generation_id):
        if as_json:
            console.line(output, json.dumps(event, ensure_ascii=False))
        else:
            showing.event(output, event)
    return Exit.OK


async def so_far(client: Client, generation_id: str) -> list[Json]:
    """Return the events so far."""
    events: list[Json] = []
    while True:
        after = events[-1]["seq"] if events else 0
        page = await client.get(f"{path_of(generation_id)}/events", {"after": after})
        fresh = [event for event in page["data"] if event["seq"] > after]
        events += fresh
        if not page.get("has_more") or not fresh:
            return events


async def _as_they_come(client: Client, generation_id: str) -> AsyncIterator[Json]:
    last, away_since = 0, time.monotonic()
    while True:
        try:
            headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last)}
            async with client.stream(f"{path_of(generation_id)}/events", headers) as response:
                if response.status_code == _ALL_HEARD:
                    return
                away_since = time.monotonic()
                async for event in messages(response.aiter_lines()):
                    if isinstance(event.get("seq"), int) and event["seq"] > last:
                        last = event["seq"]
                        yield event
        except Unreachable as away:
            if time.monotonic() - away_since > _PATIENCE_SECONDS or not last:
                raise
            client.note(f"{away.reason}; connecting again")
            await asyncio.sleep(_RECONNECT_SECONDS)
            continue
        if await _has_ended(client, generation_id, last):
            return
        await asyncio.sleep(_RECONNECT_SECONDS)


async def _has_ended(client: Client, generation_id: str, last: int) -> bool:
    state = await client.patiently(lambda: client.get(path_of(generation_id)), _PATIENCE_SECONDS)
    return state["status"] in TERMINAL and int(state.get("last_seq") or 0) <= last


async def messages(lines: AsyncIterator[str]) -> AsyncIterator[Json]:
    """Read the JSON messages of an event stream (WHATWG HTML, server-sent events)."""
    data: list[str] = []
    async for text in lines:
        if text.startswith("data:"):
            data.append(text.removeprefix("data:").removeprefix(" "))
        elif not text and data:
            message = json.loads("\n".join(data))
            data = []
            if isinstance(message, dict):
                yield message
