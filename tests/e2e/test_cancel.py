"""Cancel tells the truth."""

import json
import signal
from pathlib import Path

import httpx

from failpoints import Point
from tests.conftest import MakeStack
from tests.e2e.gate_of import stands_like
from tests.eventually import eventually
from tests.stack import Stack, freeze_at


async def cancel(stack: Stack, generation_id: str) -> httpx.Response:
    return await stack.http.post(f"/v1/generations/{generation_id}/cancel", json={"reason": "not this one"})


async def test_a_running_job_is_stopped_and_costs_what_the_provider_keeps(stack: Stack) -> None:
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    answer = await cancel(stack, ordered["id"])
    assert (answer.status_code, answer.json()["outcome"]) == (202, "requested")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "cancelled"
    assert done["takes"][0]["cancel"] == {"outcome": "stopped", "billed": True}
    assert done["cost"]["settled_usd"] == "0.24"
    assert [job["state"] for job in await stack.jobs(ordered["id"])] == ["cancelled"]
    again = await cancel(stack, ordered["id"])
    assert (again.status_code, again.json()["outcome"]) == (202, "stopped")


async def test_a_cancel_in_the_last_moment_before_the_write_is_exact_and_costs_nothing(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.BEFORE_SEND, tmp_path))
    ordered = await stack.order()
    await stack.freezes("worker")
    answer = await cancel(stack, ordered["id"])
    assert (answer.json()["outcome"], answer.json()["billed"]) == ("stopped_before_submit", False)
    await stack.kill("worker", signal.SIGCONT)
    await stack.run_ends(ordered["id"])
    done = await stack.look(ordered["id"])
    assert done["status"] == "cancelled"
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": "0.00"}
    assert await stack.jobs() == []
    await stands_like(stack, leases=0, waiting=0, within=10)


async def test_a_cancel_that_comes_when_the_job_is_done_is_too_late_and_the_video_is_kept(
    stack: Stack,
) -> None:
    await stack.fault("output", "slow", seconds=3)
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "storing")
    assert (await cancel(stack, ordered["id"])).status_code == httpx.codes.ACCEPTED
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed"
    assert done["takes"][0]["cancel"]["outcome"] == "too_late"
    assert (await stack.http.get(done["links"]["video"])).status_code == httpx.codes.OK
    assert [job["state"] for job in await stack.jobs(ordered["id"])] == ["succeeded"]


async def test_a_job_that_the_provider_will_not_stop_goes_on_as_a_drain_beside_the_next_take(
    stack: Stack,
) -> None:
    await stack.fault("cancel", "status:409")
    ordered = await stack.order("A fox [sandbox:slow]")
    await stack.reaches(ordered["id"], "generating")
    await cancel(stack, ordered["id"])
    cancelled = await stack.end_of(ordered["id"])
    assert cancelled["status"] == "cancelled"
    assert cancelled["takes"][0]["cancel"]["outcome"] == "goes_on"
    assert cancelled["cost"]["at_risk_usd"] == "0.24"
    again = await stack.http.post(f"/v1/generations/{ordered['id']}/regenerate", json={"prompt": "A red fox"})
    assert again.status_code == httpx.codes.ACCEPTED
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed"

    async def drained() -> bool:
        cost = (await stack.look(ordered["id"]))["cost"]
        return bool(cost == {"reserved_usd": "0.00", "settled_usd": "0.48", "at_risk_usd": "0.00"})

    await eventually(drained, what="the drained job is billed")
    listed = await stack.temporal(
        "workflow", "list", "--query", f"WorkflowId = '{ordered['id']}'", "-o", "json"
    )
    assert len(json.loads(listed)) == 1, "the run waits for the job that the provider would not stop"
    final = await stack.look(ordered["id"])
    assert [take["status"] for take in final["takes"]] == ["cancelled", "completed"]


async def test_a_cancel_whose_answers_are_lost_is_still_one_true_outcome(stack: Stack) -> None:
    await stack.fault("cancel", "drop_reply")
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    await cancel(stack, ordered["id"])
    done = await stack.end_of(ordered["id"])
    assert done["takes"][0]["cancel"] == {"outcome": "stopped", "billed": True}
