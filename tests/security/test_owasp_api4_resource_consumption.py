"""OWASP API4:2023, unrestricted resource consumption: every request is bounded in size, time, number and money."""

import asyncio
import struct
import zlib
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from api.guards import MAX_BODY_BYTES, MAX_HEADERS_BYTES, MAX_TARGET_BYTES, MAX_UPLOAD_BYTES
from api.pictures.bounds import MAX_FETCHES_OF_A_TENANT
from tests.api.keyholders import client, new_key, somebody
from tests.api.refusals import JSON, errors_of, problem_of
from tests.eventually import eventually
from tests.providers.raw import drips
from tests.security.doors import bearer
from tests.security.town import Town, an_order, another_api
from tests.stack import Stack

ORDERS = "/v1/generations"
READS, WRITES = 6, 3


@pytest.fixture(scope="module")
async def strict(town: Town) -> AsyncIterator[Stack]:
    """An API process of the town that bears few requests, and slow ones for a second only."""
    settings = {
        "VIDEOPLANET_RATE_READS": f"{READS}/hour",
        "VIDEOPLANET_RATE_WRITES": f"{WRITES}/hour",
        "VIDEOPLANET_REQUEST_SECONDS": "1",
    }
    async with another_api(town, "api-strict", **settings) as other:
        yield other


async def pieces(size: int) -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    yield b'{"prompt": "'
    for _ in range(size // 4096 + 1):
        yield b"x" * 4096


async def test_bodies_are_bounded_whether_they_say_their_length_or_not(town: Town) -> None:
    large = b"x" * (MAX_BODY_BYTES + 1)
    asked = 0
    for method, path, _ in await town.operations():
        if method in {"POST", "DELETE"} and path != "/v1/images":
            answer = await town.ann.request(method, path, content=large, headers=JSON)
            problem_of(answer, 413, "body_too_large")
            asked += 1
    assert asked > 15
    problem_of(
        await town.ann.post(ORDERS, content=pieces(MAX_BODY_BYTES), headers=JSON), 413, "body_too_large"
    )
    announced = f"POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_UPLOAD_BYTES + 1}\r\n"
    said = await told(town.stack, f"{announced}Authorization: Bearer {town.keys['ann']}\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413 "), "before a byte of it is sent"


async def told(stack: Stack, sent: str) -> bytes:
    """The first line that is answered to these bytes; nothing where the connection is closed without one."""
    host, port = stack.api_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent.encode())
        async with asyncio.timeout(10):
            return await reader.readline()
    finally:
        writer.close()


async def test_heads_are_bounded(town: Town) -> None:
    problem_of(await town.ann.get(f"{ORDERS}?q={'x' * MAX_TARGET_BYTES}"), 414, "target_too_long")
    headers = {f"X-{number}": "x" * 4000 for number in range(MAX_HEADERS_BYTES // 4000 + 1)}
    problem_of(await town.ann.get(ORDERS, headers=headers), 431, "headers_too_large")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"prompt": "x" * 1001}, "/prompt"),
        ({"metadata": {str(number): "x" for number in range(17)}}, "/metadata"),
        ({"metadata": {"a": "x" * 513}}, "/metadata/a"),
        ({"params": {"duration_seconds": 31}}, "/params/duration_seconds"),
        ({"params": {"resolution": "99999x99999"}}, "/params/resolution"),
        ({"deadline_seconds": 10**9}, "/deadline_seconds"),
        ({"fallback_providers": ["a"] * 99}, "/fallback_providers"),
        ({"project_id": "x" * 129}, "/project_id"),
    ],
)
async def test_fields_are_bounded(town: Town, fields: dict[str, object], pointer: str) -> None:
    assert pointer in errors_of(await town.ann.post(ORDERS, json=an_order("bounded") | fields))


async def test_pages_and_waits_are_bounded(town: Town) -> None:
    for path in (ORDERS, "/v1/queue", "/v1/keys", "/v1/audit"):
        assert "/query/limit" in errors_of(await town.admin.get(path, params={"limit": 101})), path
        assert len((await town.admin.get(path)).json().get("data", [])) <= 20, path
    one = f"{ORDERS}/gen_{'0' * 26}"
    assert "/query/wait" in errors_of(await town.ann.get(one, params={"wait": 61}))
    assert "/query/limit" in errors_of(await town.ann.get(f"{one}/events", params={"limit": 101}))
    refused = await town.ann.post("/v1/tickets", json={"expires_in_seconds": 3601})
    assert "/expires_in_seconds" in errors_of(refused)


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that would be gigabytes of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    lines = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


