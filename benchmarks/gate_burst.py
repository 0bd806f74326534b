"""A burst through one gate, against the same burst without it.

The bare workflow runs one local and two empty activities, as a generation does at least. With the gate it also joins
the queue from the first, waits for its slot, and gives it back from the last: by the service's own code, over the same
Temporal server and a real SQLite database.
"""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from activities.gatekeeping import Gatekeeping
    from activities.service import Service
    from benchmarks.server import RUNNER, temporal_server
    from domain.attempts.outcomes import AttemptState
    from domain.gate.tickets import AccountLimits, Grant, Release, Ticket
    from domain.generation import DeploymentMode
    from domain.ids import attempt_ref, new_generation_id
    from domain.limits import Limits
    from domain.messages import ClaimedAttempt, Order
    from domain.names import SlotSignal, TaskQueue
    from domain.orders.capabilities import Mode
    from domain.orders.plans import Plan
    from runtime.gates import Gates
    from storage.database import Database
    from storage.gate.healths import Healths
    from storage.schema import upgrade
    from workflows.gate import ProviderGate
    from workflows.slots import Slots

BURST, CAP, ROUNDS = 400, 50, 3
ACCOUNTS = tuple(f"account-{number}" for number in range(ROUNDS))
"""A gate of its own for each round: there are no rows from which a gate with a long history could go on."""

NO_GATE = ""
_A_MINUTE = timedelta(minutes=1)


class Work:
    """The activities of the burst."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    @activity.defn
    async def begin(self, ref: str, account: str) -> None:
        """Join the queue, where there is one."""
        if account:
            ticket = Ticket(ref=ref, tenant_id="bench", queued_at=time.time_ns() // 1000)
            await self._gates.join(account, ticket)

    @activity.defn
    async def send(self, ref: str) -> None:
        """Do nothing."""

    @activity.defn
    async def finish(self, ref: str, account: str) -> None:
        """Give the slot back, where there is one."""
        if account:
            await self._gates.release(account, Release(ref=ref, was_sent=True))


@workflow.defn
class Burst:
    """One generation of the burst."""

    @workflow.init
    def __init__(self, account: str) -> None:  # noqa: ARG002 - taken by `run`
        self._slots = Slots()

    @workflow.signal(name=SlotSignal.GRANTED)
    def slot_granted(self, grant: Grant) -> None:
        """Take a slot."""
        self._slots.granted(grant)

    @workflow.run
    async def run(self, account: str) -> None:
        """Begin, wait for a slot, send, finish."""
        ref = attempt_ref(workflow.info().workflow_id, 1, 1)
        await workflow.execute_local_activity(
            "begin", args=[ref, account], schedule_to_close_timeout=_A_MINUTE
        )
        async with self._slots.lease(_order(ref, account)) as slot:
            await workflow.wait_condition(lambda: slot.is_answered or not account)
            slot.is_used = True
        await workflow.execute_activity("send", ref, start_to_close_timeout=_A_MINUTE)
        await workflow.execute_activity("finish", args=[ref, account], start_to_close_timeout=_A_MINUTE)


_PLAN = Plan(
    provider="runway",
    model="gen4.5",
    mode=Mode.TEXT,
    prompt="A fox",
    duration_seconds=2,
    width=1280,
    height=720,
    seed=1,
    price=0,
)


def _order(ref: str, account: str) -> Order:
    """An order of which nothing matters here but its attempt."""
    attempt = ClaimedAttempt(ref=ref, number=1, state=AttemptState.QUEUED, account=account)
    return Order(
        generation_id=ref.partition(".")[0],
        take=1,
        mode=DeploymentMode.SANDBOX,
        plan=_PLAN,
        attempt=attempt,
        limits=Limits(),
    )


async def _burst(client: Client, account: str) -> float:
    """Return how many generations a second went through."""
    began = time.perf_counter()
    handles = await asyncio.gather(
        *(
            client.start_workflow(
                Burst.run, account, id=new_generation_id(), task_queue=TaskQueue.GENERATIONS
            )
            for _ in range(BURST)
        )
    )
    await asyncio.gather(*(handle.result() for handle in handles))
    return BURST / (time.perf_counter() - began)


async def main() -> None:
    """Measure, in turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            temporal_server(folder) as client,
            Database(f"sqlite+aiosqlite:///{folder}/db") as database,
        ):
            await upgrade(database)
            limits = {account: AccountLimits(max_concurrent=CAP) for account in ACCOUNTS}
            parts = SimpleNamespace(
                database=database,
                accounts=SimpleNamespace(mode=DeploymentMode.SANDBOX),
                account_limits=limits,
                healths=Healths(limits, DeploymentMode.SANDBOX),
                limits=Limits(),
            )
            gatekeeping, work = Gatekeeping(cast(Service, parts)), Work(Gates(client))
            async with Worker(
                client,
                task_queue=TaskQueue.GENERATIONS,
                workflows=[Burst, ProviderGate],
                workflow_runner=RUNNER,
                activities=[
                    work.begin, work.send, work.finish,
                    gatekeeping.read_gate, gatekeeping.judge_leases, gatekeeping.write_gate,
                ],
                max_concurrent_activities=500,
            ):  # fmt: skip
                for number, account in enumerate(ACCOUNTS):
                    bare = await _burst(client, NO_GATE)
                    gated = await _burst(client, account)
                    print(  # noqa: T201 - what it is for
                        f"burst of {BURST}, cap {CAP}, round {number + 1}: {bare:.1f}/s without a gate, "
                        f"{gated:.1f}/s with it, ratio {gated / bare:.2f}"
                    )


if __name__ == "__main__":
    asyncio.run(main())
