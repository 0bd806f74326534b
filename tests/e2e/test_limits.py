"""Limits hold in the whole house: also for takes that are asked for in Temporal."""

from typing import Any

from domain.names import Signal
from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.stack import Stack

TENANTS = """
[tiers.two-a-day]
daily_generations = 2

[tenants.default.users]
anna = "two-a-day"
"""


async def events_of(stack: Stack, generation_id: str, kind: str) -> list[dict[str, Any]]:
    return [event for event in await stack.events(generation_id) if event["type"] == kind]


async def test_a_take_that_is_asked_for_by_a_signal_must_fit_as_well(make_stack: MakeStack) -> None:
    stack = await make_stack(tenants=TENANTS)
    done = await stack.end_of((await stack.order(user_id="anna"))["id"])
    await stack.signal_with_start(done["id"], Signal.REGENERATE)

    async def second_take() -> bool:
        return len((await stack.look(done["id"]))["takes"]) == 2

    await eventually(second_take, what="the second take, which fits")
    await stack.end_of(done["id"])
    (notice,) = await events_of(stack, done["id"], "user.notice")
    assert (notice["take"], notice["data"]["used"]) == (2, 2)

    await stack.signal_with_start(done["id"], Signal.REGENERATE)

    async def refusal() -> dict[str, Any] | None:
        told = await events_of(stack, done["id"], "user.notice")
        return told[1] if len(told) > 1 else None

    refused = await eventually(refusal, what="the refusal of the third take")
    assert refused["data"]["refused"] is True
    assert (refused["data"]["kind"], refused["data"]["limit"], refused["data"]["used"]) == (
        "daily_generations", 2, 2,
    )  # fmt: skip
    await stack.run_ends(done["id"])
    after = await stack.look(done["id"])
    assert [take["status"] for take in after["takes"]] == ["completed", "completed"]
    assert len(await stack.jobs(done["id"])) == 2
    again = await stack.http.post(f"/v1/generations/{done['id']}/regenerate")
    assert (again.status_code, again.json()["code"]) == (429, "too_many_generations")