async def test_a_picture_that_would_fill_the_memory_is_refused_unopened(town: Town) -> None:
    async with asyncio.timeout(30):
        answer = await town.ann.post("/v1/images", files={"file": ("bomb.png", bomb(50_000))})
    assert errors_of(answer, code="unusable_image")["/file"]["code"] == "picture_too_large"


async def test_one_tenant_s_dripping_pictures_leave_places_to_others(town: Town) -> None:
    slow = town.provider.has("/dripping.png", drips)
    body = an_order("one that drips", params={"image_url": slow, "duration_seconds": 5})
    dripping = [asyncio.create_task(town.ann.post(ORDERS, json=body)) for _ in range(MAX_FETCHES_OF_A_TENANT)]

    async def all_drip() -> bool:
        heads = [head for head in town.provider.asked if "/dripping.png" in head]
        return len(heads) == MAX_FETCHES_OF_A_TENANT

    await eventually(all_drip, what="all of them drip")
    refused = await town.ben.post(ORDERS, json=body)
    problem_of(refused, 503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    for answer in await asyncio.gather(*dripping):
        assert errors_of(answer, code="image_url_unreachable")["/params/image_url"]["code"] == "timeout"


async def test_who_sends_slowly_is_not_waited_for(town: Town, strict: Stack) -> None:
    key = (await new_key(town.stack))[1]
    head = f"POST {ORDERS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    assert await told(strict, head) == b"", "whose head never ends is not answered at all"
    begun = await told(strict, f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{")
    assert begun.startswith(b"HTTP/1.1 408 ")


async def test_requests_of_a_key_are_counted_and_refused_with_the_time_to_come_again(
    town: Town, strict: Stack
) -> None:
    key = (await new_key(town.stack))[1]
    for what, bound in (("GET", READS), ("POST", WRITES)):
        path = ORDERS if what == "GET" else "/v1/tickets"
        for _ in range(bound):
            assert (await strict.http.request(what, path, headers=bearer(key))).is_success
        refused = await strict.http.request(what, path, headers=bearer(key))
        problem_of(refused, 429, "too_many_requests")
        assert int(refused.headers["retry-after"]) > 0
        assert "r=0" in refused.headers["ratelimit"]
    other = (await new_key(town.stack))[1]
    assert (await strict.http.get(ORDERS, headers=bearer(other))).is_success


async def test_a_budget_holds_under_a_burst_at_two_processes(town: Town) -> None:
    _, key = await new_key(town.stack, tenant="frugal")
    async with another_api(town, "api-second") as second, client(town.stack, key) as http:
        answers = await asyncio.gather(
            *(
                door.post(ORDERS, json=an_order(f"burst {number}"), headers=bearer(key))
                for number in range(6)
                for door in (http, second.http)
            )
        )
        refused = [answer for answer in answers if answer.status_code == 402]
        usage = (await http.get("/v1/usage")).json()
    # The same order at both doors is one: six different ones, of which three can be paid.
    accepted = {answer.json()["id"] for answer in answers if answer.status_code in {200, 202}}
    assert len(accepted) == 3
    assert len(refused) == 6
    document = problem_of(refused[0], 402, "over_budget")
    assert (document["quota"], document["limit"]) == ("daily_budget", "0.40")
    assert document["resets_at"]
    assert usage["today"]["generations"] == 3


async def test_generations_under_way_are_bounded_under_a_burst(town: Town) -> None:
    async with somebody(town.stack, tenant="few") as http:
        answers = await asyncio.gather(
            *(http.post(ORDERS, json=an_order(f"few {number}")) for number in range(6))
        )
    counted = Counter(answer.status_code for answer in answers)
    assert counted == {202: 2, 429: 4}
    refused = next(answer for answer in answers if answer.status_code == 429)
    problem_of(refused, 429, "too_many_in_flight")
    assert int(refused.headers["retry-after"]) > 0
