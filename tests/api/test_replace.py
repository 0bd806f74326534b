"""Replacing a take that is running: it is cancelled with its true outcome, and the next one goes on."""

import asyncio
from typing import Any

from tests.api.changes import again, cancel, kinds, regenerate
from tests.api.refusals import errors_of
from tests.api.streams import seqs, stream
from tests.stack import Stack

ENDS = {"generation.completed", "generation.failed", "generation.cancelled"}


async def replace(stack: Stack, generation: dict[str, Any], **change: Any) -> dict[str, Any]:
    return await again(stack, generation, if_running="replace", **change)


async def test_a_running_take_is_stopped_and_the_next_one_completes(stack: Stack) -> None:
    ordered = await stack.order("[sandbox:stuck] a fox that never comes")
    reading = asyncio.create_task(stream(stack, ordered["id"]))
    await stack.reaches(ordered["id"], "generating")
    replaced = await replace(stack, ordered, prompt="A hare that comes")
    assert [take["status"] for take in replaced["takes"]] == ["superseded", "pending"]
    assert replaced["takes"][0]["superseded_by"] == 2
    assert replaced["status"] in {"pending", "processing"}
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    first, second = done["takes"]
    assert (first["status"], first["cancel"]["outcome"], first["video"]) == ("superseded", "stopped", None)
    assert (second["status"], second["superseded_by"], second["cancel"]) == ("completed", None, None)
    assert second["request"]["prompt"] == "A hare that comes"

    told = await reading
    assert seqs(told) == list(range(1, len(told) + 1)), "the stream did not end at the replaced take"
    assert [event["type"] for event in told if event["type"] in ENDS] == ["generation.completed"]
    assert told[-1]["type"] == "generation.completed"
    order = [event["type"] for event in told]
    assert order.index("cancel.requested") < order.index("take.started") < order.index("take.superseded")
    [superseded] = [event for event in told if event["type"] == "take.superseded"]
    assert (superseded["take"], superseded["data"]["by"], superseded["data"]["outcome"]) == (1, 2, "stopped")
    [started] = [event for event in told if event["type"] == "take.started"]
    assert (started["take"], started["data"]["cause"]) == (2, "replace")
    states = {job["client_reference"]: job["state"] for job in await stack.jobs(ordered["id"])}
    assert states[f"{ordered['id']}.2.1"] == "succeeded"
    assert states[f"{ordered['id']}.1.1"] != "succeeded"


async def test_what_was_not_sent_yet_is_replaced_without_a_job(api: Stack) -> None:
    ordered = await api.order("A fox that nobody sends")
    replaced = await replace(api, ordered, prompt="A hare")
    first, second = replaced["takes"]
    assert (first["status"], first["superseded_by"]) == ("superseded", 2)
    assert first["cancel"] == {"outcome": "stopped_before_submit", "billed": False}
    assert first["attempts"] == []
    assert (second["status"], replaced["status"]) == ("pending", "pending")
    assert replaced["cost"]["reserved_usd"] == "0.24", "only the second take is paid for"
    assert await kinds(api, ordered["id"]) == [
        "generation.accepted",
        "cancel.requested",
        "cost.changed",
        "cancel.outcome",
        "take.superseded",
        "take.started",
    ]


async def test_a_take_that_is_replaced_at_once_never_reaches_the_provider_or_is_stopped_there(
    stack: Stack,
) -> None:
    ordered = await stack.order("A fox that is hardly ordered")
    await replace(stack, ordered, prompt="A hare that follows at once")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    outcome = done["takes"][0]["cancel"]["outcome"]
    references = {job["client_reference"] for job in await stack.jobs(ordered["id"])}
    if outcome == "stopped_before_submit":
        assert references == {f"{ordered['id']}.2.1"}
    else:
        assert (outcome, len(references)) == ("stopped", 2)


async def test_a_repeated_key_makes_no_third_take(api: Stack) -> None:
    ordered = await api.order()
    path, headers = f"/v1/generations/{ordered['id']}/regenerate", {"Idempotency-Key": ordered["id"]}
    body = {"if_running": "replace", "prompt": "A hare"}
    answers = await asyncio.gather(*(api.http.post(path, json=body, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 4
    assert len((await api.look(ordered["id"]))["takes"]) == 2


async def test_without_a_key_each_replaces_the_one_before(api: Stack) -> None:
    ordered = await api.order()
    await asyncio.gather(*(replace(api, ordered, prompt=f"A hare {n}") for n in range(5)))
    seen = await api.look(ordered["id"])
    assert [take["superseded_by"] for take in seen["takes"]] == [2, 3, 4, 5, 6, None]
    assert [take["status"] for take in seen["takes"]] == 5 * ["superseded"] + ["pending"]
    log = await api.events(ordered["id"])
    assert seqs(log) == list(range(1, len(log) + 1))


async def test_a_wrong_replacement_replaces_nothing(api: Stack) -> None:
    ordered = await api.order()
    for change in ({"prompt": ""}, {"params": {"duration_seconds": 31}}, {"provider": "nobody"}):
        assert errors_of(await regenerate(api, ordered, if_running="replace", **change))
    errors = errors_of(await regenerate(api, ordered, if_running="REPLACE"))
    assert list(errors) == ["/if_running"]
    assert "replace" in errors["/if_running"]["message"]
    assert await api.look(ordered["id"]) == ordered


async def test_a_cancel_after_a_replacement_ends_the_newest_take_only(api: Stack) -> None:
    ordered = await api.order()
    await replace(api, ordered)
    seen = await cancel(api, ordered)
    assert [take["status"] for take in seen["takes"]] == ["superseded", "cancelled"]
    assert (seen["status"], seen["cost"]["reserved_usd"]) == ("cancelled", "0.00")
    assert (await kinds(api, ordered["id"]))[-1] == "generation.cancelled"


async def test_where_nothing_runs_a_replacement_is_a_plain_next_take(
    api: Stack, cancelled: dict[str, Any]
) -> None:
    made = await replace(api, cancelled)
    assert [take["status"] for take in made["takes"]] == ["cancelled", "pending"]
    assert made["takes"][0] == cancelled["takes"][0]


async def test_a_take_that_is_being_cancelled_can_be_replaced(stack: Stack) -> None:
    ordered = await stack.order("[sandbox:stuck] a fox that is not wanted")
    await stack.reaches(ordered["id"], "generating")
    await cancel(stack, ordered)
    await replace(stack, ordered, prompt="A hare that is wanted")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed"
    first, second = done["takes"]
    assert first["cancel"]["outcome"] == "stopped"
    assert first["status"] in {"superseded", "cancelled"}
    assert second["status"] == "completed"
    types = await kinds(stack, ordered["id"])
    assert types.count("cancel.requested") == 1
