"""An order for Stable Video is written at most once, whatever the other side does, and never without permission."""

import asyncio
import time

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, NotSent, Rejected, Unknown
from tests.providers.orders import REFERENCE, Permission
from tests.providers.raw import Script, answers, drips, raw_server, says_nothing, sends
from tests.providers.stability import a_job_order, stability_at, submitted
from tests.sandbox.live import LiveSandbox


class Withdrawn(Exception):
    """The permission to send is gone."""


async def test_a_withdrawn_permission_is_passed_on_and_not_a_byte_leaves() -> None:
    async def withdraw() -> None:
        raise Withdrawn

    async with raw_server(answers(200, {"id": "never"})) as server, stability_at(server.url) as stability:
        with pytest.raises(Withdrawn):
            await stability.submit(a_job_order(), withdraw)
        await submitted(stability)
    assert server.received[0] == b""
    assert (server.connections, server.requests) == (2, 1)


async def test_permission_is_asked_once_connected_and_before_the_first_byte() -> None:
    async with raw_server(answers(200, {"id": "j"})) as server, stability_at(server.url) as stability:
        seen: list[tuple[int, list[bytes]]] = []

        async def look() -> None:
            await server.connected.wait()
            seen.append((server.connections, list(server.received)))

        assert await stability.submit(a_job_order(), look) == Accepted(job_id="j")
    assert seen == [(1, [b""])]


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    async with raw_server(answers(200)) as server:
        url = server.url
    permission = Permission()
    async with stability_at(url) as stability:
        result = await submitted(stability, permission)
    assert isinstance(result, NotSent)
    assert (result.failure.category, result.failure.billed) == (Category.NETWORK, False)
    assert permission.asked == 0


LOST: dict[str, Script] = {
    "hangs up": sends(b""),
    "half a status line": sends(b"HTTP/1.1 2"),
    "half the body": sends(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "j"'),
    "garbage": sends(b"\x00\x01\x02SSH-2.0-OpenSSH\r\n\r\n"),
    "a lying encoding": sends(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"
    ),
    "silence": says_nothing,
    "a slow drip": drips,
}


@pytest.mark.parametrize("how", LOST)
async def test_no_clear_answer_is_unknown_and_never_sent_again(how: str) -> None:
    permission = Permission()
    async with raw_server(LOST[how]) as server, stability_at(server.url, answer_seconds=0.5) as stability:
        began = time.monotonic()
        result = await submitted(stability, permission)
        assert time.monotonic() - began < 5
    assert isinstance(result, Unknown)
    assert (result.client_reference, result.failure.category) == (REFERENCE, Category.SUBMISSION_UNKNOWN)
    assert "secret" not in result.model_dump_json()
    assert (permission.asked, server.connections, server.requests) == (1, 1, 1)


@pytest.mark.parametrize(
    ("fault", "ends", "jobs"),
    [
        ("drop_reply", Unknown, 1),
        ("reset_connection", Unknown, 0),
        ("create_then_status:500", Unknown, 1),
        ("create_then_status:504", Unknown, 1),
        ("status:500", Unknown, 0),
        ("status:503", Unknown, 0),
        ("status:429", Rejected, 0),
        ("status:404", Rejected, 0),
        ("slow_accept", Unknown, 1),
    ],
)
async def test_a_fault_of_the_sandbox_leads_to_one_request_and_the_truth(
    sandbox: LiveSandbox, fault: str, ends: type[Unknown | Rejected], jobs: int
) -> None:
    permission = Permission()
    seconds = 1.0 if fault == "slow_accept" else None
    sandbox.arm("create", fault, provider="stable-video", times=1, seconds=seconds)
    async with stability_at(sandbox.base_url, answer_seconds=0.5) as stability:
        assert isinstance(await submitted(stability, permission), ends)
    assert permission.asked == 1
    assert sandbox.control.get("/_sandbox/requests").json()["requests"]["stable-video"]["create"] == 1
    assert len(sandbox.jobs()) == jobs


async def test_every_submit_has_a_connection_of_its_own() -> None:
    async with raw_server(answers(200, {"id": "j"})) as server, stability_at(server.url) as stability:
        await asyncio.gather(*(submitted(stability) for _ in range(10)))
    assert (server.connections, server.requests) == (10, 10)
