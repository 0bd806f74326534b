"""Seedance's API on ModelArk at its own paths: `/api/v3/contents/generations/tasks`.

What the contract says, this does: bearer keys, nulls that mean nothing, queued tasks that can be cancelled
and running ones that cannot (409), a DELETE that removes the record of an ended one, a list newest first,
`usage` only on success, unsigned callbacks, error codes beside HTTP statuses. Any key is good but `invalid`.
Any POST below the tasks makes nothing, though the vendor's falls through to the creation; it is counted as
`unknown`.

Own readings: unknown tasks are 404 ResourceNotFound; pages have 20 tasks; what was ordered is repeated from
the beginning on. Its films are silent even where sound was asked for and paid, no last frame is handed out,
and no task expires.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from pydantic import JsonValue
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Operation, words
from sandbox.films.outputs import address
from sandbox.house import House, NewJob, at_the_door, refusal
from sandbox.jobs import TERMINAL, Callback, Job, State
from sandbox.wires.seedance.errors import INVALID, MISSING, RUNNING, Issue, bad_request, error_body, refuse
from sandbox.wires.seedance.models import FRAME_RATE, NAME, find, short_name, tokens
from sandbox.wires.seedance.requests import Order, OrderReader

TASKS: Final = "/api/v3/contents/generations/tasks"
_MAX_BODY: Final = 64 * 1024 * 1024
_USUAL_PAGE: Final = 20
_LONGEST_PAGE: Final = 500
_STATUSES: Final = {
    State.PENDING: "queued",
    State.THROTTLED: "queued",
    State.RUNNING: "running",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}
_FILTERED: Final = frozenset({*_STATUSES.values(), "expired"})


def routes(house: House) -> list[Route]:
    """Seedance's routes; from now on the house's callbacks know its words."""
    house.callbacks.describe(NAME, partial(_task, house))
    return [
        Route(TASKS, _numbered(partial(_create, house)), methods=["POST"]),
        Route(TASKS, _numbered(partial(_list, house)), methods=["GET"]),
        Route(f"{TASKS}/{{id}}", _guarded(house, Operation.STATUS, _retrieve), methods=["GET"]),
        Route(f"{TASKS}/{{id}}", _guarded(house, Operation.CANCEL, _delete), methods=["DELETE"]),
        Route(f"{TASKS}/{{rest:path}}", _numbered(partial(_unknown, house)), methods=["POST"]),
    ]


async def _create(house: House, request: Request) -> Response:
    house.knock(NAME, request)
    # All of it first, so that a client has sent it before a fault breaks the connection.
    content = await request.body()
    if refused := house.enter(NAME, Operation.CREATE, error_body) or _stranger(request):
        return refused
    body = _read(content)
    if isinstance(body, Response):
        return body
    order = await _order(body)
    if isinstance(order, Response):
        return order
    if house.jobs.lane(NAME, order.lane).created_today(house.jobs.now()) >= house.settings.daily_cap:
        return refuse(429, "QuotaExceeded", f"The daily quota of {order.lane} is used up.")
    faults = words(order.prompt, NAME)
    if door := at_the_door(faults):
        return refusal(door, error_body)
    faults += house.on_leaving(NAME, Operation.CREATE)
    job = house.start_job(NAME, _new_job(request, body, order), faults)
    return await house.answer(JSONResponse({"id": job.job_id}), Operation.CREATE, faults, error_body)


async def _order(body: dict[str, JsonValue]) -> Order | Response:
    """What is ordered, or its refusal."""
    model_id = body.get("model")
    if model_id is None:
        return bad_request([Issue(MISSING, "model", "A model is needed.")])
    if not isinstance(model_id, str):
        return bad_request([Issue(INVALID, "model", "Expected a string.")])
    if (model := find(model_id)) is None:
        return refuse(404, "InvalidEndpoint.NotFound", f"There is no model {model_id}.", "model")
    reader = OrderReader(model_id, model, body)
    # Decoding a large image takes a while; everybody else is answered meanwhile.
    order = await asyncio.to_thread(reader.read) if reader.has_images else reader.read()
    return bad_request(reader.issues) if order is None else order


def _new_job(request: Request, body: dict[str, JsonValue], order: Order) -> NewJob:
    url = order.callback_url
    return NewJob(
        job_id=f"cgt-{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(5)}",
        lane=order.lane,
        client_reference=request.headers.get("idempotency-key"),
        request=body,
        film=order.film,
        price=order.price,
        price_if_cancelled=0,
        price_if_failed=lambda _: 0,
        echo=order.echo,
        callback=None if url is None else Callback(url=url, base_url=str(request.base_url)),
    )


async def _list(house: House, request: Request) -> Response:
    if refused := house.enter(NAME, Operation.LIST, error_body) or _stranger(request):
        return refused
    query = request.query_params
    issues: list[Issue] = []
    page, size = (_page(query, "page_num", 1, issues), _page(query, "page_size", _USUAL_PAGE, issues))
    if query.get("filter.status", "queued") not in _FILTERED:
        issues.append(Issue(INVALID, "filter.status", f"Not one of {', '.join(sorted(_FILTERED))}."))
    if issues:
        return bad_request(issues)
    faults = house.on_leaving(NAME, Operation.LIST)
    now, base_url = house.jobs.now(), str(request.base_url)
    found = [job for job in reversed(house.jobs.known_to(NAME)) if _is_wanted(query, job, now)]
    items = [_listed(house, job, now, base_url) for job in found[(page - 1) * size : page * size]]
    answer = JSONResponse({"total": len(found), "items": items})
    return await house.answer(answer, Operation.LIST, faults, error_body)


async def _unknown(house: House, _: Request) -> Response:
    house.counts[NAME, "unknown"] += 1
    return refuse(404, "InvalidAction", "There is nothing to POST to below the tasks.")


def _guarded(
    house: House, operation: Operation, act: Callable[[House, Request, Job], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint about one task: checks the caller, finds the task, acts, answers."""

    async def endpoint(request: Request) -> Response:
        if refused := house.enter(NAME, operation, error_body) or _stranger(request):
            return refused
        job = house.jobs.get(NAME, request.path_params["id"])
        if job is None:
            return refuse(404, "ResourceNotFound", "The task is not found.", "id")
        faults = house.on_leaving(NAME, operation)
        return await house.answer(act(house, request, job), operation, faults, error_body)

    return _numbered(endpoint)


