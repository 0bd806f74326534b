"""The API, Temporal and the provider are killed -9: an order that was answered 202 is never lost."""

import asyncio
from pathlib import Path

import httpx
import pytest

from failpoints import Point
from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.stack import Stack, freeze_at

pytestmark = pytest.mark.chaos

KEY = {"Idempotency-Key": "one-order"}
BODY = {"prompt": "A red fox in the snow", "params": {"duration_seconds": 2}}


@pytest.mark.parametrize("point", [Point.WISH_BEFORE_COMMIT, Point.WISH_AFTER_COMMIT])
async def test_an_order_repeated_after_the_api_was_killed_is_one_order(
    point: Point, make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(point, tmp_path))
    posting = asyncio.create_task(stack.http.post("/v1/generations", json=BODY, headers=KEY))
    await stack.freezes("api")
    await stack.kill("api")
    with pytest.raises(httpx.HTTPError):
        await posting
    await stack.start_part("api")
    again = await stack.http.post("/v1/generations", json=BODY, headers=KEY)
    assert again.status_code == httpx.codes.ACCEPTED
    done = await stack.end_of(again.json()["id"])
    assert done["status"] == "completed", done["error"]
    listed = (await stack.http.get("/v1/generations")).json()["data"]
    assert [generation["id"] for generation in listed] == [done["id"]]
    assert len(await stack.jobs()) == 1


async def _temporal_dies(stack: Stack) -> None:
    await stack.kill("temporal")
    await stack.start_part("temporal")


@pytest.mark.parametrize("stage", ["submitting", "generating", "storing"])
async def test_temporal_killed_at_any_stage_loses_nothing(stage: str, make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS="4")
    await stack.fault("create", "slow_accept", seconds=2)
    await stack.fault("output", "slow")
    ordered = await stack.order()
    await stack.reaches(ordered["id"], stage)
    await _temporal_dies(stack)
    done = await stack.end_of(ordered["id"], within=90)
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(ordered["id"])) == 1


async def test_orders_regenerates_and_cancels_are_heard_when_temporal_comes_back(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack()
    first = await stack.end_of((await stack.order())["id"])
    await stack.fault("status", "slow", times=3)
    running = await stack.order("one to be cancelled [sandbox:stuck]")
    await stack.reaches(running["id"], "generating")
    await stack.kill("temporal")
    ordered = await stack.order()
    again = await stack.http.post(f"/v1/generations/{first['id']}/regenerate", json={})
    cancelled = await stack.http.post(f"/v1/generations/{running['id']}/cancel")
    assert (again.status_code, cancelled.status_code) == (202, 202)
    await stack.start_part("temporal")
    assert (await stack.end_of(ordered["id"], within=90))["status"] == "completed"
    second = await stack.end_of(first["id"], within=90)
    assert [take["status"] for take in second["takes"]] == ["completed", "completed"]
    ended = await stack.end_of(running["id"], within=90)
    assert ended["status"] == "cancelled"
    assert ended["takes"][0]["cancel"]["outcome"] == "stopped"


async def test_a_cancel_before_anything_was_sent_is_final_even_with_temporal_down(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack()
    await stack.kill("temporal")
    ordered = await stack.order()
    answer = await stack.http.post(
        f"/v1/generations/{ordered['id']}/cancel", json={"reason": "changed my mind"}
    )
    assert answer.json()["outcome"] == "stopped_before_submit"
    assert (await stack.look(ordered["id"]))["status"] == "cancelled"
    await stack.start_part("temporal")
    after = await stack.end_of((await stack.order())["id"], within=90)
    assert after["status"] == "completed"
    assert await stack.jobs(ordered["id"]) == []


async def test_a_provider_that_dies_and_comes_back_still_has_the_job(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS="4")
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "generating")
    await stack.kill("sandbox")
    await stack.start_part("sandbox")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs()) == 1


async def test_an_api_killed_while_someone_waits_is_simply_asked_again(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS="4")
    ordered = await stack.order()
    path = f"/v1/generations/{ordered['id']}"
    waiting = asyncio.create_task(stack.http.get(path, params={"wait": 60}))
    await stack.reaches(ordered["id"], "generating")
    await stack.kill("api")
    with pytest.raises(httpx.HTTPError):
        await waiting
    await stack.start_part("api")

    async def news() -> bool:
        answer = await stack.http.get(path, params={"wait": 30})
        return bool(answer.json()["status"] == "completed")

    await eventually(news, within=60, what="the end")
