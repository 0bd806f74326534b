"""Runway's API at its own paths: `/v1/text_to_video`, `/v1/image_to_video`, `/v1/tasks`, `/v1/organization`.

What the vendor's SDK and docs say (api version 2024-11-06), this does: bearer keys, the version header,
camelCase, six statuses, `progress` only while RUNNING, `cost` only at the end, a fresh output URL at each
poll, one DELETE that cancels or destroys. It lists nothing and calls nobody back, as Runway does not either:
the faults of `list` and `duplicate_callback` have no effect here. Any key is good but `invalid`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Operation, words
from sandbox.films.outputs import address
from sandbox.house import House, NewJob, at_the_door, refusal
from sandbox.jobs import Job, State
from sandbox.wires.runway.requests import MODELS, NAME, Endpoint, Order, OrderReader

VERSION: Final = "2024-11-06"
MICRO_USD_PER_CREDIT: Final = 10_000
_DOCS: Final = "https://docs.dev.runwayml.com/api"
_MAX_BODY: Final = 16 * 1024 * 1024
_PLENTY_OF_CREDITS: Final = 1_000_000_000
_NOT_REFUNDED: Final = "SAFETY.INPUT."
_REASONS: Final = {
    "SAFETY": "The content was flagged by the moderation system.",
    "INPUT_PREPROCESSING.SAFETY": "The input was flagged by the moderation system.",
    "ASSET": "The asset could not be used.",
    "THIRD_PARTY": "The model's provider could not do it.",
}


def routes(house: House) -> list[Route]:
    """Runway's routes."""
    return [
        Route(f"/v1/{Endpoint.TEXT}", partial(_create, house, Endpoint.TEXT), methods=["POST"]),
        Route(f"/v1/{Endpoint.IMAGE}", partial(_create, house, Endpoint.IMAGE), methods=["POST"]),
        Route("/v1/tasks/{id}", _guarded(house, Operation.STATUS, _retrieve), methods=["GET"]),
        Route("/v1/tasks/{id}", _guarded(house, Operation.CANCEL, _delete), methods=["DELETE"]),
        Route("/v1/organization", partial(_organization, house), methods=["GET"]),
    ]


def error_body(_: int, message: str) -> Mapping[str, JsonValue]:
    """Runway's error body."""
    return {"error": message}


async def _create(house: House, endpoint: Endpoint, request: Request) -> Response:
    house.knock(NAME, request)
    # All of it first, so that a client has sent it before a fault breaks the connection.
    content = await request.body()
    if refused := house.enter(NAME, Operation.CREATE, error_body) or _stranger(house, request):
        return refused
    body = _read(content)
    if isinstance(body, Response):
        return body
    reader = OrderReader(endpoint, body)
    order = reader.read()
    if order is None:
        return _bad_request("Validation of body failed", reader.issues)
    if refused := _over_limits(house, order):
        return refused
    faults = words(order.prompt, NAME)
    if door := at_the_door(faults):
        return refusal(door, error_body)
    faults += house.on_leaving(NAME, Operation.CREATE)
    price = order.credits * MICRO_USD_PER_CREDIT
    new = NewJob(
        job_id=str(uuid.uuid4()),
        lane=order.model,
        client_reference=request.headers.get("idempotency-key"),
        request=body,
        film=order.film,
        price=price,
        price_if_cancelled=price,
        price_if_failed=lambda code: price if code.startswith(_NOT_REFUNDED) else 0,
    )
    job = house.start_job(NAME, new, faults)
    answer = JSONResponse({"id": job.job_id, "estimatedCost": {"credits": order.credits}})
    return await house.answer(answer, Operation.CREATE, faults, error_body)