def _retrieve(house: House, request: Request, job: Job) -> Response:
    return JSONResponse(_task(house, job, house.jobs.now(), str(request.base_url)))


def _delete(house: House, _: Request, job: Job) -> Response:
    match job.state(house.jobs.now()):
        case State.RUNNING:
            message = "The task is running and cannot be deleted."
            return refuse(409, RUNNING, message)
        case State.PENDING | State.THROTTLED:
            house.jobs.cancel(job)
        case _:
            house.jobs.delete(job)
    return JSONResponse({})


def _task(house: House, job: Job, now: float, base_url: str) -> dict[str, JsonValue]:
    state = job.state(now)
    started_at = job.created_at if job.starts_at is None or state is State.PENDING else job.starts_at
    task: dict[str, JsonValue] = {
        "id": job.job_id,
        "status": _STATUSES[state],
        "created_at": int(job.created_at),
        "updated_at": int(job.ends_at if state in TERMINAL else started_at),
        **job.echo,
    }
    if state is State.SUCCEEDED:
        spent = tokens((job.film.width, job.film.height), _frames(job))
        task["content"] = {"video_url": address(base_url, job, now + house.settings.output_ttl_seconds)}
        task["usage"] = {"completion_tokens": spent, "total_tokens": spent}
    if state is State.FAILED:
        task["error"] = {"code": job.failure_code, "message": _reason(job.failure_code or "")}
    return task


def _listed(house: House, job: Job, now: float, base_url: str) -> dict[str, JsonValue]:
    hidden = {"both": (), "seed": ("safety_identifier",), "nothing": ("safety_identifier", "seed")}
    task = _task(house, job, now, base_url)
    for field in hidden[house.settings.seedance_list_echoes]:
        task.pop(field, None)
    return task


def _is_wanted(query: QueryParams, job: Job, now: float) -> bool:
    ids = query.getlist("filter.task_ids")
    return (
        query.get("filter.status") in (None, _STATUSES[job.state(now)])
        and short_name(query.get("filter.model", job.lane)) == job.lane
        and query.get("filter.service_tier") in (None, job.echo["service_tier"])
        and (not ids or job.job_id in ids)
    )


def _frames(job: Job) -> int:
    frames, seconds = job.echo.get("frames"), job.echo.get("duration")
    return frames if isinstance(frames, int) else int(str(seconds)) * FRAME_RATE + 1


def _reason(code: str) -> str:
    is_moderated = "SensitiveContentDetected" in code
    return "It may contain sensitive information." if is_moderated else "The task could not be done."


def _page(query: QueryParams, name: str, usual: int, issues: list[Issue]) -> int:
    written = query.get(name, str(usual))
    if written.isdecimal() and 1 <= int(written) <= _LONGEST_PAGE:
        return int(written)
    issues.append(Issue(INVALID, name, f"Must be 1 to {_LONGEST_PAGE}."))
    return usual


def _read(content: bytes) -> dict[str, JsonValue] | Response:
    if len(content) > _MAX_BODY:
        return refuse(413, INVALID, "The body has more than 64 MB.")
    try:
        body = json.loads(content)
        # neither infinite nor half a character
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return refuse(400, INVALID, "The body is not valid JSON.")
    return body if isinstance(body, dict) else refuse(400, INVALID, "The body is not an object.")


def _stranger(request: Request) -> Response | None:
    """The refusal of a caller without a good key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip() not in ("", "invalid"):
        return None
    return refuse(401, "AuthenticationError", "The API key is missing or not valid.")


def _numbered(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint, with an `X-Request-Id` on each of its answers."""

    async def numbered(request: Request) -> Response:
        response = await endpoint(request)
        response.headers["X-Request-Id"] = f"{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(12).upper()}"
        return response

    return numbered
