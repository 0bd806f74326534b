"""What a cancel would do is told before it is asked for, and that is what it then does."""

from typing import Any

import pytest

from tests.api.paused import occupied, waits
from tests.api.refusals import problem_of
from tests.conftest import MakeStack
from tests.line_up import RUNWAY, SEEDANCE, STABLE_VIDEO, Shortest, order_from
from tests.stack import Stack

NOTHING = {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": "0.00"}


async def preview_of(stack: Stack, generation_id: str) -> dict[str, Any]:
    answer = await stack.http.get(f"/v1/generations/{generation_id}/cancel-preview")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def foreseen_and_done(stack: Stack, generation_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was foreseen of a cancel, and the generation after it."""
    foreseen = await preview_of(stack, generation_id)
    seq = (await stack.look(generation_id))["last_seq"]
    answer = await stack.http.post(f"/v1/generations/{generation_id}/cancel")
    assert answer.status_code == 202, answer.text
    done = await stack.end_of(generation_id)
    assert done["last_seq"] > seq
    return foreseen, done


def expect(shortest: Shortest, foreseen: dict[str, Any], done: dict[str, Any]) -> None:
    """What was foreseen is what was done: the outcome, the bill, and the money."""
    cancel = done["takes"][0]["cancel"]
    assert {"outcome": foreseen["outcome"], "billed": foreseen["billed"]} == cancel, shortest
    assert foreseen["cost"] == done["cost"], shortest
    assert (foreseen["generation_id"], foreseen["take"]) == (done["id"], 1)


@pytest.mark.parametrize(
    ("shortest", "outcome", "billed"),
    [(RUNWAY, "stopped", True), (SEEDANCE, "goes_on", None), (STABLE_VIDEO, "goes_on", None)],
    ids=str,
)
async def test_a_job_that_runs(stack: Stack, shortest: Shortest, outcome: str, billed: bool | None) -> None:
    ordered = await order_from(stack, shortest, "A fox [sandbox:slow]")
    await stack.reaches(ordered["id"], "generating")
    foreseen, done = await foreseen_and_done(stack, ordered["id"])
    assert (foreseen["outcome"], foreseen["billed"]) == (outcome, billed)
    expect(shortest, foreseen, done)


async def test_a_job_that_waits_at_its_provider(make_stack: MakeStack) -> None:
    hour = "3600"
    stack = await make_stack(VIDEOPLANET_SANDBOX_SECONDS=hour, VIDEOPLANET_SANDBOX_QUEUE_SECONDS=hour)
    told = {}
    for shortest in (RUNWAY, SEEDANCE):  # the third does not tell whether a job waits or runs
        ordered = await order_from(stack, shortest)
        await stack.reaches(ordered["id"], "provider_queued")
        foreseen, done = await foreseen_and_done(stack, ordered["id"])
        expect(shortest, foreseen, done)
        told[shortest.provider] = foreseen["outcome"], foreseen["billed"], foreseen["cost"] == NOTHING
    assert told == {
        "runway": ("stopped", False, True),
        "seedance": ("stopped", False, True),
    }


async def test_one_that_waits_for_its_turn_is_free_to_cancel(narrow: Stack) -> None:
    async with occupied(narrow):
        ordered = await narrow.order()
        await waits(narrow, ordered["id"])
        foreseen, done = await foreseen_and_done(narrow, ordered["id"])
    assert (foreseen["outcome"], foreseen["cost"]) == ("stopped_before_submit", NOTHING)
    expect(RUNWAY, foreseen, done)


async def test_a_video_that_is_being_stored_is_too_late_to_cancel(stack: Stack) -> None:
    await stack.fault("output", "slow", seconds=3)
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "storing")
    foreseen, done = await foreseen_and_done(stack, ordered["id"])
    assert foreseen["outcome"] == "too_late"
    assert done["status"] == "completed"
    assert done["takes"][0]["cancel"]["outcome"] == "too_late"
    assert foreseen["cost"] == done["cost"]


async def test_what_is_being_sent_may_be_stopped_or_not(stack: Stack) -> None:
    await stack.fault("create", "slow_accept", seconds=2)
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "submitting")
    foreseen, done = await foreseen_and_done(stack, ordered["id"])
    assert (foreseen["outcome"], foreseen["billed"]) == ("unknown", None)
    assert foreseen["cost"] == {**NOTHING, "at_risk_usd": "0.24"}
    assert done["status"] in {"cancelled", "completed"}


async def test_after_a_cancel_it_tells_what_that_one_did(api: Stack, cancelled: dict[str, Any]) -> None:
    told = await preview_of(api, cancelled["id"])
    assert (told["outcome"], told["billed"], told["cost"]) == ("stopped_before_submit", False, NOTHING)


async def test_looking_changes_nothing(api: Stack, pending: dict[str, Any]) -> None:
    await preview_of(api, pending["id"])
    after = await api.look(pending["id"])
    assert (after["status"], after["last_seq"], after["actions"]) == ("pending", 1, ["cancel", "replace"])


async def test_what_is_over_is_refused_as_its_cancel_is(stack: Stack, finished: dict[str, Any]) -> None:
    path = f"/v1/generations/{finished['id']}"
    problem_of(await stack.http.get(f"{path}/cancel-preview"), 409, "already_over")
    problem_of(await stack.http.post(f"{path}/cancel"), 409, "already_over")
    problem_of(await stack.http.get("/v1/generations/gen_nobody/cancel-preview"), 404, "not_found")
