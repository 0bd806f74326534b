"""What happened to a generation: as JSON pages, or as a stream of server-sent events with exact resume.

The id of a streamed event is its `seq`, dense from 1: who reconnects with `Last-Event-ID` gets the next one, none
twice and none left out. A stream ends after the generation's end; reconnecting there is answered 204, which tells a
browser's EventSource to stop.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from api.generations.finding import find
from api.generations.paths import GenerationId
from api.generations.schemas import EventOut, EventPage
from api.problems import FieldError, Problem
from api.service import Here, Service
from domain.events import Event
from domain.generation import Generation
from storage import catalog, events
from storage.database import uninterrupted

router = APIRouter(prefix="/v1/generations", tags=["events"])

PAGE = 100
SEQ_MAX = 2**31 - 1
_LOOK_EVERY_SECONDS = 0.25
_KEEP_ALIVE_SECONDS = 15.0
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/{generation_id}/events",
    response_model=EventPage,
    responses={200: {"content": {"text/event-stream": {}}}, 204: {"description": "There will be no more."}},
    summary="What happened, and what happens",
)
async def stream(
    service: Here,
    request: Request,
    generation_id: GenerationId,
    after: Annotated[int, Query(ge=0, le=SEQ_MAX, description="Only events after this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="Of a JSON page.")] = PAGE,
    last_event_id: Annotated[
        str | None, Header(description="As browsers send it; wins over `after`.")
    ] = None,
) -> Response:
    """Stream events to those who accept `text/event-stream`; return a JSON page to all others."""
    generation = await find(service, generation_id)
    since = after if last_event_id is None else _seq(last_event_id)
    if "text/event-stream" not in request.headers.get("accept", ""):
        return await _page(service, generation_id, since, limit)
    # Who claims to have seen more than there is still gets what comes next.
    since = min(since, generation.last_seq)
    if generation.status.is_terminal and since == generation.last_seq:
        return Response(status_code=204)
    return StreamingResponse(
        _stream(service, generation_id, since), media_type="text/event-stream", headers=_STREAM_HEADERS
    )


async def _page(service: Service, generation_id: str, since: int, limit: int) -> Response:
    async with service.database.read() as connection:
        found = await events.after(connection, generation_id, since, limit + 1)
    shown = [EventOut.of(event) for event in found[:limit]]
    has_more = len(found) > limit
    page = EventPage(data=shown, has_more=has_more, next=shown[-1].seq if has_more else None)
    return JSONResponse(page.model_dump(mode="json"), headers={"Vary": "Accept"})


async def _stream(service: Service, generation_id: str, since: int) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    loop = asyncio.get_running_loop()
    spoke = loop.time()
    while not service.stopping.is_set():
        found, generation = await _look(service, generation_id, since)
        for event in found:
            yield _frame(event)
            since = event.seq
        if found:
            spoke = loop.time()
            if generation is None or (generation.status.is_terminal and since >= generation.last_seq):
                return
        elif loop.time() - spoke >= _KEEP_ALIVE_SECONDS:
            yield b": still here\n\n"
            spoke = loop.time()
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        try:
            await service.look_again()
        except Problem:
            return  # the key was revoked, or the session is over; who comes again is told


@uninterrupted
async def _look(
    service: Service, generation_id: str, since: int
) -> tuple[Sequence[Event], Generation | None]:
    """Return what is new; with news, also how the generation stands, as the last event need not be the end's."""
    async with service.database.read() as connection:
        found = await events.after(connection, generation_id, since, PAGE)
        return found, await catalog.find(connection, generation_id) if found else None


def _frame(event: Event) -> bytes:
    data = EventOut.of(event).model_dump_json()
    return f"id: {event.seq}\nevent: {event.type}\ndata: {data}\n\n".encode()


def _seq(last_event_id: str) -> int:
    if re.fullmatch(r"[0-9]{1,10}", last_event_id) and int(last_event_id) <= SEQ_MAX:
        return int(last_event_id)
    message = "is not an event id of ours: send the last `id` that was received"
    error = FieldError(pointer="/header/Last-Event-ID", code="invalid_event_id", message=message)
    raise Problem("invalid_request", f"Last-Event-ID {message}", [error])
