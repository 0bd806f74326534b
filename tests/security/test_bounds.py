"""Requests that are too large, too slow or too deep cost little, and are told so."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.guards import MAX_HEADERS_BYTES, MAX_TARGET_BYTES
from tests.api.conftest import only
from tests.api.refusals import JSON, problem_of
from tests.stack import Stack

SECONDS = 1


@pytest.fixture(scope="module")
async def impatient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("impatient")
    async with only(folder, "api", VIDEOPLANET_REQUEST_SECONDS=str(SECONDS)) as alone:
        yield alone


async def told(stack: Stack, *pieces: bytes) -> tuple[str, float]:
    """Send the pieces of a request and nothing more; return what is answered until the end, and after how long."""
    host, port = stack.api_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.monotonic()
    for piece in pieces:
        writer.write(piece)
        try:
            await writer.drain()
        except ConnectionError:
            break
    try:
        answer = await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        answer = b""
    writer.close()
    return answer.decode(), time.monotonic() - began


async def test_a_body_that_does_not_come_is_not_waited_for(impatient: Stack) -> None:
    head = b"POST /v1/generations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    answer, seconds = await told(impatient, head + b'Content-Length: 100\r\n\r\n{"prompt": ')
    assert answer.startswith("HTTP/1.1 408 ")
    assert '"code": "too_slow"' in answer
    assert 0.9 * SECONDS <= seconds < 10 * SECONDS


@pytest.mark.parametrize(
    "begun", [b"", b"GET /healthz HTT", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "]
)
async def test_a_head_that_does_not_end_is_not_waited_for(impatient: Stack, begun: bytes) -> None:
    answer, seconds = await told(impatient, begun)
    assert answer == ""
    assert 0.9 * SECONDS <= seconds < 10 * SECONDS


async def test_a_second_head_on_the_same_connection_has_its_time_too(impatient: Stack) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer, seconds = await told(impatient, whole + b"GET /healthz HTTP/1.1\r\nX-A: ")
    assert answer.count("HTTP/1.1 200") == 1
    assert seconds < 10 * SECONDS


async def test_a_head_without_end_is_cut_off_before_it_fills_the_memory(impatient: Stack) -> None:
    endless = [b"X-A: " + b"a" * 65_536] * 200
    answer, seconds = await told(impatient, b"GET /healthz HTTP/1.1\r\n", *endless)
    assert "200 OK" not in answer
    assert seconds < 10 * SECONDS


async def test_headers_and_addresses_have_a_bound_that_is_told(api: Stack) -> None:
    answer = await api.http.get("/v1/generations", headers={"X-A": "a" * MAX_HEADERS_BYTES})
    assert str(MAX_HEADERS_BYTES) in problem_of(answer, 431, "headers_too_large")["detail"]
    answer = await api.http.get("/v1/generations", params={"q": "a" * MAX_TARGET_BYTES})
    assert str(MAX_TARGET_BYTES) in problem_of(answer, 414, "target_too_long")["detail"]
    assert (await api.http.get("/v1/generations", headers={"X-A": "a" * 20_000})).status_code == 200


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 10_000, b'{"prompt": 1' + b"0" * 60_000 + b"}"])
@pytest.mark.parametrize("path", ["/v1/generations", "/v1/estimates", "/v1/keys", "/v1/tickets"])
async def test_bombs_of_json_are_refused(api: Stack, path: str, body: bytes) -> None:
    answer = await api.http.post(path, content=body, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] in {"invalid_json", "invalid_request"}
