"""The sandbox's own doors, which no provider has: what it saw, and how it is to misbehave.

    GET  /healthz             is it up?
    GET  /_sandbox/jobs       every job that was ever created, oldest first
    GET  /_sandbox/requests   how often each provider was asked for what
    GET  /_sandbox/load       how hard each provider was used: {"providers": {"runway": {...}, ...}}, see below
    GET  /_sandbox/faults     what is armed
    POST /_sandbox/faults     arms one: {provider, operation, fault, times, seconds?, retry_after?, code?}
    POST /_sandbox/reset      forgets jobs, arrivals, faults and counts

`fault: none` disarms what is armed for the operation; without an operation or provider, for all of them.
`code` is the provider's word beside a status: one status may mean three things.

The load of a provider, measured where it stands: `creates` (creations that were asked for, accepted or refused),
`min_gap_seconds` (the shortest time between two of them, by the arrival of their headers; null before the second),
`max_at_once` (the largest number of jobs that were unfinished at the same moment, from creation to end) and
`arrivals` (unix seconds, oldest first, the newest 10,000). It is kept as long as the jobs are.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, ValidationInfo, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import MAX_TIMES, POSSIBLE, Fault, FaultRefusedError, Operation, names, parse
from sandbox.house import House

_NONE = "none"
_LONGEST_SECONDS = 3600.0
_CODE = r"^[A-Za-z0-9_.]{1,100}$"


class FaultOrder(BaseModel):
    """The body of `POST /_sandbox/faults`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    provider: str | None = None
    operation: Literal["create", "status", "list", "cancel", "output"] | None = None
    fault: str
    times: int = Field(default=1, ge=1, le=MAX_TIMES)
    seconds: float | None = Field(default=None, ge=0, le=_LONGEST_SECONDS)
    retry_after: float | None = Field(default=None, ge=0, le=_LONGEST_SECONDS)
    code: str | None = Field(default=None, pattern=_CODE)

    @field_validator("code")
    @classmethod
    def _goes_with_a_status(cls, code: str | None, order: ValidationInfo) -> str | None:
        if code is not None and "status:" not in str(order.data.get("fault")):
            raise ValueError("a code goes with a status")
        return code


def routes(house: House, providers: tuple[str, ...]) -> list[Route]:
    """The sandbox's own routes."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def jobs(_: Request) -> Response:
        now = house.jobs.now()
        return JSONResponse({"jobs": [job.listed(now) for job in house.jobs.all()]})

    async def requests(_: Request) -> Response:
        counts: dict[str, dict[str, int]] = {}
        for (provider, operation), count in house.counts.items():
            counts.setdefault(provider, {})[operation] = count
        return JSONResponse({"requests": counts})

    async def faults(_: Request) -> Response:
        return JSONResponse({"faults": house.faults.listed()})

    async def arm(request: Request) -> Response:
        try:
            order = FaultOrder.model_validate_json(await request.body())
        except ValidationError as error:
            return _unusable([_issue(item["loc"], item["msg"]) for item in error.errors()])
        if refused := _arm(house, order, providers):
            return refused
        return JSONResponse({"faults": house.faults.listed()})

    async def reset(_: Request) -> Response:
        house.reset()
        return JSONResponse({"jobs": [], "faults": []})

    return [
        Route("/healthz", healthz),
        Route("/_sandbox/jobs", jobs),
        Route("/_sandbox/requests", requests),
        Route("/_sandbox/load", partial(_load, house, providers)),
        Route("/_sandbox/faults", faults),
        Route("/_sandbox/faults", arm, methods=["POST"]),
        Route("/_sandbox/reset", reset, methods=["POST"]),
    ]


async def _load(house: House, providers: tuple[str, ...], _: Request) -> Response:
    return JSONResponse({"providers": {provider: house.load(provider) for provider in providers}})


def _arm(house: House, order: FaultOrder, providers: tuple[str, ...]) -> Response | None:
    """Does what was ordered, or says which field is wrong."""
    operation = None if order.operation is None else Operation(order.operation)
    if order.provider is not None and order.provider not in providers:
        return _unusable([_issue(("provider",), f"no such provider: {order.provider!r}", list(providers))])
    if order.fault == _NONE:
        house.faults.clear(order.provider, operation)
        return None
    if order.provider is None:
        return _unusable([_issue(("provider",), "Field required", list(providers))])
    if operation is None:
        return _unusable([_issue(("operation",), "Field required")])
    try:
        fault = parse(order.fault, operation)
    except FaultRefusedError as error:
        return _unusable([_issue(("fault",), str(error), list(error.allowed))])
    house.faults.arm(order.provider, operation, _with_extras(fault, order), order.times)
    return None


def _with_extras(fault: Fault, order: FaultOrder) -> Fault:
    extras: dict[str, float | str | None] = {
        "seconds": order.seconds,
        "retry_after": order.retry_after,
        "error_code": order.code,
    }
    return Fault.model_validate({**fault.model_dump(), **extras})


def _issue(location: tuple[int | str, ...], message: str, allowed: list[str] | None = None) -> JsonValue:
    name = ".".join(str(part) for part in location) or "body"
    match name:
        case "operation":
            allowed = [str(operation) for operation in Operation]
        case "fault" if allowed is None:
            allowed = [*names(POSSIBLE[Operation.CREATE]), _NONE]
        case "times":
            allowed = [f"1 to {MAX_TIMES}"]
        case "seconds" | "retry_after":
            allowed = [f"0 to {_LONGEST_SECONDS:g}"]
        case "code":
            allowed = [_CODE]
        case _ if allowed is None:
            allowed = list(FaultOrder.model_fields)
    return {"field": name, "message": message, "allowed": list[JsonValue](allowed or [])}


def _unusable(issues: list[JsonValue]) -> Response:
    return JSONResponse({"error": "The fault cannot be armed.", "issues": issues}, 422)
