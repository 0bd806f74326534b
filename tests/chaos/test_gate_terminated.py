"""A gate is terminated with slots out and tickets waiting: a new one is made from the rows, and all are served."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.gate.tickets import GateRecord, Lease, Release
from domain.messages import Reconciled
from domain.moments import micros_of
from domain.names import GATE_WORKFLOW, TaskQueue, gate_id
from runtime.gates import Gates
from runtime.housekeeping.keeper import Keeper
from runtime.settings import Settings
from storage.database import Database
from tests.conftest import MakeStack
from tests.e2e.gate_of import client_of, most_at_once, stands_like, started_at, terminated
from tests.eventually import eventually
from tests.stack import Stack

pytestmark = pytest.mark.chaos

CAP, SEND_SECONDS = 2, 3


@pytest.fixture
async def narrow(make_stack: MakeStack) -> Stack:
    """A stack whose accounts bear two jobs at a time, with a round of the reconciler every two seconds."""
    return await make_stack(
        VIDEOPLANET_RECONCILE_SECONDS="2",
        VIDEO_QUEUE_MAX_CONCURRENT=str(CAP),
        VIDEOPLANET_SEND_SECONDS=str(SEND_SECONDS),
    )


async def test_the_cap_holds_the_quiet_time_is_kept_and_everybody_is_served(narrow: Stack) -> None:
    orders = [await narrow.order(f"Fox {number} [sandbox:slow]") for number in range(CAP)]
    orders += [await narrow.order(f"Fox {number}") for number in range(CAP, 3 * CAP)]
    await stands_like(narrow, leases=CAP, waiting=2 * CAP)
    await eventually(lambda: _has_jobs(narrow, CAP), what="the first jobs")
    before = {job["job_id"] for job in await narrow.jobs()}
    await terminated(narrow, gate_id("runway"))
    for ordered in orders:
        done = await narrow.end_of(ordered["id"], within=90)
        assert done["status"] == "completed", done["error"]
    jobs = await narrow.jobs()
    assert len(jobs) == 3 * CAP
    assert most_at_once(jobs) == CAP
    quiet_until = (await started_at(narrow)).timestamp() + SEND_SECONDS
    later = [job["created_at"] for job in jobs if job["job_id"] not in before]
    assert min(later) >= quiet_until
    await stands_like(narrow, leases=0, waiting=0)


async def _has_jobs(stack: Stack, count: int) -> bool:
    return len(await stack.jobs()) == count


async def test_the_slot_of_a_holder_that_was_terminated_before_its_order_was_sent_is_freed(
    narrow: Stack,
) -> None:
    """Its ticket is granted to a run that is not there any more."""
    running = [await narrow.order(f"Fox {number} [sandbox:slow]") for number in range(CAP)]
    await stands_like(narrow, leases=CAP, waiting=0)
    gone = await narrow.order("Nobody waits for this one")
    last = await narrow.order("A red fox")
    await stands_like(narrow, leases=CAP, waiting=2)
    await terminated(narrow, gone["id"])
    for ordered in (*running, last):
        assert (await narrow.end_of(ordered["id"]))["status"] == "completed"
    assert (await narrow.end_of(gone["id"]))["error"]["code"] == "terminated"
    await stands_like(narrow, leases=0, waiting=0)


async def test_a_release_that_was_lost_is_found_out_from_the_row(narrow: Stack) -> None:
    done = await narrow.end_of((await narrow.order())["id"])
    # A gate that knows a slot of which the row says that it is over: as if the release had never come.
    lease = Lease(
        ref=f"{done['id']}.1.1",
        tenant_id="default",
        queued_at=0,
        granted_at=0,
        send_by=0,
        judge_at=micros_of(datetime.now(UTC) + timedelta(hours=1)),
    )
    await terminated(narrow, gate_id("runway"))
    client = await client_of(narrow)
    await client.start_workflow(
        GATE_WORKFLOW,
        GateRecord(leases=(lease,)),
        id=gate_id("runway"),
        task_queue=TaskQueue.GENERATIONS,
    )
    await stands_like(narrow, leases=0, waiting=0)


async def test_a_ticket_that_its_gate_has_lost_joins_again(narrow: Stack) -> None:
    running = [await narrow.order(f"Fox {number} [sandbox:slow]") for number in range(CAP)]
    await stands_like(narrow, leases=CAP, waiting=0)
    lost = await narrow.order("A red fox")
    await stands_like(narrow, leases=CAP, waiting=1)
    gates = Gates(await client_of(narrow))
    await gates.release("runway", Release(ref=f"{lost['id']}.1.1", was_sent=False))
    for ordered in (*running, lost):
        assert (await narrow.end_of(ordered["id"]))["status"] == "completed"
    assert most_at_once(await narrow.jobs()) == CAP


async def test_a_round_over_what_is_right_changes_nothing(narrow: Stack) -> None:
    running = [await narrow.order(f"Fox {number} [sandbox:stuck]") for number in range(CAP)]
    for ordered in running:
        await narrow.reaches(ordered["id"], "generating")
    waiting = await narrow.order("A red fox")
    await stands_like(narrow, leases=CAP, waiting=1)
    settings = Settings(data_dir=narrow.data_dir, reconcile_seconds=1)
    async with Database(narrow.database_url) as database:
        keeper = Keeper(settings, database, await client_of(narrow))
        before = [await narrow.look(ordered["id"]) for ordered in (*running, waiting)]
        for _ in range(2):
            assert await keeper.put_gates_right() == Reconciled()
            done = await keeper.put_generations_right()
            assert done == Reconciled()
    after = [await narrow.look(ordered["id"]) for ordered in (*running, waiting)]
    assert [one["status"] for one in after] == [one["status"] for one in before]
    assert len(await narrow.jobs()) == CAP
