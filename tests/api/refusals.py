"""Reading a refusal as RFC 9457 wants it written."""

from typing import Any

import httpx

from api.problems import CODES

JSON = {"Content-Type": "application/json"}


def header(name: str, value: str) -> dict[bytes, bytes]:
    """A header that may hold any byte."""
    return {name.encode(): value.encode("latin-1")}


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, which must be whole and say the same as the answer itself."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["code"] == code, document
    assert document["type"] == f"urn:videoplanet:problem:{code}"
    assert (document["status"], document["title"]) == CODES[code]
    assert document["status"] == status
    assert document["detail"]
    assert document["request_id"] == answer.headers["x-request-id"]
    for error in document["errors"]:
        assert set(error) <= {"pointer", "code", "message", "allowed", "served_by"}, error
        assert error["pointer"] == "" or error["pointer"].startswith("/"), error
        assert error["code"], error
        assert error["message"], error
    return document


def errors_of(answer: httpx.Response, *, code: str = "invalid_request") -> dict[str, dict[str, Any]]:
    """The wrong fields of a 422, by their pointers."""
    document = problem_of(answer, 422, code)
    assert document["errors"], document
    return {error["pointer"]: error for error in document["errors"]}