def _guarded(
    house: House, operation: Operation, act: Callable[[House, Request, Job], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint about one task: checks the caller, finds the task, acts, answers."""

    async def endpoint(request: Request) -> Response:
        if refused := house.enter(NAME, operation, error_body) or _stranger(house, request):
            return refused
        job = house.jobs.get(NAME, request.path_params["id"])
        if job is None:
            return JSONResponse({"error": "Task not found."}, 404)
        faults = house.on_leaving(NAME, operation)
        return await house.answer(act(house, request, job), operation, faults, error_body)

    return endpoint


def _retrieve(house: House, request: Request, job: Job) -> Response:
    return JSONResponse(_task(house, job, str(request.base_url)))


def _delete(house: House, _: Request, job: Job) -> Response:
    house.jobs.delete(job)
    return Response(status_code=204)


async def _organization(house: House, request: Request) -> Response:
    house.counts[NAME, "organization"] += 1
    if refused := _stranger(house, request):
        return refused
    now = house.jobs.now()
    names = sorted({name for rules in MODELS.values() for name in rules})
    settings = house.settings
    limits = {"maxConcurrentGenerations": settings.max_concurrent, "maxDailyGenerations": settings.daily_cap}
    used = {name: {"dailyGenerations": house.jobs.lane(NAME, name).created_today(now)} for name in names}
    return JSONResponse(
        {
            "creditBalance": _balance(house, now),
            "tier": {"maxMonthlyCreditSpend": _PLENTY_OF_CREDITS, "models": dict.fromkeys(names, limits)},
            "usage": {"models": used},
        }
    )


def _task(house: House, job: Job, base_url: str) -> dict[str, JsonValue]:
    now = house.jobs.now()
    state = job.state(now)
    created_at = datetime.fromtimestamp(job.created_at, UTC).isoformat(timespec="milliseconds")
    task: dict[str, JsonValue] = {
        "id": job.job_id,
        "status": state.name,
        "createdAt": created_at.replace("+00:00", "Z"),
    }
    if state in (State.PENDING, State.THROTTLED, State.RUNNING):
        task["estimatedCost"] = {"credits": job.price // MICRO_USD_PER_CREDIT}
    else:
        task["cost"] = {"credits": job.billed(now) // MICRO_USD_PER_CREDIT}
    if state is State.RUNNING:
        task["progress"] = round(job.progress(now), 4)
    if state is State.SUCCEEDED:
        task["output"] = [address(base_url, job, now + house.settings.output_ttl_seconds)]
    if state is State.FAILED and job.failure_code:
        reasons = (text for prefix, text in _REASONS.items() if job.failure_code.startswith(prefix))
        task |= {"failure": next(reasons, "An internal error occurred."), "failureCode": job.failure_code}
    return task


def _stranger(house: House, request: Request) -> Response | None:
    """The refusal of a caller without a good key or without a version."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or key.strip() in ("", "invalid"):
        return JSONResponse({"error": "You did not provide a valid API key."}, 401)
    version = request.headers.get("x-runway-version")
    if version == VERSION:
        return None
    message = f"The X-Runway-Version header must be {VERSION}, not {version or 'missing'}."
    return JSONResponse({"error": message, "docUrl": _DOCS}, house.settings.runway_missing_version_status)


def _read(content: bytes) -> dict[str, JsonValue] | Response:
    if len(content) > _MAX_BODY:
        return JSONResponse({"error": "The body is too large."}, 413)
    try:
        body = json.loads(content)
        json.dumps(
            body, allow_nan=False, ensure_ascii=False
        ).encode()  # neither infinite nor half a character
    except ValueError:
        return _bad_request("The body is not valid JSON", [])
    if not isinstance(body, dict):
        issue: JsonValue = {"code": "invalid_type", "path": [], "message": "Expected an object."}
        return _bad_request("Validation of body failed", [issue])
    return body


def _bad_request(message: str, issues: list[JsonValue]) -> Response:
    return JSONResponse({"error": message, "issues": issues, "docUrl": _DOCS}, 400)


def _over_limits(house: House, order: Order) -> Response | None:
    now = house.jobs.now()
    lane = house.jobs.lane(NAME, order.model)
    if lane.created_today(now) >= house.settings.daily_cap:
        seconds = f"{lane.day_frees_in(now):.0f}"
        headers = {"Retry-After": seconds} if house.settings.sends_retry_after else {}
        message = f"You have reached the daily generation limit of {order.model}."
        return JSONResponse({"error": message}, 429, headers)
    if house.settings.runway_credits is not None and _balance(house, now) < order.credits:
        return _bad_request("You do not have enough credits to run this task.", [])
    return None


def _balance(house: House, now: float) -> int:
    """The credits that are left; what has not ended yet is held at its full price."""
    left = _PLENTY_OF_CREDITS if house.settings.runway_credits is None else house.settings.runway_credits
    for job in house.jobs.all():
        if job.provider == NAME:
            held = job.state(now) in (State.PENDING, State.THROTTLED, State.RUNNING)
            left -= (job.price if held else job.billed(now)) // MICRO_USD_PER_CREDIT
    return left
