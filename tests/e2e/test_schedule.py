"""The reconciler's rounds: one Schedule however many workers start, and a round over a sound house does nothing."""

import asyncio
from datetime import timedelta

from temporalio.client import ScheduleActionExecutionStartWorkflow
from temporalio.service import RPCError

from domain.messages import Reconciled
from domain.names import RECONCILE_SCHEDULE
from runtime.housekeeping.schedule import ensure_schedule
from tests.conftest import MakeStack
from tests.e2e.gate_of import client_of
from tests.eventually import eventually
from tests.stack import Stack


async def rounds(stack: Stack) -> list[str]:
    client = await client_of(stack)
    try:
        described = await client.get_schedule_handle(RECONCILE_SCHEDULE).describe()
    except RPCError:  # a worker makes it soon after its start
        return []
    actions = [one.action for one in described.info.recent_actions]
    return [one.workflow_id for one in actions if isinstance(one, ScheduleActionExecutionStartWorkflow)]


async def test_rounds_come_one_after_another_and_find_nothing_to_do(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_RECONCILE_SECONDS="1")
    await stack.start_part("worker", name="second worker")
    done = await stack.end_of((await stack.order())["id"])
    await stack.run_ends(done["id"])
    events = await stack.events(done["id"])
    begun = len(await rounds(stack))

    async def three_more() -> list[str] | None:
        seen = await rounds(stack)
        return seen if len(seen) >= min(begun + 3, 10) else None

    last = (await eventually(three_more, what="three more rounds"))[-1]
    client = await client_of(stack)
    result = await client.get_workflow_handle(last, result_type=Reconciled).result()
    assert result == Reconciled()
    assert await stack.events(done["id"]) == events
    assert len(await stack.jobs()) == 1
    history = await client.get_workflow_handle(last).fetch_history()
    assert len(history.events) <= 25, "a round is cheap"


async def test_several_who_make_it_at_once_make_one_and_the_interval_follows_the_setting(
    stack: Stack,
) -> None:
    client = await client_of(stack)
    handle = client.get_schedule_handle(RECONCILE_SCHEDULE)
    other = timedelta(seconds=37)
    await handle.pause(note="an operator looks at something")
    try:
        await asyncio.gather(*(ensure_schedule(client, other) for _ in range(5)))
        described = await handle.describe()
        assert [interval.every for interval in described.schedule.spec.intervals] == [other]
        assert described.schedule.state.paused, "an operator's pause stays"
    finally:
        await ensure_schedule(client, timedelta(seconds=60))
        await handle.unpause()
    assert [one.id async for one in await client.list_schedules()].count(RECONCILE_SCHEDULE) <= 1


async def test_a_killed_workers_round_does_not_keep_out_the_next_ones(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_RECONCILE_SECONDS="1")
    await eventually(lambda: rounds(stack), what="the first round")
    await stack.kill("worker")
    begun = await rounds(stack)
    await stack.start_part("worker")

    async def goes_on() -> bool:
        return (await rounds(stack))[-1:] != begun[-1:]

    await eventually(goes_on, within=60, what="the next round")
