"""Generations over HTTP: order, look, list, cancel, regenerate."""

import asyncio
import re
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.problems import FieldError, Problem, invalid, not_found
from api.schemas import CancelOut, GenerationOut, Money
from api.service import TENANT, Here, Service, now
from domain.capabilities import plan
from domain.generation import Generation
from domain.ids import is_generation_id, new_generation_id
from domain.messages import Signal
from domain.outcomes import CancelOutcome
from domain.regeneration import next_take
from domain.request import SEED_MAX, CancelRequest, GenerationRequest, RegenerateRequest
from failpoints import Point, reach
from storage import catalog, wishes
from storage.idempotency import Key, KeyReused, Reply, Work, once

router = APIRouter(prefix="/v1/generations", tags=["generations"])

WAIT_MAX = 60
_WAIT_STEP_SECONDS = 0.2

GenerationId = Annotated[str, Path(description="`gen_` and 26 characters.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat a request with the same key and it is done once; kept for 48 hours.",
    ),
]
_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")


@router.post(
    "",
    status_code=202,
    response_model=GenerationOut,
    summary="Order a video",
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "examples": {
                        "shortest": {"value": {"prompt": "A red fox runs over fresh snow, low sun"}},
                        "in full": {
                            "value": {
                                "prompt": "A red fox runs over fresh snow, low sun",
                                "provider": "runway",
                                "model": "gen4.5",
                                "params": {
                                    "duration_seconds": 5,
                                    "aspect_ratio": "16:9",
                                    "resolution": "720p",
                                    "seed": 7,
                                },
                                "project_id": "winter",
                                "metadata": {"scene": "12b"},
                                "max_cost_usd": "1.00",
                            }
                        },
                    }
                }
            }
        }
    },
)
async def create(
    service: Here,
    request: Request,
    body: GenerationRequest,
    idempotency_key: IdempotencyKey = None,
    prefer: Annotated[str | None, Header(description="`wait=N`: answer after at most N seconds.")] = None,
) -> JSONResponse:
    """Write the order down and answer 202: from then on it ends in exactly one terminal state."""
    planned = plan(body, service.providers, secrets.randbelow(SEED_MAX + 1))
    generation_id = new_generation_id()

    async def work(connection: AsyncConnection) -> Reply:
        person = wishes.Person(tenant_id=TENANT, mode=service.settings.mode)
        generation = await wishes.create(connection, generation_id, person, body, planned, now())
        reach(Point.WISH_BEFORE_COMMIT)
        return _accepted(service, generation)

    reply = await _once(service, request, idempotency_key, work)
    reach(Point.WISH_AFTER_COMMIT)
    if not reply.replayed:
        service.nudge_soon(generation_id, Signal.REGENERATE, 1)
    seconds = _preferred_wait(prefer)
    if seconds:
        generation = await _wait(service, reply.body["id"], seconds, None)
        answer = _respond(Reply(reply.status, _json(service, generation), reply.headers, reply.replayed))
        answer.headers["Preference-Applied"] = f"wait={seconds}"
        return answer
    return _respond(reply)


@router.get("/{generation_id}", summary="Look at a generation")
async def show(
    service: Here,
    generation_id: GenerationId,
    wait: Annotated[int, Query(ge=0, le=WAIT_MAX, description="Seconds to wait for news, at most.")] = 0,
    after: Annotated[
        int | None,
        Query(ge=0, le=2**31 - 1, description="News is an event after this one; without it, the end."),
    ] = None,
) -> GenerationOut:
    """Return the generation as it stands, at once or when there is news."""
    if wait:
        return service.show(await _wait(service, generation_id, wait, after))
    return service.show(await service.find(generation_id))


