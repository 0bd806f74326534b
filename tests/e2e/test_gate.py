"""The gate as its users see it: order, cap, spacing, breaker, and what becomes of those who leave."""

import asyncio
import json
import random

import httpx
import pytest

from domain.names import gate_id
from tests.conftest import MakeStack
from tests.e2e.gate_of import most_at_once, stands_like, status_of
from tests.eventually import eventually
from tests.line_up import SEEDANCE, order_from
from tests.stack import Stack


@pytest.fixture
async def one_at_a_time(make_stack: MakeStack) -> Stack:
    """A stack whose accounts bear one job at a time."""
    return await make_stack(VIDEO_QUEUE_MAX_CONCURRENT="1")


async def test_the_urgent_go_first_and_never_more_than_the_cap_at_once(one_at_a_time: Stack) -> None:
    stack = one_at_a_time
    first = await stack.order("first [sandbox:slow]")
    await stands_like(stack, leases=1, waiting=0)
    waiting = {
        priority: await stack.order(f"a {priority} one", priority=priority)
        for priority in ("low", "normal", "high", "urgent")
    }
    await stands_like(stack, leases=1, waiting=4)
    for ordered in (first, *waiting.values()):
        assert (await stack.end_of(ordered["id"], within=90))["status"] == "completed"
    jobs = await stack.jobs()
    served = [job["client_reference"].partition(".")[0] for job in jobs]
    assert served == [first["id"], *(waiting[name]["id"] for name in ("urgent", "high", "normal", "low"))]
    assert most_at_once(jobs) == 1
    await stands_like(stack, leases=0, waiting=0)


async def test_who_is_cancelled_while_waiting_leaves_the_queue_though_its_run_ends_with_it(
    one_at_a_time: Stack,
) -> None:
    """The place is given back from the run's last task, and that signal arrives."""
    stack = one_at_a_time
    running = await stack.order("first [sandbox:slow]")
    await stands_like(stack, leases=1, waiting=0)
    leaving = [await stack.order(f"leaving {number}") for number in range(3)]
    staying = await stack.order("staying")
    await stands_like(stack, leases=1, waiting=4)
    for ordered in leaving:
        answer = await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
        assert answer.json()["outcome"] == "stopped_before_submit"
    await stands_like(stack, leases=1, waiting=1)
    for ordered in (running, staying):
        assert (await stack.end_of(ordered["id"]))["status"] == "completed"
    assert len(await stack.jobs()) == 2
    await stands_like(stack, leases=0, waiting=0)


async def test_a_grant_that_nobody_waits_for_is_given_back(one_at_a_time: Stack) -> None:
    """A grant by hand is none of the gate's; the run says that it does not want it, and goes on."""
    stack = one_at_a_time
    ordered = await stack.order("first [sandbox:slow]")
    await stands_like(stack, leases=1, waiting=0)
    stray = json.dumps({"ref": f"{ordered['id']}.1.7", "send_by": 0, "account": "runway"})
    await stack.temporal(
        "workflow", "signal", "-w", ordered["id"], "--name", "slot_granted", "--input", stray
    )
    await stack.temporal("workflow", "signal", "-w", ordered["id"], "--name", "slot_granted")
    assert (await stack.end_of(ordered["id"]))["status"] == "completed"
    await stack.run_ends(ordered["id"])
    await stands_like(stack, leases=0, waiting=0)


async def test_spacing_holds_at_the_providers_door(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_SPACING_SECONDS="1", VIDEO_QUEUE_MAX_CONCURRENT="5")
    orders = await asyncio.gather(*(stack.order(f"fox {number}") for number in range(5)))
    for ordered in orders:
        assert (await stack.end_of(ordered["id"]))["status"] == "completed"
    load = (await stack.http.get(f"{stack.sandbox_url}/_sandbox/load")).json()["providers"]["runway"]
    assert load["creates"] == 5
    assert load["min_gap_seconds"] >= 1


