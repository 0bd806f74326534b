"""A run that is terminated in Temporal: its take is closed with the operator's reason, its money and slot set right."""

import pytest

from domain.names import gate_id
from tests.conftest import MakeStack
from tests.e2e.gate_of import stands_like, terminated
from tests.eventually import eventually
from tests.stack import Stack

NOTHING = {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": "0.00"}


@pytest.fixture
async def narrow(make_stack: MakeStack) -> Stack:
    """A stack whose accounts bear one job at a time, with a round of the reconciler every two seconds."""
    return await make_stack(VIDEOPLANET_RECONCILE_SECONDS="2", VIDEO_QUEUE_MAX_CONCURRENT="1")


async def test_while_it_waits_for_its_turn_it_fails_unsent_and_its_ticket_is_withdrawn(narrow: Stack) -> None:
    first = await narrow.order("A fox [sandbox:slow]")
    await narrow.reaches(first["id"], "generating")
    waiting = await narrow.order("A red fox")
    await stands_like(narrow, leases=1, waiting=1)
    await terminated(narrow, waiting["id"], reason="the campaign is over")
    done = await narrow.end_of(waiting["id"])
    assert (done["status"], done["error"]["category"], done["error"]["code"]) == (
        "failed",
        "network",
        "terminated",
    )
    assert "the campaign is over" in done["error"]["message"]
    assert "Nothing was sent" in done["error"]["message"]
    assert done["cost"] == NOTHING
    await stands_like(narrow, leases=1, waiting=0)
    assert (await narrow.end_of(first["id"]))["status"] == "completed"
    assert await narrow.jobs(waiting["id"]) == []
    again = await narrow.http.post(f"/v1/generations/{waiting['id']}/regenerate", json={})
    assert again.status_code == 202
    assert (await narrow.end_of(waiting["id"]))["status"] == "completed"


async def test_while_its_job_runs_the_job_is_followed_by_a_new_run_settled_and_its_slot_freed(
    narrow: Stack,
) -> None:
    ordered = await narrow.order("A fox [sandbox:slow]")
    await narrow.reaches(ordered["id"], "generating")
    await terminated(narrow, ordered["id"])
    failed = await narrow.end_of(ordered["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "terminated")
    assert failed["cost"] == {**NOTHING, "at_risk_usd": "0.24"}

    async def settled() -> bool:
        return bool((await narrow.look(ordered["id"]))["cost"] == {**NOTHING, "settled_usd": "0.24"})

    await eventually(settled, what="the bill of the job that went on")
    await stands_like(narrow, leases=0, waiting=0)

    async def handed_over() -> bool:
        return bool((await narrow.look(ordered["id"]))["status"] == "completed")

    await eventually(handed_over, what="the video that was paid for")
    assert len(await narrow.jobs(ordered["id"])) == 1
    assert len((await narrow.look(ordered["id"]))["takes"][0]["attempts"]) == 1


async def test_a_cancel_that_was_asked_for_is_still_answered_truly(narrow: Stack) -> None:
    ordered = await narrow.order("A fox [sandbox:stuck]")
    await narrow.reaches(ordered["id"], "generating")
    await narrow.kill("worker")
    await narrow.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await terminated(narrow, ordered["id"])
    await narrow.start_part("worker")
    done = await narrow.end_of(ordered["id"])
    assert (done["status"], done["takes"][0]["cancel"]["outcome"]) == ("cancelled", "stopped")


async def test_a_terminated_gate_starts_anew_while_nobody_else_joins(narrow: Stack) -> None:
    first = await narrow.order("A fox [sandbox:slow]")
    await narrow.reaches(first["id"], "generating")
    second = await narrow.order("A red fox")
    await stands_like(narrow, leases=1, waiting=1)
    await terminated(narrow, gate_id("runway"))
    assert (await narrow.end_of(first["id"]))["status"] == "completed"
    assert (await narrow.end_of(second["id"]))["status"] == "completed"
