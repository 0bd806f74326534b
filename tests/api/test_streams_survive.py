"""The API is killed in the middle of a stream: who comes back with the last id has missed nothing."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import only
from tests.api.streams import EVENT_STREAM, frames, seqs, stream, until
from tests.conftest import MakeStack
from tests.eventually import eventually_so

BEFORE_THE_GRACE_IS_OVER = 4
"""Seconds."""


@pytest.mark.chaos
async def test_a_stream_survives_the_death_of_the_api(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS="4")
    ordered = await stack.order()
    first = await until(stack, ordered["id"], "attempt.accepted")
    broken = asyncio.create_task(stream(stack, ordered["id"], last=first[-1]["seq"]))
    await stack.reaches(ordered["id"], "generating")
    await stack.kill("api")
    with pytest.raises(httpx.HTTPError):
        await broken
    await stack.start_part("api")
    second = await until(stack, ordered["id"], "take.storing", last=first[-1]["seq"])
    await stack.kill("api")
    await stack.start_part("api")
    third = await stream(stack, ordered["id"], last=second[-1]["seq"])
    told = first + second + third
    assert seqs(told) == list(range(1, len(told) + 1))
    assert told == await stack.events(ordered["id"])
    assert told[-1]["type"] == "generation.completed"


async def test_a_stop_of_the_api_ends_its_streams_at_once(tmp_path: Path) -> None:
    async with only(tmp_path, "api") as alone:
        ordered = await alone.order()
        path, process = f"/v1/generations/{ordered['id']}/events", alone.processes["api"]
        async with alone.http.stream("GET", path, headers=EVENT_STREAM) as answer:
            told = frames(answer)
            assert (await anext(told))["type"] == "generation.accepted"
            process.terminate()
            async with asyncio.timeout(BEFORE_THE_GRACE_IS_OVER):
                assert [event async for event in told] == []
        await eventually_so(
            lambda: process.poll() is not None, within=BEFORE_THE_GRACE_IS_OVER, what="the API ends"
        )
