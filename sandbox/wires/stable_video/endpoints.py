"""Stable Video over Stability's REST wire, as its hosted API spoke it: `/v2beta/image-to-video`.

A form makes a job; one GET is both poll and download: 202 while the job runs, then the video itself, or for
`Accept: application/json` a body that holds it in base64. There is no prompt, so no fault can be written into
one. It cancels, lists and calls back nothing, and knows no client tag, as Stability does not either: the
faults of `list`, `cancel` and `duplicate_callback` have no effect here. Any key is good but `invalid`.

Faults of that GET: it is a `status` always, so `status:<code>`, `reset_connection`, `drop_reply` and `slow` are
armed there. One that would send a video is an `output` as well, and is spoiled as other providers' downloads
are; one that answers JSON is not.
A job with `fail_job:CONTENT_FILTERED` answers 200 with that reason and a video; any other failure is an error
status: the one that the code is or names, else 500. A failure costs nothing, which for a filtered video is an
own reading. Since 2025-07-24 the hosted API answers both paths with 404: arm `status:404`.

Own readings: without an `Accept` the answer is the video; the name of 422 is not documented; no byte ranges.
A result is kept for `output_ttl_seconds` after the job's end, 24 hours as on the wire unless told. A video of
25 frames at 6.25 a second is one of the same four seconds at the rate of all sandbox films.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Final

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Operation
from sandbox.films.outputs import download
from sandbox.house import House, NewJob
from sandbox.jobs import Job, State
from sandbox.wires.stable_video.requests import (
    MAX_BODY_BYTES,
    MAX_SEED,
    NAME,
    RANDOM_SEED,
    OrderReader,
    RequestRefusedError,
    read_fields,
)

PRICE_MICRO_USD: Final = 200_000
_PATH: Final = "/v2beta/image-to-video"
_FILTERED: Final = "CONTENT_FILTERED"
_NAMES: Final = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "content_moderation",
    404: "not_found",
    413: "payload_too_large",
    422: "unprocessable_entity",
    429: "rate_limit_exceeded",
    500: "internal_error",
}
_STATUSES: Final = {name: status for status, name in _NAMES.items()}
_INTERNAL: Final = 500


def routes(house: House) -> list[Route]:
    """Stability's routes for videos."""
    return [
        Route(_PATH, partial(_create, house), methods=["POST"]),
        Route(f"{_PATH}/result/{{id}}", partial(_result, house), methods=["GET"]),
    ]


def error_body(status: int, message: str) -> Mapping[str, JsonValue]:
    """Stability's error body."""
    return _errors(status, [message])


async def _create(house: House, request: Request) -> Response:
    house.knock(NAME, request)
    # All of it first, so that a client has sent it before a fault breaks the connection.
    body = await _body(request)
    if refused := house.enter(NAME, Operation.CREATE, error_body) or _stranger(request):
        return refused
    if body is None:
        return _refused(413, ["body: must be at most 10 MB"])
    try:
        fields = await read_fields(request, body)
        order = await asyncio.to_thread(OrderReader(fields).read)
    except RequestRefusedError as error:
        return _refused(400, error.errors)
    faults = house.on_leaving(NAME, Operation.CREATE)
    seed = secrets.randbelow(MAX_SEED) + 1 if order.seed == RANDOM_SEED else order.seed
    new = NewJob(
        job_id=secrets.token_hex(32),
        lane=NAME,
        client_reference=request.headers.get("idempotency-key"),
        request=order.recorded,
        film=order.film(seed),
        price=PRICE_MICRO_USD,
        price_if_cancelled=0,
        price_if_failed=lambda _: 0,
        echo={"seed": seed},
    )
    job = house.start_job(NAME, new, faults)
    return await house.answer(JSONResponse({"id": job.job_id}), Operation.CREATE, faults, error_body)


async def _result(house: House, request: Request) -> Response:
    if refused := house.enter(NAME, Operation.STATUS, error_body) or _stranger(request):
        return refused
    job = house.jobs.get(NAME, request.path_params["id"])
    if job is None or house.jobs.now() >= job.ends_at + house.settings.output_ttl_seconds:
        return _refused(404, ["id: no such result, or it has expired"])
    faults = house.on_leaving(NAME, Operation.STATUS)
    return await house.answer(await _outcome(house, request, job), Operation.STATUS, faults, error_body)


async def _outcome(house: House, request: Request, job: Job) -> Response:
    """What a job has come to by now."""
    match job.state(house.jobs.now()):
        case State.SUCCEEDED:
            return await _video(house, request, job, "SUCCESS")
        case State.FAILED if job.failure_code == _FILTERED:
            return await _video(house, request, job, _FILTERED)
        case State.FAILED:
            status = _status_of(job.failure_code or "")
            return _refused(status, [f"The generation failed: {job.failure_code}."])
        case _:
            return JSONResponse({"id": job.job_id, "status": "in-progress"}, 202)


async def _video(house: House, request: Request, job: Job, finish_reason: str) -> Response:
    seed = job.echo["seed"]
    if "application/json" in request.headers.get("accept", "").lower():
        video = base64.b64encode(await house.films.develop(job.film)).decode()
        return JSONResponse({"video": video, "finish_reason": finish_reason, "seed": seed})
    if refused := house.enter(NAME, Operation.OUTPUT, error_body):
        return refused
    response = await download(house, None, job)
    response.headers.update({"finish-reason": finish_reason, "seed": str(seed)})
    return response


async def _body(request: Request) -> bytes | None:
    """All of a body, or None as soon as it is too large; the server throws the rest of it away."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


def _stranger(request: Request) -> Response | None:
    """The refusal of a caller without a good key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip() not in ("", "invalid"):
        return None
    return _refused(401, ["authorization: missing or not a valid API key"])


def _status_of(code: str) -> int:
    """The error status with which a failed job answers."""
    if code.isdecimal() and len(code) == 3 and code[0] in "45":  # noqa: PLR2004 - the digits of a status
        return int(code)
    return _STATUSES.get(code, _INTERNAL)


def _refused(status: int, errors: list[str]) -> Response:
    return JSONResponse(dict(_errors(status, errors)), status)


def _errors(status: int, errors: list[str]) -> Mapping[str, JsonValue]:
    usual = "internal_error" if status >= _INTERNAL else "bad_request"
    return {
        "id": secrets.token_hex(32),
        "name": _NAMES.get(status, usual),
        "errors": list[JsonValue](errors),
    }
