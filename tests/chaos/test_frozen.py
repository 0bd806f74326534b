"""A worker frozen in the worst moment and woken much later changes nothing: the permission to send is gone."""

import signal
from pathlib import Path

import pytest

from failpoints import Point
from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.line_up import SEEDANCE, order_from
from tests.stack import Stack, freeze_at

pytestmark = pytest.mark.chaos


async def test_a_submit_frozen_before_its_write_and_woken_after_its_time_out_makes_no_second_job(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.BEFORE_SEND, tmp_path))
    ordered = await stack.order()
    await stack.freezes("worker")
    await stack.start_part("worker", name="second worker")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    before = await stack.look(ordered["id"])
    await _wake(stack)
    assert len(await stack.jobs(ordered["id"])) == 1
    assert await stack.look(ordered["id"]) == before
    assert [one["outcome"] for one in done["takes"][0]["attempts"]] == ["abandoned", "accepted"]


async def test_a_watch_frozen_while_its_take_is_cancelled_and_made_anew_changes_nothing_that_is_shown(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.WATCHING, tmp_path))
    ordered = await stack.order("a job without an end [sandbox:stuck]")
    await stack.freezes("worker")
    await stack.start_part("worker", name="second worker")
    path = f"/v1/generations/{ordered['id']}"
    await stack.http.post(f"{path}/cancel")
    assert (await stack.end_of(ordered["id"]))["status"] == "cancelled"
    await stack.http.post(f"{path}/regenerate", json={"prompt": "A red fox in the snow"})
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    before = await stack.look(ordered["id"])
    await _wake(stack)
    assert await stack.look(ordered["id"]) == before
    assert len(await stack.jobs(ordered["id"])) == 2


async def _wake(stack: Stack) -> None:
    """Let the frozen worker go on, and let it make a video of its own, so that it has surely had its say."""
    await stack.kill("second worker")
    await stack.kill("worker", signal.SIGCONT)
    proof = await stack.end_of((await stack.order("proof that it is awake"))["id"])
    assert proof["status"] == "completed"


async def test_a_late_answer_after_the_take_was_given_up_is_kept_as_a_fact(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.ANSWERED, tmp_path))
    ordered = await stack.order()
    await stack.freezes("worker")
    await stack.start_part("worker", name="second worker")
    failed = await stack.end_of(ordered["id"])
    assert failed["error"]["category"] == "submission_unknown"
    await stack.kill("worker", signal.SIGCONT)
    job = (await stack.jobs(ordered["id"]))[0]["job_id"]

    async def found() -> bool:
        attempt = (await stack.look(ordered["id"]))["takes"][0]["attempts"][0]
        return bool(attempt["job_id"] == job and attempt["outcome"] == "found")

    await eventually(found, what="the late job id")
    assert (await stack.look(ordered["id"]))["status"] == "failed"
    assert len(await stack.jobs(ordered["id"])) == 1


async def test_a_sender_frozen_between_its_claim_and_its_write_sends_nothing_when_it_wakes(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.AFTER_CLAIM, tmp_path))
    ordered = await stack.order()
    await stack.freezes("worker")
    await stack.start_part("worker", name="second worker")
    failed = await stack.end_of(ordered["id"])
    assert failed["error"]["category"] == "submission_unknown"
    assert failed["cost"]["at_risk_usd"] == "0.24"
    await _wake(stack)
    assert await stack.jobs(ordered["id"]) == []
    # Only the sender itself could tell that it sent nothing: now nothing is owed any more.
    assert (await stack.look(ordered["id"]))["cost"]["at_risk_usd"] == "0.00"


async def test_a_sender_frozen_until_its_order_was_sent_again_by_another_makes_no_second_job(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.AFTER_CLAIM, tmp_path))
    ordered = await order_from(stack, SEEDANCE)
    await stack.freezes("worker")
    await stack.start_part("worker", name="second worker")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    await _wake(stack)
    assert len(await stack.jobs(ordered["id"])) == 1


async def test_a_cancel_frozen_until_the_video_was_stored_destroys_nothing_at_the_provider(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.BEFORE_CANCEL, tmp_path))
    ordered = await stack.order("A fox [sandbox:slow]")
    await stack.reaches(ordered["id"], "generating")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await stack.freezes("worker")
    (job,) = await stack.jobs(ordered["id"])
    await eventually(lambda: _succeeded(stack, job["job_id"]), what="the job's end")
    await stack.start_part("worker", name="second worker")
    done = await stack.end_of(ordered["id"])
    assert (done["status"], done["takes"][0]["cancel"]["outcome"]) == ("completed", "too_late")
    await _wake(stack)
    asked = (await stack.http.get(f"{stack.sandbox_url}/_sandbox/requests")).json()
    assert asked["requests"]["runway"].get("cancel", 0) == 0
    assert (await stack.look(ordered["id"]))["cost"]["settled_usd"] == "0.24"


async def _succeeded(stack: Stack, job_id: str) -> bool:
    return any(job["job_id"] == job_id and job["state"] == "succeeded" for job in await stack.jobs())


async def test_a_reset_while_the_sender_is_frozen_before_its_write_makes_one_job(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.BEFORE_SEND, tmp_path))
    ordered = await stack.order()
    await stack.freezes("worker")
    await stack.temporal(
        "workflow", "reset", "-w", ordered["id"], "--event-id", "5", "--reason", "an operator is impatient"
    )
    await stack.start_part("worker", name="second worker")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    await _wake(stack)
    assert len(await stack.jobs(ordered["id"])) == 1