@router.post("/{generation_id}/cancel", status_code=202, response_model=CancelOut, summary="Cancel")
async def cancel(
    service: Here,
    request: Request,
    generation_id: GenerationId,
    body: CancelRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Cancel the current take. The outcome is final at once where nothing was sent yet, else it follows.

    A second cancel is the same 202, with the outcome as it stands by then.
    """
    is_new = False

    async def work(connection: AsyncConnection) -> Reply:
        generation = await _load_to_change(service, connection, generation_id)
        nonlocal is_new
        is_new = generation.current.cancel_requested_at is None
        reason = body.reason if body else None
        take = await wishes.cancel(connection, generation, now(), by="user", reason=reason)
        after = await catalog.load(connection, generation_id)
        answer = CancelOut(
            generation_id=generation_id,
            take=take.number,
            outcome=take.cancel_outcome or CancelOutcome.REQUESTED,
            billed=take.cancel_billed,
            cost=Money.of(after.cost),
        )
        return Reply(202, answer.model_dump(mode="json"), _location(generation_id))

    try:
        reply = await _once(service, request, idempotency_key, work)
    except wishes.AlreadyOver as over:
        raise Problem(
            "already_over", f"The generation is {over.status} already; nothing was cancelled."
        ) from over
    if is_new:
        service.nudge_soon(generation_id, Signal.CANCEL, reply.body["take"])
    return _respond(reply)


@router.post(
    "/{generation_id}/regenerate", status_code=202, response_model=GenerationOut, summary="Make the next take"
)
async def regenerate(
    service: Here,
    request: Request,
    generation_id: GenerationId,
    body: RegenerateRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Make another take: what is not mentioned is kept, what is null is cleared, the seed is new unless given."""

    async def work(connection: AsyncConnection) -> Reply:
        generation = await _load_to_change(service, connection, generation_id)
        seed = secrets.randbelow(SEED_MAX + 1)
        change = body or RegenerateRequest()
        try:
            asked, planned = next_take(generation.current.request, change, service.providers, seed)
        except ValidationError as error:
            raise invalid(error.errors(include_url=False, include_input=False)) from error
        after = await wishes.regenerate(connection, generation, asked, planned, now())
        return _accepted(service, after)

    try:
        reply = await _once(service, request, idempotency_key, work)
    except wishes.StillRunning as running:
        raise Problem(
            "still_running", "The last take is not over: wait for it, or cancel it first."
        ) from running
    service.nudge_soon(generation_id, Signal.REGENERATE, reply.body["takes"][-1]["number"])
    return _respond(reply)


async def _once(service: Service, request: Request, key: str | None, work: Work) -> Reply:
    known = None
    if key is not None:
        known = Key.of(
            tenant_id=TENANT,
            method=request.method,
            path=request.url.path,
            key=key,
            body=await request.body(),
        )
    try:
        return await once(service.database, known, now(), work)
    except KeyReused as error:
        field = FieldError(pointer="/header/Idempotency-Key", code="reused", message=str(error))
        raise Problem("idempotency_key_reused", str(error), [field]) from error


async def _load_to_change(service: Service, connection: AsyncConnection, generation_id: str) -> Generation:
    generation = None
    if is_generation_id(generation_id):
        generation = await catalog.find(connection, generation_id, lock=True)
    if generation is None:
        raise not_found("generation")
    if generation.mode is not service.settings.mode:
        detail = (
            f"It was ordered in {generation.mode} mode, and this service is in {service.settings.mode} mode."
        )
        raise Problem("other_mode", detail)
    return generation


async def _wait(service: Service, generation_id: str, seconds: int, after: int | None) -> Generation:
    """Return the generation when there is news, or as it stands when the time is over."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        generation = await service.find(generation_id)
        has_news = generation.status.is_terminal if after is None else generation.last_seq > after
        if has_news or loop.time() >= until or service.stopping.is_set():
            return generation
        await asyncio.sleep(_WAIT_STEP_SECONDS)


def _preferred_wait(prefer: str | None) -> int:
    match = _PREFER_WAIT.search(prefer or "")
    return min(int(match[1]), WAIT_MAX) if match else 0


def _accepted(service: Service, generation: Generation) -> Reply:
    return Reply(202, _json(service, generation), _location(generation.id))


def _json(service: Service, generation: Generation) -> dict[str, Any]:
    return service.show(generation).model_dump(mode="json")


def _location(generation_id: str) -> dict[str, str]:
    return {"Location": f"/v1/generations/{generation_id}"}


def _respond(reply: Reply) -> JSONResponse:
    headers = reply.headers | ({"Idempotency-Replayed": "true"} if reply.replayed else {})
    return JSONResponse(reply.body, status_code=reply.status, headers=headers)