async def test_an_overloaded_provider_is_left_alone_and_one_probe_brings_it_back(
    make_stack: MakeStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    limits = tmp_path_factory.mktemp("limits") / "providers.toml"
    limits.write_text("[accounts.runway.breaker]\nin_a_row = 3\nopen_seconds = 20\n")
    stack = await make_stack(VIDEOPLANET_PROVIDERS_FILE=str(limits))
    await stack.fault("create", "status:503", times=1000)
    orders = await asyncio.gather(
        *(
            stack.order(f"fox {number}", fallback_providers="auto", params={"duration_seconds": 4})
            for number in range(4)
        )
    )
    for ordered in orders:
        done = await stack.end_of(ordered["id"])
        assert done["status"] == "completed"
        assert done["provider"] == "seedance"
        decided = [one for one in await stack.events(done["id"]) if one["type"] == "recovery.decided"]
        assert decided[-1]["data"]["strategy"] == "fallback"
        assert "Seedance" in decided[-1]["message"]

    async def is_open() -> bool:
        status = await status_of(stack)
        return status is not None and status.breaker.state != "closed"

    await eventually(is_open, what="the breaker opens")
    knocks = (await stack.http.get(f"{stack.sandbox_url}/_sandbox/load")).json()["providers"]["runway"]
    elsewhere = await stack.order("another fox", fallback_providers="auto", params={"duration_seconds": 4})
    await stack.fault("create", "none")
    assert (await stack.end_of(elsewhere["id"]))["provider"] == "seedance"
    patient = await stack.order("a patient fox")
    done = await stack.end_of(patient["id"])
    assert (done["status"], done["provider"]) == ("completed", "runway")
    status = await status_of(stack)
    assert status is not None
    assert status.breaker.state == "closed"
    after = (await stack.http.get(f"{stack.sandbox_url}/_sandbox/load")).json()["providers"]["runway"]
    assert after["creates"] == knocks["creates"] + 1


async def test_a_new_take_beside_a_draining_job_and_nudges_without_end(make_stack: MakeStack) -> None:
    """Seedance does not stop what runs: the slot stays taken until the job really ends, and nobody loses anything."""
    stack = await make_stack(VIDEO_QUEUE_MAX_CONCURRENT="2", VIDEOPLANET_SANDBOX_SECONDS="2.5")
    chance = random.Random(7)  # noqa: S311 - a schedule, no secret
    orders = [await order_from(stack, SEEDANCE, f"fox {n} [sandbox:slow]") for n in range(3)]
    ids = [ordered["id"] for ordered in orders]

    async def is_generating() -> bool:
        return [(await stack.look(one))["stage"] for one in ids[:2]] == ["generating"] * 2

    await eventually(is_generating, what="two jobs run")
    for one in ids[:2]:
        await stack.http.post(f"/v1/generations/{one}/cancel")
        assert (await stack.end_of(one))["takes"][0]["cancel"]["outcome"] == "goes_on"
        again = await stack.http.post(f"/v1/generations/{one}/regenerate", json={"prompt": "A red fox"})
        assert again.status_code == httpx.codes.ACCEPTED

    async def nudge() -> None:
        one = chance.choice(ids)
        kind = chance.choice(["regenerate", "cancel"]) if one in ids[:2] else "regenerate"
        take = "1" if kind == "cancel" else chance.choice(["1", "2"])
        if (await stack.look(one))["status"] in {"pending", "processing"}:
            await stack.temporal("workflow", "signal", "-w", one, "--name", kind, "--input", take)

    for _ in range(15):
        await nudge()
    for one in ids:
        done = await stack.end_of(one, within=90)
        assert done["takes"][-1]["status"] == "completed", done["takes"][-1]
    status = await stands_like(stack, leases=0, waiting=0, account="seedance", within=60)
    assert status.limits.max_concurrent == 2
    jobs = await stack.jobs()
    assert len(jobs) == 5
    assert most_at_once(jobs) <= 2


async def test_an_idle_generation_costs_its_gate_few_events(make_stack: MakeStack) -> None:
    for spacing, most in (("0", 20), ("0.5", 30)):
        stack = await make_stack(VIDEOPLANET_SPACING_SECONDS=spacing)
        await stack.end_of((await stack.order("the gate's first one"))["id"])
        await stands_like(stack, leases=0, waiting=0)
        before = await _events_of_gate(stack)
        await stack.end_of((await stack.order("an idle one"))["id"])
        await stands_like(stack, leases=0, waiting=0)
        assert await _events_of_gate(stack) - before <= most


async def _events_of_gate(stack: Stack) -> int:
    shown = await stack.temporal("workflow", "show", "-w", gate_id("runway"), "-o", "json")
    return len(json.loads(shown)["events"])
