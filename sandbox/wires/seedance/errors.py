"""How Ark refuses: a code, the parameter's name and a type beside an HTTP status.

Own readings: of several wrong parameters one is named at random, as a probe saw; the types of 409 and 413.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pydantic import JsonValue
from starlette.responses import JSONResponse, Response

MISSING: Final = "MissingParameter"
INVALID: Final = "InvalidParameter"
RUNNING: Final = "InvalidAction.RunningTaskDeletion"
_CODES: Final = {
    400: INVALID,
    401: "AuthenticationError",
    403: "AccessDenied",
    404: "ResourceNotFound",
    409: RUNNING,
    429: "RateLimitExceeded.EndpointRPMExceeded",
    500: "InternalServiceError",
    503: "ServerOverloaded",
}
_TYPES: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    429: "TooManyRequests",
}
_FIRST_SERVER_ERROR: Final = 500


class Issue(NamedTuple):
    """One thing that is wrong with a request: the error's code, its `param`, and a sentence."""

    code: str
    param: str
    message: str


def error_body(status: int, message: str) -> Mapping[str, JsonValue]:
    """Ark's error body, with the usual code for the status."""
    usual = "InternalServiceError" if status >= _FIRST_SERVER_ERROR else INVALID
    return _error(status, _CODES.get(status, usual), message)


def refuse(status: int, code: str, message: str, param: str = "") -> Response:
    """An answer that refuses."""
    return JSONResponse(_error(status, code, message, param), status)


def bad_request(issues: Sequence[Issue]) -> Response:
    """The refusal of a request with one wrong parameter or more."""
    issue = random.choice(issues)  # noqa: S311 - as the vendor's
    return refuse(400, issue.code, f"The parameter {issue.param} is not valid: {issue.message}", issue.param)


def _error(status: int, code: str, message: str, param: str = "") -> dict[str, JsonValue]:
    kind = "InternalServerError" if status >= _FIRST_SERVER_ERROR else _TYPES.get(status, "BadRequest")
    return {"error": {"code": code, "message": message, "param": param, "type": kind}}
