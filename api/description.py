"""The OpenAPI document, completed with what is true of many answers, so that no route has to repeat it.

Every refusal is a problem document; every answer has the request's id; what was just made can be looked at and worked
on, so the operations on it are linked. An operation lists no refusal that it cannot give.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI

from api.problems import MEDIA_TYPE, ProblemDocument

Document = dict[str, Any]

REFUSALS: Final[dict[int | str, Document]] = {
    status: {"model": ProblemDocument, "description": description}
    for status, description in (
        (400, "The body cannot be read"),
        (404, "There is no such thing, or it is somebody else's"),
        (408, "The request took too long to arrive"),
        (409, "Not as things stand"),
        (410, "What the Idempotency-Key made was deleted since"),
        (413, "The body is too large"),
        (414, "The path and query are too long"),
        (415, "The body is not of the type that is taken"),
        (422, "Something in the request is not right; `errors` names the fields"),
        (429, "Too many requests in too short a time"),
        (431, "The headers are too large"),
        (503, "A part of the service is away"),
    )
}
"""How any operation may refuse; of these, `complete` leaves to each what it can give."""

_FIRST_REFUSAL = 400
_PROBLEM: Final = {"$ref": "#/components/schemas/ProblemDocument"}
_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"type": "integer", "minimum": 0}
_REQUEST_ID: Final = {"description": "Of this request; the log knows it.", "required": True, "schema": _TEXT}
_RATES: Final[Document] = {
    "RateLimit": {"description": "How many requests are left, and for how long.", "schema": _TEXT},
    "RateLimit-Policy": {"description": "How many may be made, in how long.", "schema": _TEXT},
}
_HEADERS: Final[Mapping[str, Document]] = {
    "206": {"Content-Range": {"description": "Which part it is, of one.", "schema": _TEXT}},
    "304": {"ETag": {"description": "Of what you have.", "required": True, "schema": _TEXT}},
    "401": {"WWW-Authenticate": {"description": "How to come in.", "required": True, "schema": _TEXT}},
    "416": {"Content-Range": {"description": "How long the file is.", "required": True, "schema": _TEXT}},
    "429": {"Retry-After": {"description": "When to ask again, in seconds.", "schema": _SECONDS}},
    "503": {"Retry-After": {"description": "When to ask again, in seconds.", "schema": _SECONDS}},
}
_IN_PATH = re.compile(r"\{(\w+)\}")


def complete(app: FastAPI) -> None:
    """Have an app's OpenAPI document say what is true of many answers; after everybody else has had their say."""
    made = app.openapi

    def document() -> Document:
        is_new = app.openapi_schema is None
        described = made()
        if is_new:
            _complete(described["paths"])
        return described

    app.openapi = document  # type: ignore[method-assign]  # the way that FastAPI names for it


def _complete(paths: Document) -> None:
    for path, method, operation in _operations(paths):
        answers: Document = operation["responses"]
        for status in _impossible(path, method, operation):
            answers.pop(status, None)
        for status, answer in answers.items():
            if int(status) >= _FIRST_REFUSAL and not _has_words_of_its_own(answer):
                answer["content"] = {MEDIA_TYPE: {"schema": _PROBLEM}}
            rates = _RATES if operation.get("security") and status != "401" else {}
            answer["headers"] = {"X-Request-Id": _REQUEST_ID, **rates, **_HEADERS.get(status, {})}
            if method == "post" and status in {"201", "202"}:
                answer["links"] = _links(paths, path)


def _operations(paths: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield path, method, operation


def _impossible(path: str, method: str, operation: Document) -> set[str]:
    """Return which of the refusals of all an operation cannot give."""
    named = {one["name"] for one in operation.get("parameters", ())}
    impossible = set()
    if "requestBody" not in operation:
        impossible |= {"400", "415"}
        if not _IN_PATH.search(path):
            impossible.add("404")
    if method == "get" and not path.endswith("/cancel-preview"):
        impossible.add("409")
    if "Idempotency-Key" not in named:
        impossible.add("410")
    return impossible


def _has_words_of_its_own(answer: Document) -> bool:
    """Tell whether a refusal is described as something else than a problem: `/readyz` tells which part is away."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", _PROBLEM)
    return bool(schema != _PROBLEM)


def _links(paths: Document, made_at: str) -> Document:
    """Return what can be done with what was made at a path: every operation below it that needs but the id."""
    return {
        operation["operationId"]: {
            "operationId": operation["operationId"],
            "parameters": {found[0]: "$response.body#/id"},
        }
        for path, _, operation in _operations(paths)
        if path.startswith(f"{made_at}/{{") and len(found := _IN_PATH.findall(path)) == 1
    }
