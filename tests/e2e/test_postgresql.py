"""The whole service over PostgreSQL: what SQLite's users are promised, its users are promised too."""

import asyncio
import signal

import httpx
import pytest

from tests.conftest import MakeStack
from tests.postgres import PostgresServer
from tests.stack import Stack


def seqs_are_dense(events: list[dict[str, object]]) -> bool:
    return [event["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_a_prompt_becomes_a_stored_video_and_then_another_take(postgresql_stack: Stack) -> None:
    stack = postgresql_stack
    ordered = await stack.order("A red fox runs over fresh snow \N{FOX FACE}")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    video = await stack.http.get(done["links"]["video"])
    assert (video.status_code, video.content[4:8]) == (httpx.codes.OK, b"ftyp")
    again = await stack.http.post(
        f"/v1/generations/{ordered['id']}/regenerate", json={"prompt": "A grey fox"}
    )
    assert again.status_code == httpx.codes.ACCEPTED
    done = await stack.end_of(ordered["id"])
    assert [take["status"] for take in done["takes"]] == ["completed", "completed"]
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.48", "at_risk_usd": "0.00"}
    assert seqs_are_dense(await stack.events(ordered["id"]))
    assert len(await stack.jobs(ordered["id"])) == 2


async def test_a_running_take_is_cancelled(postgresql_stack: Stack) -> None:
    stack = postgresql_stack
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    answer = await stack.http.post(f"/v1/generations/{ordered['id']}/cancel", json={"reason": "not this one"})
    assert (answer.status_code, answer.json()["outcome"]) == (httpx.codes.ACCEPTED, "requested")
    done = await stack.end_of(ordered["id"])
    assert (done["status"], done["takes"][0]["cancel"]["outcome"]) == ("cancelled", "stopped")
    assert [job["state"] for job in await stack.jobs(ordered["id"])] == ["cancelled"]


async def test_the_same_key_at_the_same_time_is_one_order(postgresql_stack: Stack) -> None:
    stack = postgresql_stack
    body = {"prompt": "A fox", "params": {"duration_seconds": 2}}
    headers = {"Idempotency-Key": "the-same"}
    answers = await asyncio.gather(
        *(stack.http.post("/v1/generations", json=body, headers=headers) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {httpx.codes.ACCEPTED}
    (generation_id,) = {answer.json()["id"] for answer in answers}
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert replayed.count("true") == 5
    await stack.end_of(generation_id)
    assert len(await stack.jobs(generation_id)) == 1


@pytest.mark.chaos
async def test_a_killed_worker_and_a_restarted_database_lose_nothing_and_pay_nothing_twice(
    make_stack: MakeStack,
) -> None:
    async with PostgresServer() as server:
        stack = await make_stack(
            # As hosting companies write it.
            database_url=(await server.fresh()).replace("+asyncpg", ""),
            VIDEOPLANET_SANDBOX_SECONDS="4",
        )
        ordered = await stack.order()
        await stack.reaches(ordered["id"], "generating")
        await stack.kill("worker")
        await server.stop(signal.SIGQUIT)
        await stack.start_part("worker")
        away = await stack.http.get(f"/v1/generations/{ordered['id']}")
        assert (away.status_code, away.json()["code"]) == (httpx.codes.SERVICE_UNAVAILABLE, "unavailable")
        await server.start()
        done = await stack.end_of(ordered["id"], within=90)
        assert done["status"] == "completed", done["error"]
        assert len(await stack.jobs(ordered["id"])) == 1
        # Again, while the worker is alive and in the middle of it.
        ordered = await stack.order()
        await stack.reaches(ordered["id"], "generating")
        await server.stop(signal.SIGINT)
        await server.start()
        done = await stack.end_of(ordered["id"], within=90)
        assert done["status"] == "completed", done["error"]
        assert len(await stack.jobs(ordered["id"])) == 1
        assert seqs_are_dense(await stack.events(ordered["id"]))
        assert "deadlock" not in server.said()
