"""An order for Seedance is written at most once, whatever the other side does, and never without permission."""

import asyncio
import time

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, NotSent, Unknown
from tests.providers.orders import REFERENCE, Permission
from tests.providers.raw import Script, answers, drips, raw_server, says_nothing, sends
from tests.providers.seedance_orders import a_seedance_order, seedance_at, sent


class Withdrawn(Exception):
    """The permission to send is gone."""


async def test_a_withdrawn_permission_is_passed_on_and_not_a_byte_leaves() -> None:
    async def withdraw() -> None:
        raise Withdrawn

    async with raw_server(answers(200, {"id": "never"})) as server, seedance_at(server.url) as seedance:
        with pytest.raises(Withdrawn):
            await seedance.submit(a_seedance_order(), withdraw)
        # The server has seen all there is once it has seen the next order.
        await sent(seedance)
    assert server.received[0] == b""
    assert (server.connections, server.requests) == (2, 1)


async def test_permission_is_asked_once_connected_and_before_the_first_byte() -> None:
    async with raw_server(answers(200, {"id": "t"})) as server, seedance_at(server.url) as seedance:
        seen: list[tuple[int, list[bytes]]] = []

        async def look() -> None:
            await server.connected.wait()
            seen.append((server.connections, list(server.received)))

        assert await seedance.submit(a_seedance_order(), look) == Accepted(job_id="t")
    assert seen == [(1, [b""])]


LOST: dict[str, Script] = {
    "hangs up": sends(b""),
    "half the headers": sends(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half the body": sends(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "cgt-1"'),
    "garbage": sends(b"\x00\x01\x02SSH-2.0-OpenSSH\r\n\r\n"),
    "a lying encoding": sends(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"
    ),
    "silence": says_nothing,
    "a slow drip": drips,
}


@pytest.mark.parametrize("how", LOST)
async def test_a_lost_answer_is_unknown_and_the_order_is_never_sent_again(how: str) -> None:
    permission = Permission()
    async with raw_server(LOST[how]) as server, seedance_at(server.url, answer_seconds=0.5) as seedance:
        began = time.monotonic()
        result = await sent(seedance, permission)
        assert time.monotonic() - began < 5
    assert isinstance(result, Unknown)
    assert (result.client_reference, result.failure.category) == (REFERENCE, Category.SUBMISSION_UNKNOWN)
    assert (permission.asked, server.connections, server.requests) == (1, 1, 1)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
async def test_what_the_vendors_own_client_would_send_again_is_sent_once(status: int) -> None:
    async with raw_server(answers(status, {})) as server, seedance_at(server.url) as seedance:
        await sent(seedance)
    assert (server.connections, server.requests) == (1, 1)


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    async with raw_server(answers(200)) as server:
        url = server.url
    permission = Permission()
    async with seedance_at(url) as seedance:
        result = await sent(seedance, permission)
    assert isinstance(result, NotSent)
    assert (result.failure.category, result.failure.billed) == (Category.NETWORK, False)
    assert permission.asked == 0


async def test_every_submit_has_a_connection_of_its_own() -> None:
    async with raw_server(answers(200, {"id": "t"})) as server, seedance_at(server.url) as seedance:
        await asyncio.gather(*(sent(seedance) for _ in range(10)))
    assert (server.connections, server.requests) == (10, 10)
