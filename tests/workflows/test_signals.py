"""Nudges and hands: whoever signals, how often and how late, there is one job for each attempt."""

import asyncio
import json

from temporalio.client import Client

from domain.names import GENERATION_WORKFLOW, Signal, TaskQueue
from runtime.nudge import Nudger
from storage.database import Database
from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.stack import Stack


async def nudger(stack: Stack) -> tuple[Nudger, Database]:
    client = await Client.connect(stack.temporal_address)
    database = Database(f"sqlite+aiosqlite:///{stack.data_dir / 'videoplanet.db'}")
    return Nudger(client, database), database


async def test_a_nudge_repeated_fifty_times_at_any_moment_makes_no_second_job(stack: Stack) -> None:
    ordered = await stack.order()
    nudge, database = await nudger(stack)
    async with database:
        for repetition in range(25):
            await nudge.nudge(ordered["id"], Signal.REGENERATE, 1 + repetition % 3)
        await stack.end_of(ordered["id"])
        await asyncio.gather(*(nudge.nudge(ordered["id"], Signal.REGENERATE, 1) for _ in range(25)))
        await stack.run_ends(ordered["id"])
    done = await stack.look(ordered["id"])
    assert len(await stack.jobs(ordered["id"])) == 1
    assert [take["status"] for take in done["takes"]] == ["completed"]


async def test_a_regenerate_signalled_by_hand_without_arguments_makes_the_next_take(stack: Stack) -> None:
    done = await stack.end_of((await stack.order())["id"])
    await stack.signal_with_start(done["id"], Signal.REGENERATE)

    async def second_take() -> bool:
        return len((await stack.look(done["id"]))["takes"]) == 2

    await eventually(second_take, what="the second take")
    again = await stack.end_of(done["id"])
    first, second = again["takes"]
    assert second["status"] == "completed"
    assert first["request"]["prompt"] == second["request"]["prompt"]
    assert first["request"]["params"]["seed"] != second["request"]["params"]["seed"]
    assert len(await stack.jobs(done["id"])) == 2


async def test_a_cancel_signalled_by_hand_without_arguments_cancels_the_running_take(stack: Stack) -> None:
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    await stack.temporal("workflow", "signal", "-w", ordered["id"], "--name", Signal.CANCEL)
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "cancelled"
    asked = next(event for event in await stack.events(done["id"]) if event["type"] == "cancel.requested")
    assert asked["data"]["by"] == "operator"


async def test_a_regenerate_signalled_by_hand_while_a_take_runs_is_the_next_take(stack: Stack) -> None:
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "generating")
    await stack.temporal("workflow", "signal", "-w", ordered["id"], "--name", Signal.REGENERATE)

    async def both() -> bool:
        takes = (await stack.look(ordered["id"]))["takes"]
        return [take["status"] for take in takes] == ["completed", "completed"]

    await eventually(both, what="both takes")


async def test_a_regenerate_by_hand_right_behind_a_cancel_by_hand_is_not_dropped_while_a_take_is_queued(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack(VIDEO_QUEUE_MAX_CONCURRENT="1")
    await stack.order("A fox [sandbox:stuck]")
    ordered = await stack.order("A fox that waits")
    await stack.reaches(ordered["id"], "queued")
    await stack.kill("worker")
    for name in (Signal.CANCEL, Signal.REGENERATE):  # the run hears both at once
        await stack.temporal("workflow", "signal", "-w", ordered["id"], "--name", name)
    await stack.start_part("worker")

    async def second_take() -> bool:
        return len((await stack.look(ordered["id"]))["takes"]) == 2

    await eventually(second_take, what="the second take")
    first, second = (await stack.look(ordered["id"]))["takes"]
    assert first["status"] == "cancelled"
    assert second["status"] in {"pending", "processing"}


async def test_the_cancel_button_of_the_temporal_ui_is_a_cancel_by_the_operator(stack: Stack) -> None:
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    await stack.temporal("workflow", "cancel", "-w", ordered["id"])
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "cancelled"
    assert done["takes"][0]["cancel"]["outcome"] == "stopped"
    assert [job["state"] for job in await stack.jobs(ordered["id"])] == ["cancelled"]


async def test_a_workflow_started_by_hand_with_an_id_that_nobody_ordered_ends_by_itself(stack: Stack) -> None:
    await stack.temporal(
        "workflow", "start",
        "--workflow-id", "gen_nobody",
        "--type", GENERATION_WORKFLOW,
        "--task-queue", TaskQueue.GENERATIONS,
    )  # fmt: skip
    await stack.run_ends("gen_nobody")


async def test_a_reset_to_before_the_submit_makes_no_second_job(stack: Stack) -> None:
    done = await stack.end_of((await stack.order())["id"])
    await stack.temporal(
        "workflow", "reset", "-w", done["id"], "--event-id", "5", "--reason", "an operator tries something"
    )
    await stack.run_ends(done["id"])
    assert len(await stack.jobs(done["id"])) == 1
    assert (await stack.look(done["id"]))["status"] == "completed"


async def test_a_reset_that_plays_a_signal_by_hand_again_makes_no_further_take(stack: Stack) -> None:
    done = await stack.end_of((await stack.order())["id"])
    await stack.run_ends(done["id"])
    await stack.signal_with_start(done["id"], Signal.REGENERATE)

    async def second_take() -> bool:
        takes = (await stack.look(done["id"]))["takes"]
        return [take["status"] for take in takes] == ["completed", "completed"]

    await eventually(second_take, what="the second take")
    await stack.run_ends(done["id"])
    await stack.temporal(
        "workflow", "reset", "-w", done["id"], "--event-id", "5", "--reason", "an operator tries something"
    )
    await stack.run_ends(done["id"])
    assert len((await stack.look(done["id"]))["takes"]) == 2
    assert len(await stack.jobs(done["id"])) == 2


async def test_a_reset_while_the_job_runs_goes_on_with_the_same_job(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS="5")
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "generating")
    await stack.temporal(
        "workflow", "reset", "-w", ordered["id"], "--event-id", "5", "--reason", "an operator tries something"
    )
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(ordered["id"])) == 1


async def test_a_terminated_run_is_taken_up_again_with_the_same_job(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS="5")
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "generating")
    await stack.temporal("workflow", "terminate", "-w", ordered["id"], "--reason", "gone")
    nudge, database = await nudger(stack)
    async with database:
        await nudge.nudge(ordered["id"], Signal.REGENERATE, 1)
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(ordered["id"])) == 1
    assert [one["outcome"] for one in done["takes"][0]["attempts"]] == ["accepted"]


async def test_the_view_query_tells_an_operator_what_the_run_is_doing(stack: Stack) -> None:
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    answer = await stack.temporal("workflow", "query", "-w", ordered["id"], "--type", "view", "-o", "json")
    view = json.loads(answer)["queryResult"][0]
    job = (await stack.jobs(ordered["id"]))[0]
    assert (view["take"], view["attempt"], view["job_id"]) == (1, 1, job["job_id"])
    assert job["job_id"] in view["doing"]
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await stack.end_of(ordered["id"])
