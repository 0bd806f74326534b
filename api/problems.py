"""Errors as users get them: RFC 9457 problem documents that name the field and say what would be right.

The table of codes in the README is made from `CODES`; a test holds the two together.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from domain.orders.refusals import Problem as Wrong
from domain.orders.refusals import RequestRefused

MEDIA_TYPE = "application/problem+json"

CODES: dict[str, tuple[int, str]] = {
    "invalid_json": (400, "The body is not JSON"),
    "invalid_form": (400, "The form cannot be read"),
    "invalid_request": (422, "The request has fields that are not right"),
    "unusable_image": (422, "The file is no picture that can be used"),
    "image_url_refused": (422, "Nothing is fetched from the picture's address"),
    "image_url_unreachable": (422, "The picture could not be fetched from its address"),
    "invalid_cursor": (422, "The cursor is not one of ours"),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for another body"),
    "unauthenticated": (401, "You have not said who you are"),
    "invalid_key": (401, "What you came with is not valid (any more)"),
    "over_budget": (402, "A budget is used up"),
    "priority_not_allowed": (403, "You may not order with this priority"),
    "provider_not_allowed": (403, "You may not use this provider"),
    "missing_scope": (403, "Your key is not for this"),
    "user_not_allowed": (403, "Your key is not for this user"),
    "cross_site": (403, "The request comes from another site's page"),
    "host_not_allowed": (403, "Without keys, the service answers on its own machine only"),
    "not_found": (404, "There is no such thing"),
    "no_video": (404, "There is no video (yet)"),
    "no_workflow": (404, "Temporal knows no run of it"),
    "unknown_account": (404, "There is no account of this id"),
    "method_not_allowed": (405, "The path does not know this method"),
    "too_slow": (408, "The request took too long to arrive"),
    "already_over": (409, "The generation is over"),
    "other_mode": (409, "It belongs to the other mode"),
    "still_running": (409, "The last take is not over"),
    "still_looking": (409, "The attempt is not over"),
    "nothing_at_risk": (409, "No money of the attempt is at risk"),
    "image_in_use": (409, "A running generation needs the picture"),
    "deleted": (410, "It was deleted"),
    "body_too_large": (413, "The body is too large"),
    "target_too_long": (414, "The path and query are too long"),
    "unsupported_media_type": (415, "The body is not sent as JSON"),
    "range_not_satisfiable": (416, "The file ends before the range begins"),
    "too_many_generations": (429, "As many generations as may be were ordered today"),
    "too_many_in_flight": (429, "As many generations as may be are under way"),
    "too_many_requests": (429, "Too many requests in too short a time"),
    "headers_too_large": (431, "The headers are too large"),
    "internal": (500, "Something is wrong on our side"),
    "gate_away": (503, "It is written down, but the gate could not be told yet"),
    "unavailable": (503, "A part of the service is away"),
}

log = structlog.get_logger(__name__)


class FieldError(BaseModel):
    """One field that is not right."""

    pointer: str = Field(examples=["/params/duration_seconds"])
    code: str = Field(examples=["duration_not_supported"])
    message: str = Field(examples=["gen4.5 makes videos of 2 to 10 seconds"])
    allowed: list[str | int] | None = None
    served_by: list[str] | None = None


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=["urn:videoplanet:problem:invalid_request"])
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] = []
    quota: str | None = Field(default=None, description="Which limit is used up.", examples=["daily_budget"])
    whose: str | None = Field(default=None, description="Whose limit it is: `tenant` or `user`.")
    limit: int | str | None = Field(default=None, description="A number, or US dollars as a decimal string.")
    used: int | str | None = Field(default=None, description="How much of the limit is used, without this.")
    resets_at: AwareDatetime | None = Field(default=None, description="When the limit begins anew.")


class Problem(Exception):
    """An answer other than success."""

    def __init__(
        self,
        code: str,
        detail: str,
        errors: Iterable[FieldError] = (),
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers
        self.more = more or {}


def not_found(what: str) -> Problem:
    """Return the problem of an id that leads nowhere."""
    return Problem("not_found", f"There is no {what} of this id.")


def refused(error: RequestRefused) -> Problem:
    """Return a refusal of the domain as a problem."""
    errors = field_errors(error.problems)
    return Problem("invalid_request", _summary(errors), errors)


def field_errors(found: Iterable[Wrong]) -> list[FieldError]:
    """Return what the domain finds wrong with a request as JSON."""
    return [
        FieldError(
            pointer=problem.pointer,
            code=problem.code,
            message=problem.message,
            allowed=list(problem.allowed) or None,
            served_by=list(problem.served_by) or None,
        )
        for problem in found
    ]


def invalid(errors: Iterable[Any], prefix: tuple[str, ...] = ()) -> Problem:
    """Return pydantic's errors as a problem.

    Args:
        errors: As `ValidationError.errors()` gives them.
        prefix: Parts of the location that users do not see, such as `body`.
    """
    fields = [_field(error, prefix) for error in errors]
    return Problem("invalid_request", _summary(fields), fields)


def _field(error: dict[str, Any], prefix: tuple[str, ...]) -> FieldError:
    location = tuple(error["loc"])
    if location[: len(prefix)] == prefix:
        location = location[len(prefix) :]
    # A key of a mapping that is not right is reported below the key itself.
    parts = [str(part) for part in location if part != "[key]"]
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
    return FieldError(pointer=pointer[:200], code=error["type"], message=_printable(error["msg"])[:500])


def _summary(fields: list[FieldError]) -> str:
    return "; ".join(f"{field.pointer or 'the body'}: {field.message}" for field in fields[:3])


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def database_away(error: SQLAlchemyError) -> Problem:
    """Log that the database does not answer, and return that as a problem."""
    log.error("the database does not answer", exc_info=error)
    return Problem("unavailable", "The database does not answer; try again.", headers={"Retry-After": "2"})


def response(request: Request, problem: Problem) -> Response:
    """Return a problem as an HTTP answer."""
    status, title = CODES[problem.code]
    document = ProblemDocument(
        type=f"urn:videoplanet:problem:{problem.code}",
        title=title,
        status=status,
        detail=_printable(problem.detail),
        code=problem.code,
        request_id=request.scope.get("state", {}).get("request_id", ""),
        errors=problem.errors,
        **problem.more,
    )
    body = json.dumps(document.model_dump(mode="json", exclude_none=True), ensure_ascii=False)
    return Response(_printable(body), status_code=status, media_type=MEDIA_TYPE, headers=problem.headers)


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Answer every error of the app with a problem document.

    Args:
        app: The app.
        routes: Its routes, for what a path allows; the router names the methods of the first one only.
    """

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        return response(request, error)

    @app.exception_handler(RequestRefused)
    async def on_refusal(request: Request, error: RequestRefused) -> Response:
        return response(request, refused(error))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        errors = error.errors()
        if any(one["type"] == "json_invalid" for one in errors):
            return response(request, Problem("invalid_json", "The body is not valid JSON."))
        if any(error["loc"] == ("body",) for error in errors) and not _is_sent_as_json(request):
            return response(
                request, Problem("unsupported_media_type", "Send the body as Content-Type: application/json.")
            )
        return response(request, _located(errors))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        code = {
            400: "invalid_form" if _is_form(request) else "invalid_json",
            404: "not_found",
            405: "method_not_allowed",
            408: "too_slow",
            413: "body_too_large",
        }.get(error.status_code, "internal")
        headers = dict(error.headers) if error.headers else {}
        if code == "method_not_allowed":
            headers["Allow"] = _allow(request, routes, headers.get("Allow", ""))
        return response(request, Problem(code, str(error.detail), headers=headers))

    @app.exception_handler(SQLAlchemyError)
    async def on_database(request: Request, error: SQLAlchemyError) -> Response:
        return response(request, database_away(error))


def _is_sent_as_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/")


def _allow(request: Request, routes: Sequence[BaseRoute], known: str) -> str:
    methods = set(known.replace(",", " ").split())
    for route in routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


def _located(errors: Iterable[Any]) -> Problem:
    """Return FastAPI's errors: fields of the body by their pointer, others below where they stand."""
    fields = [_field(error, ("body",)) for error in errors]
    return Problem("invalid_request", _summary(fields), fields)
