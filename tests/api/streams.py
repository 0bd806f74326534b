"""Reading server-sent events as a browser's EventSource does."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.stack import Stack

EVENT_STREAM = {"Accept": "text/event-stream"}
PATIENCE_SECONDS = 40


async def frames(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The events of an open stream, each as its data, which must say the same as the frame around it."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line and "data" in fields:
            event = json.loads(fields["data"])
            assert (fields["id"], fields["event"]) == (str(event["seq"]), event["type"])
            yield event
        if not line:
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


async def stream(
    stack: Stack, generation_id: str, *, last: int | None = None, query: str = ""
) -> list[dict[str, Any]]:
    """Everything that a stream tells until it ends by itself.

    Args:
        stack: Where.
        generation_id: Of what.
        last: Sent as `Last-Event-ID`.
        query: Of the URL, such as `?after=3`.
    """
    headers = EVENT_STREAM | ({} if last is None else {"Last-Event-ID": str(last)})
    path = f"/v1/generations/{generation_id}/events{query}"
    async with asyncio.timeout(PATIENCE_SECONDS), stack.http.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, answer.status_code
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        return [event async for event in frames(answer)]


async def until(
    stack: Stack, generation_id: str, kind: str, *, last: int | None = None
) -> list[dict[str, Any]]:
    """What a stream tells up to the first event of a kind; then the reader leaves, or is left."""
    headers = EVENT_STREAM | ({} if last is None else {"Last-Event-ID": str(last)})
    path = f"/v1/generations/{generation_id}/events"
    told: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_SECONDS), stack.http.stream("GET", path, headers=headers) as answer:
        async for event in frames(answer):
            told.append(event)
            if event["type"] == kind:
                break
    return told


def seqs(events: list[dict[str, Any]]) -> list[int]:
    """The numbers of events."""
    return [event["seq"] for event in events]
