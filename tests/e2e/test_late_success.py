"""A video that comes after its take was given up is stored and handed over, paid once."""

import pytest

from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.line_up import SEEDANCE, order_from
from tests.stack import Stack

ROUNDS = {"VIDEOPLANET_RECONCILE_SECONDS": "2"}


async def completed(stack: Stack, generation_id: str) -> dict[str, object]:
    async def done() -> dict[str, object] | None:
        generation = await stack.look(generation_id)
        return generation if generation["status"] == "completed" else None

    return await eventually(done, within=60, what=f"the late success of {generation_id}")


async def types(stack: Stack, generation_id: str) -> list[str]:
    return [event["type"] for event in await stack.events(generation_id)]


async def test_a_job_that_was_looked_for_in_vain_is_found_later_and_its_video_handed_over(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack(VIDEOPLANET_LOOK_UP_SECONDS="1", **ROUNDS)
    await stack.fault("list", "status:500", times=1000, provider="seedance")
    ordered = await order_from(stack, SEEDANCE, "A fox [sandbox:drop_reply]")
    failed = await stack.end_of(ordered["id"])
    assert (failed["status"], failed["error"]["category"]) == ("failed", "submission_unknown")
    assert failed["cost"]["at_risk_usd"] == SEEDANCE.price_usd
    await stack.fault("list", "none", provider="seedance")
    done = await completed(stack, ordered["id"])
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": SEEDANCE.price_usd, "at_risk_usd": "0.00"}
    assert done["error"] is None
    assert len(await stack.jobs(ordered["id"])) == 1
    told = await types(stack, ordered["id"])
    assert told[-1] == "generation.late_success"
    assert told.count("attempt.found") == told.count("take.completed") == 1
    (attempt,) = done["takes"][0]["attempts"]  # type: ignore[index]  # JSON
    assert attempt["outcome"] == "found"


@pytest.fixture
async def impatient(make_stack: MakeStack) -> Stack:
    """A stack where a slow job outlives its time, and Runway does not stop it."""
    stack = await make_stack(VIDEOPLANET_JOB_SECONDS="3", VIDEOPLANET_SANDBOX_SECONDS="1", **ROUNDS)
    await stack.fault("cancel", "status:409")
    return stack


async def test_a_job_that_outlived_its_time_and_could_not_be_stopped_is_still_welcome(
    impatient: Stack,
) -> None:
    ordered = await impatient.order("A fox [sandbox:slow]")
    failed = await impatient.end_of(ordered["id"])
    assert (failed["status"], failed["error"]["category"]) == ("failed", "timeout")
    assert failed["cost"]["at_risk_usd"] == "0.24"
    done = await completed(impatient, ordered["id"])
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.24", "at_risk_usd": "0.00"}
    assert (await types(impatient, ordered["id"]))[-1] == "generation.late_success"
    assert len(await impatient.jobs(ordered["id"])) == 1


async def test_a_late_video_beside_a_newer_take_is_kept_on_its_own_take(impatient: Stack) -> None:
    ordered = await impatient.order("A fox [sandbox:slow]")
    await impatient.end_of(ordered["id"])
    again = await impatient.http.post(
        f"/v1/generations/{ordered['id']}/regenerate", json={"prompt": "A red fox"}
    )
    assert again.status_code == 202, again.text

    async def both() -> bool:
        takes = (await impatient.look(ordered["id"]))["takes"]
        return [take["status"] for take in takes] == ["completed", "completed"]

    await eventually(both, within=60, what="both videos")
    await impatient.run_ends(ordered["id"])
    done = await impatient.look(ordered["id"])
    assert all(take["video"] for take in done["takes"])
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.48", "at_risk_usd": "0.00"}
    told = await types(impatient, ordered["id"])
    assert "generation.late_success" not in told
    assert told.count("take.completed") == 2
