"""Cap and spacing are kept where the provider stands, whatever becomes of those who were to send."""

import asyncio
import os
import signal

import pytest

from failpoints import Point
from tests.conftest import MakeStack
from tests.e2e.gate_of import most_at_once, stands_like
from tests.eventually import eventually
from tests.stack import Stack, freeze_at

pytestmark = pytest.mark.chaos

SPACING, CAP = 1.0, 2


async def _a_burst(stack: Stack) -> list[str]:
    orders = await asyncio.gather(*(stack.order(f"fox {number}") for number in range(5)))
    return [ordered["id"] for ordered in orders]


async def _all_are_made_in_order(stack: Stack, ids: list[str], *, lost: int, held: int) -> None:
    """Those of which nobody can know whether they were sent are said to be unknown; Runway cannot be asked."""
    ends = [await stack.end_of(one, within=90) for one in ids]
    failed = [done["error"]["category"] for done in ends if done["status"] != "completed"]
    assert failed == ["submission_unknown"] * lost
    jobs = await stack.jobs()
    assert len(jobs) == len(ids) - lost
    assert most_at_once(jobs) <= CAP
    load = (await stack.http.get(f"{stack.sandbox_url}/_sandbox/load")).json()["providers"]["runway"]
    assert load["creates"] == len(ids) - lost
    assert load["min_gap_seconds"] >= SPACING
    # What may exist keeps its slot, until its sender says that it has sent nothing.
    await stands_like(stack, leases=held, waiting=0)


@pytest.mark.parametrize("point", [Point.BEFORE_SEND, Point.AFTER_CLAIM])
@pytest.mark.parametrize("wakes_up", [False, True], ids=["killed", "frozen"])
async def test_a_sender_that_is_lost_between_grant_and_write(
    make_stack: MakeStack, tmp_path_factory: pytest.TempPathFactory, point: Point, *, wakes_up: bool
) -> None:
    """Another worker takes over; the frozen one wakes when the others are in the middle of it, and sends nothing."""
    folder = tmp_path_factory.mktemp("frozen")
    stack = await make_stack(
        VIDEOPLANET_SPACING_SECONDS=str(SPACING),
        VIDEO_QUEUE_MAX_CONCURRENT=str(CAP),
        **freeze_at(point, folder),
    )
    ids = await _a_burst(stack)
    await stack.freezes("worker")
    if not wakes_up:
        await stack.kill("worker")
        await stack.start_part("worker")
    else:
        frozen = stack.processes["worker"]
        await stack.start_part("worker", name="another worker")
        await stack.end_of(ids[-1], within=90) if point is Point.BEFORE_SEND else await _some_job(stack)
        os.kill(frozen.pid, signal.SIGCONT)
    lost = int(point is Point.AFTER_CLAIM)
    await _all_are_made_in_order(stack, ids, lost=lost, held=0 if wakes_up else lost)


async def _some_job(stack: Stack) -> None:
    async def made() -> bool:
        return bool(await stack.jobs())

    await eventually(made, within=150, what="another worker sends")
