"""An order is written at most once, whatever the other side does, and never without permission."""

import asyncio
import gzip
import time

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, NotSent, Rejected, Unknown
from providers.base import JobOrder
from providers.outgoing.http import MAX_ANSWER_BYTES
from tests.providers.orders import REFERENCE, Permission, a_job_order, submitted
from tests.providers.raw import Script, answers, babbles, drips, raw_server, runway_at, says_nothing, sends
from tests.sandbox.live import LiveSandbox


class Withdrawn(Exception):
    """The permission to send is gone."""


async def test_a_withdrawn_permission_is_passed_on_and_not_a_byte_leaves() -> None:
    async def withdraw() -> None:
        raise Withdrawn

    async with raw_server(answers(200, {"id": "never"})) as server, runway_at(server.url) as runway:
        with pytest.raises(Withdrawn):
            await runway.submit(a_job_order(), withdraw)
        # The server has seen all there is once it has seen the connection end.
        async with runway_at(server.url) as another:
            await submitted(another)
    assert server.received[0] == b""
    assert (server.connections, server.requests) == (2, 1)


async def test_being_cancelled_while_asking_for_permission_sends_nothing() -> None:
    asking = asyncio.Event()

    async def never() -> None:
        asking.set()
        await asyncio.Event().wait()

    async with raw_server(answers(200, {"id": "never"})) as server, runway_at(server.url) as runway:
        submit = asyncio.create_task(runway.submit(a_job_order(), never))
        await asking.wait()
        submit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submit
        await submitted(runway)
    assert server.received[0] == b""
    assert server.requests == 1


async def test_permission_is_asked_once_connected_and_before_the_first_byte() -> None:
    async with raw_server(answers(200, {"id": "t"})) as server, runway_at(server.url) as runway:
        seen: list[tuple[int, list[bytes]]] = []

        async def look() -> None:
            await server.connected.wait()
            seen.append((server.connections, list(server.received)))

        assert await runway.submit(a_job_order(), look) == Accepted(job_id="t")
    assert seen == [(1, [b""])]


async def test_a_permission_that_times_out_is_not_taken_for_a_lost_answer() -> None:
    async def too_slow() -> None:
        raise TimeoutError

    async with raw_server(answers(200, {"id": "never"})) as server, runway_at(server.url) as runway:
        with pytest.raises(TimeoutError):
            await runway.submit(a_job_order(), too_slow)


async def test_time_spent_on_the_permission_is_not_taken_from_the_answer() -> None:
    async def slowly() -> None:
        await asyncio.sleep(0.4)

    async with (
        raw_server(answers(200, {"id": "t"})) as server,
        runway_at(server.url, answer_seconds=0.3) as runway,
    ):
        assert await runway.submit(a_job_order(), slowly) == Accepted(job_id="t")


TOO_MUCH = b'{"id": "t", "more": "' + b"x" * MAX_ANSWER_BYTES + b'"}'
HOSTILE: dict[str, Script] = {
    "hangs up": sends(b""),
    "half a status line": sends(b"HTTP/1.1 2"),
    "half the headers": sends(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half the body": sends(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "t"'),
    "half a chunk": sends(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"id"'),
    "garbage": sends(b"\x00\x01\x02SSH-2.0-OpenSSH\r\n\r\n"),
    "another protocol": sends(b"220 mail.example.com ESMTP\r\n"),
    "huge headers": sends(b"HTTP/1.1 200 OK\r\nX-Huge: " + b"z" * 2_000_000 + b"\r\n\r\n"),
    "a lying encoding": sends(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"
    ),
    "two lengths": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
    "a status that is none": sends(b"HTTP/1.1 9999 What\r\nContent-Length: 0\r\n\r\n"),
    "another protocol, politely": sends(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    ),
    "far too much": answers(200, TOO_MUCH),
    "far too much of a refusal": answers(400, TOO_MUCH),
    "far too much, packed small": answers(200, gzip.compress(TOO_MUCH), {"Content-Encoding": "gzip"}),
    "more and more": babbles,
    "silence": says_nothing,
    "a slow drip": drips,
}


@pytest.mark.parametrize("how", HOSTILE)
async def test_no_clear_answer_is_unknown_and_never_sent_again(how: str) -> None:
    permission = Permission()
    async with raw_server(HOSTILE[how]) as server, runway_at(server.url, answer_seconds=0.5) as runway:
        began = time.monotonic()
        result = await submitted(runway, permission)
        assert time.monotonic() - began < 5
    assert isinstance(result, Unknown)
    assert (result.client_reference, result.failure.category) == (REFERENCE, Category.SUBMISSION_UNKNOWN)
    assert (permission.asked, server.connections, server.requests) == (1, 1, 1)


async def test_as_much_as_an_answer_may_hold_is_read() -> None:
    body = b'{"id": "t", "more": "' + b"x" * (MAX_ANSWER_BYTES - 23) + b'"}'
    assert len(body) == MAX_ANSWER_BYTES
    async with raw_server(answers(200, body)) as server, runway_at(server.url) as runway:
        assert await submitted(runway) == Accepted(job_id="t")


async def test_a_packed_answer_is_read() -> None:
    script = answers(200, gzip.compress(b'{"id": "t"}'), {"Content-Encoding": "gzip"})
    async with raw_server(script) as server, runway_at(server.url) as runway:
        assert await submitted(runway) == Accepted(job_id="t")


async def test_an_answer_that_never_ends_is_not_read_to_its_end() -> None:
    async with raw_server(babbles) as server, runway_at(server.url, answer_seconds=30) as runway:
        began = time.monotonic()
        result = await submitted(runway)
        assert time.monotonic() - began < 5
    assert isinstance(result, Unknown)
    assert "far too much" in result.failure.detail


@pytest.mark.parametrize(
    ("fault", "ends", "jobs"),
    [
        ("drop_reply", Unknown, 1),
        ("reset_connection", Unknown, 0),
        ("create_then_status:500", Unknown, 1),
        ("create_then_status:504", Unknown, 1),
        ("status:500", Unknown, 0),
        ("status:503", Rejected, 0),
        ("status:429", Rejected, 0),
        ("status:400", Rejected, 0),
        ("slow_accept", Unknown, 1),
    ],
)
async def test_a_fault_of_the_sandbox_leads_to_one_request_and_the_truth(
    sandbox: LiveSandbox, fault: str, ends: type[Unknown | Rejected], jobs: int
) -> None:
    permission = Permission()
    seconds = 1.0 if fault == "slow_accept" else None
    sandbox.arm("create", fault, times=1, seconds=seconds)
    async with runway_at(sandbox.base_url, answer_seconds=0.5) as runway:
        assert isinstance(await submitted(runway, permission), ends)
    assert permission.asked == 1
    assert sandbox.control.get("/_sandbox/requests").json()["requests"]["runway"]["create"] == 1
    assert len(sandbox.jobs()) == jobs


async def test_every_submit_has_a_connection_of_its_own() -> None:
    async with raw_server(answers(200, {"id": "t"})) as server, runway_at(server.url) as runway:
        await asyncio.gather(*(submitted(runway) for _ in range(20)))
    assert (server.connections, server.requests) == (20, 20)


async def test_an_address_that_is_none_is_not_sent() -> None:
    async with runway_at("http://name.invalid") as runway:
        result = await runway.submit(JobOrder(a_job_order().plan, REFERENCE), Permission())
    assert isinstance(result, NotSent)
