"""A worker is killed -9 at every interesting moment: nothing is lost, and nothing is paid twice."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from failpoints import Point
from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.line_up import EVERY, LISTING, RUNWAY, SEEDANCE, UNLISTED, Shortest, order_from
from tests.stack import Stack, freeze_at

pytestmark = pytest.mark.chaos


async def kill_worker_at(
    point: Point, make_stack: MakeStack, folder: Path, shortest: Shortest = RUNWAY
) -> tuple[Stack, str]:
    """Order a video, kill the worker at the point, start another one; return the stack and the generation."""
    stack = await make_stack(**freeze_at(point, folder))
    ordered = await order_from(stack, shortest)
    await stack.freezes("worker")
    await stack.kill("worker")
    await stack.start_part("worker")
    return stack, ordered["id"]


@pytest.mark.parametrize(
    "point", [Point.BEFORE_SEND, Point.ACCEPTED, Point.WATCHING, Point.STORING, Point.BEFORE_COMMIT]
)
@pytest.mark.parametrize("shortest", EVERY, ids=str)
async def test_the_video_is_completed_by_another_worker_from_one_job(
    shortest: Shortest, point: Point, make_stack: MakeStack, tmp_path: Path
) -> None:
    stack, generation_id = await kill_worker_at(point, make_stack, tmp_path, shortest)
    done = await stack.end_of(generation_id)
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(generation_id)) == 1
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": shortest.price_usd, "at_risk_usd": "0.00"}
    assert [event["type"] for event in await stack.events(generation_id)].count("generation.completed") == 1


@pytest.mark.parametrize("shortest", UNLISTED, ids=str)
async def test_a_reply_that_dies_with_the_worker_is_said_to_be_unknown_and_at_risk(
    shortest: Shortest, make_stack: MakeStack, tmp_path: Path
) -> None:
    stack, generation_id = await kill_worker_at(Point.ANSWERED, make_stack, tmp_path, shortest)
    done = await stack.end_of(generation_id)
    assert done["status"] == "failed"
    assert done["error"]["category"] == "submission_unknown"
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": shortest.price_usd}
    assert len(await stack.jobs(generation_id)) == 1


@pytest.mark.parametrize("shortest", LISTING, ids=str)
async def test_a_reply_that_dies_with_the_worker_is_found_again_where_the_provider_lists_its_jobs(
    shortest: Shortest, make_stack: MakeStack, tmp_path: Path
) -> None:
    stack, generation_id = await kill_worker_at(Point.ANSWERED, make_stack, tmp_path, shortest)
    done = await stack.end_of(generation_id)
    assert done["status"] == "completed", done["error"]
    assert [one["outcome"] for one in done["takes"][0]["attempts"]] == ["found"]
    assert done["cost"]["settled_usd"] == shortest.price_usd
    assert len(await stack.jobs(generation_id)) == 1


@pytest.mark.parametrize("shortest", UNLISTED, ids=str)
async def test_a_worker_killed_after_the_claim_and_before_the_write_never_sends_a_second_time(
    shortest: Shortest, make_stack: MakeStack, tmp_path: Path
) -> None:
    stack, generation_id = await kill_worker_at(Point.AFTER_CLAIM, make_stack, tmp_path, shortest)
    done = await stack.end_of(generation_id)
    assert done["error"]["category"] == "submission_unknown"
    assert await stack.jobs(generation_id) == []


@pytest.mark.parametrize("shortest", LISTING, ids=str)
async def test_an_order_that_the_provider_surely_does_not_have_is_sent_again(
    shortest: Shortest, make_stack: MakeStack, tmp_path: Path
) -> None:
    stack, generation_id = await kill_worker_at(Point.AFTER_CLAIM, make_stack, tmp_path, shortest)
    done = await stack.end_of(generation_id)
    assert done["status"] == "completed", done["error"]
    assert [one["outcome"] for one in done["takes"][0]["attempts"]] == ["absent", "accepted"]
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": shortest.price_usd, "at_risk_usd": "0.00"}
    assert len(await stack.jobs(generation_id)) == 1


async def test_a_worker_killed_while_it_looks_for_a_job_leaves_the_search_to_another(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack()
    await stack.fault("list", "status:500", times=4, provider="seedance")
    ordered = await order_from(stack, SEEDANCE, "A fox [sandbox:drop_reply]")
    await stack.reaches(ordered["id"], "looking_up")
    await stack.kill("worker")
    await stack.start_part("worker")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(ordered["id"])) == 1


async def test_a_worker_killed_while_the_provider_thinks_leaves_one_job_and_says_so(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack()
    await stack.fault("create", "slow_accept", seconds=30)
    ordered = await stack.order()
    await eventually(lambda: stack.jobs(ordered["id"]), what="the provider's job")
    await stack.kill("worker")
    await stack.start_part("worker")
    done = await stack.end_of(ordered["id"])
    assert done["error"]["category"] == "submission_unknown"
    assert len(await stack.jobs(ordered["id"])) == 1


async def test_a_job_id_that_was_only_heartbeated_survives_the_worker(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_ANSWER_SECONDS="8")
    await stack.fault("create", "slow_accept", seconds=2)
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "submitting")
    # The database is held by somebody else, so the worker cannot write the id down; only its heartbeat has it.
    held = sqlite3.connect(stack.data_dir / "videoplanet.db", isolation_level=None)
    try:
        held.execute("BEGIN IMMEDIATE")
        await eventually(lambda: _heartbeat(stack, ordered["id"]), what="the heartbeat")
        await stack.kill("worker")
    finally:
        held.execute("ROLLBACK")
        held.close()
    await stack.start_part("worker")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(ordered["id"])) == 1


async def _heartbeat(stack: Stack, generation_id: str) -> bool:
    described = await stack.temporal("workflow", "describe", "--workflow-id", generation_id, "-o", "json")
    return "heartbeatDetails" in described


async def test_a_worker_stopped_by_sigterm_lets_its_submit_come_to_the_answer(make_stack: MakeStack) -> None:
    stack = await make_stack()
    await stack.fault("create", "slow_accept", seconds=2)
    ordered = await stack.order()
    await eventually(lambda: stack.jobs(ordered["id"]), what="the provider's job")
    stopping = asyncio.create_task(stack.kill("worker", 15))
    await stack.reaches(ordered["id"], "provider_queued")
    await stopping
    assert stack.processes["worker"].returncode == 0
    await stack.start_part("worker")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(ordered["id"])) == 1
