"""A body that cannot be read is refused before anything is made of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.guards import MAX_BODY_BYTES
from tests.api.refusals import JSON, errors_of, header, problem_of
from tests.stack import Stack

pytestmark = pytest.mark.usefixtures("nothing_changes")

BROKEN = {
    "cut off": b'{"prompt": "A f',
    "trailing comma": b'{"prompt": "A fox",}',
    "single quotes": b"{'prompt': 'A fox'}",
    "two documents": b'{"prompt": "A fox"}{"prompt": "A fox"}',
    "not UTF-8": b'{"prompt": "A \xff fox"}',
    "a NUL byte": b'{"prompt": "A\0fox"}',
    "only NUL bytes": b"\0" * 100,
    "blanks": b"   ",
    "brackets": b"[" * 60_000,
    "closed brackets": b"[" * 30_000 + b"]" * 30_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a number without end": b'{"prompt": "A fox", "params": {"seed": ' + b"9" * 5_000 + b"}}",
}
NOT_AN_OBJECT = [b"null", b"[]", b"[{}]", b'"A fox"', b"5", b"true", b"NaN"]


@pytest.fixture(params=["", "/cancel", "/regenerate", "/feedback"])
def path(request: pytest.FixtureRequest, standing: dict[str, Any]) -> str:
    """Each path that takes a body."""
    return f"/v1/generations/{standing['id']}{request.param}" if request.param else "/v1/generations"


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_broken_json_is_400(api: Stack, path: str, body: bytes) -> None:
    problem_of(await api.http.post(path, content=body, headers=JSON), 400, "invalid_json")


@pytest.mark.parametrize("body", NOT_AN_OBJECT)
async def test_an_order_that_is_no_object_is_refused_as_a_whole(api: Stack, body: bytes) -> None:
    answer = await api.http.post("/v1/generations", content=body, headers=JSON)
    assert list(errors_of(answer)) == [""]


async def test_an_order_without_a_body_is_refused(api: Stack) -> None:
    assert errors_of(await api.http.post("/v1/generations", headers=JSON))[""]["code"] == "missing"


async def test_a_key_that_is_no_text_is_refused(api: Stack) -> None:
    body = b'{"prompt": "A fox", "\\ud800": 1}'
    assert errors_of(await api.http.post("/v1/generations", content=body, headers=JSON))


@pytest.mark.parametrize("body", [b"[" * 100_000, b" " * (MAX_BODY_BYTES + 1), b'{"a":"' + b"a" * 5_000_000])
async def test_a_body_over_the_limit_is_413(api: Stack, path: str, body: bytes) -> None:
    document = problem_of(await api.http.post(path, content=body, headers=JSON), 413, "body_too_large")
    assert str(MAX_BODY_BYTES) in document["detail"]


async def test_a_body_over_the_limit_is_413_even_if_it_does_not_say_its_length(api: Stack, path: str) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1000 + 1):
            yield b" " * 1000

    problem_of(await api.http.post(path, content=drops(), headers=JSON), 413, "body_too_large")


async def test_a_body_at_the_limit_is_read(api: Stack) -> None:
    body = b'{"prompt": ""}'.ljust(MAX_BODY_BYTES)
    assert "/prompt" in errors_of(await api.http.post("/v1/generations", content=body, headers=JSON))


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json", "é"],
)
async def test_a_body_that_is_not_sent_as_json_is_415_and_says_how(
    api: Stack, path: str, content_type: str
) -> None:
    headers = header("Content-Type", content_type)
    answer = await api.http.post(path, content=b'{"prompt": "A fox"}', headers=headers)
    assert "application/json" in problem_of(answer, 415, "unsupported_media_type")["detail"]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_by_any_of_its_names_is_read(api: Stack, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await api.http.post("/v1/generations", content=b'{"prompt": ""}', headers=headers)
    assert "/prompt" in errors_of(answer)
