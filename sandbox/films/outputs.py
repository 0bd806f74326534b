"""The door where finished films are fetched: signed addresses that expire, byte ranges, spoiled downloads.

    GET /_output/{provider}/{job_id}.mp4?_jwt=<expires>.<nonce>.<signature>

Each address is a fresh one. An expired or forged one answers 403, a destroyed film 404.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Final

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.faults import Fault, Kind, Operation
from sandbox.films.render import truncated
from sandbox.house import House
from sandbox.jobs import Job, State
from sandbox.wire import HangUp

_TYPE: Final = "video/mp4"
_SLOW_PIECES: Final = 20
_PAGE: Final = (
    b"<!doctype html><html><head><title>Just a moment</title></head><body>This is no video.</body></html>"
)


def address(base_url: str, job: Job, expires_at: float) -> str:
    """A new address of a job's output.

    Args:
        base_url: How the client calls the sandbox, ending in a slash.
        job: Whose output it is.
        expires_at: Until when it works, in unix seconds.
    """
    nonce, until = secrets.token_hex(8), f"{int(expires_at * 1000)}"
    token = f"{until}.{nonce}.{_signature(job, until, nonce)}"
    return f"{base_url}_output/{job.provider}/{job.job_id}.mp4?_jwt={token}"


def routes(house: House) -> list[Route]:
    """The route of the outputs of all providers."""

    async def output(request: Request) -> Response:
        provider, job_id = request.path_params["provider"], request.path_params["job_id"]
        if request.method == "GET" and (refused := house.enter(provider, Operation.OUTPUT, _error_body)):
            return refused
        job = house.jobs.get(provider, job_id)
        now = house.jobs.now()
        if job is None or job.state(now) is not State.SUCCEEDED:
            return PlainTextResponse("No such object.", 404)
        if not _is_valid(job, request.query_params.get("_jwt", ""), now):
            return PlainTextResponse("This address is not valid (any more).", 403)
        if request.method == "HEAD":
            return _whole_or_part(request, await house.films.develop(job.film))
        return await download(house, request, job)

    return [Route("/_output/{provider}/{job_id}.mp4", output, methods=["GET"])]


async def download(house: House, request: Request | None, job: Job) -> Response:
    """A job's film, or what an armed fault or one of the job's own makes of it.

    Args:
        house: Whose job it is.
        request: May ask for a part of it; None where a provider sends no parts.
        job: One that has ended.
    """
    faults = house.on_leaving(job.provider, Operation.OUTPUT)
    if not faults and job.output_faults:
        faults = [job.output_faults[0]]
        house.jobs.use_output_fault(job)
    film = job.film
    if any(fault.kind is Kind.WRONG_LENGTH for fault in faults):
        film = film.model_copy(update={"seconds": film.seconds / 2})
    content = await house.films.develop(film)
    for fault in faults:
        match fault.kind:
            case Kind.DROP_REPLY:
                return HangUp()
            case Kind.RESET_CONNECTION:
                headers = {"Content-Type": _TYPE, "Content-Length": str(len(content))}
                return HangUp(reset=True, headers=headers, beginning=content[: len(content) // 2])
            case Kind.SLOW:
                return _slowly(content, fault)
            case Kind.WRONG_TYPE:
                return Response(_PAGE, media_type=_TYPE)
            case Kind.TRUNCATED_OUTPUT:
                return Response(truncated(content), media_type=_TYPE)
            case _:
                continue
    return Response(content, media_type=_TYPE) if request is None else _whole_or_part(request, content)


def _whole_or_part(request: Request, content: bytes) -> Response:
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted is None or request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        return Response(content, media_type=_TYPE, headers=headers)
    first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, media_type=_TYPE, headers=headers)


def _slowly(content: bytes, fault: Fault) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        size = len(content) // _SLOW_PIECES + 1
        for start in range(0, len(content), size):
            yield content[start : start + size]
            await asyncio.sleep(fault.pause_seconds / _SLOW_PIECES)

    return StreamingResponse(pieces(), media_type=_TYPE, headers={"Content-Length": str(len(content))})


def _is_valid(job: Job, token: str, now: float) -> bool:
    until, _, rest = token.partition(".")
    nonce, _, signature = rest.partition(".")
    genuine = hmac.compare_digest(signature.encode(), _signature(job, until, nonce).encode())
    return genuine and now * 1000 < int(until)


def _signature(job: Job, until: str, nonce: str) -> str:
    return hmac.new(
        job.secret.encode(), f"{job.job_id}.{until}.{nonce}".encode(), hashlib.sha256
    ).hexdigest()[:40]


def _error_body(_: int, message: str) -> Mapping[str, JsonValue]:
    return {"error": message}
