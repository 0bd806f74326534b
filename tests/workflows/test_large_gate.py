"""Ten thousand tickets in one gate: it answers, loses nobody over a new run, and stays small."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from domain.attempts.outcomes import AttemptState
from domain.gate.status import GateStatus, StatusWanted
from domain.gate.tickets import AccountLimits
from domain.generation import DeploymentMode
from domain.ids import attempt_ref, new_generation_id
from domain.names import gate_id
from domain.status import Stage, Status
from runtime.gates import Gates
from storage.database import Database
from storage.gate import gates as rows
from storage.tables import attempts, generations, takes
from tests.conftest import MakeStack
from tests.e2e.gate_of import client_of, terminated
from tests.eventually import eventually
from tests.factories import a_plan, a_request
from tests.stack import Stack
from workflows.gate import MAX_EVENTS

COUNT = 10_000
_MEGABYTE = 1 << 20


async def test_ten_thousand_tickets(make_stack: MakeStack) -> None:
    stack = await make_stack()
    gates = Gates(await client_of(stack))
    async with Database(stack.database_url) as database, database.write() as connection:
        await rows.pause(connection, "runway", "Nothing is to be sent in this test.", datetime.now(UTC))
    await gates.pause("runway", "Nothing is to be sent in this test.")
    await _write_tickets(stack)
    await terminated(stack, gate_id("runway"))
    memory = _resident(stack)
    await gates.pause("runway", "Nothing is to be sent in this test.")
    status = await _knows_all(gates)
    assert [one.position for one in status.waiting] == list(range(COUNT - 9, COUNT + 1))
    before = await _run(stack)

    for _ in range(MAX_EVENTS // 200 + 1):
        await asyncio.gather(*(gates.configure("runway", AccountLimits()) for _ in range(200)))

    async def has_gone_on() -> bool:
        return bool((await _run(stack))["runId"] != before["runId"])

    await eventually(has_gone_on, within=90, what="the gate goes on in a new run")
    status = await _knows_all(gates)
    assert status.pause_reason == "Nothing is to be sent in this test."
    described = await _describe(stack)
    assert int(described["historyLength"]) < MAX_EVENTS / 2
    assert int(described["historySizeBytes"]) < 4 * _MEGABYTE
    assert _resident(stack) - memory < 300 * _MEGABYTE


async def test_thousands_who_are_sent_away_at_once_do_not_wedge_the_gate(make_stack: MakeStack) -> None:
    """A server takes two thousand signals of one workflow at a time; who is refused here has no run any more."""
    stack = await make_stack()
    gates = Gates(await client_of(stack))
    await _write_tickets(stack, 2_500, give_up_at=datetime.now(UTC))
    await gates.resume("runway")

    async def is_empty() -> bool:
        status = await gates.status("runway", StatusWanted(), within=timedelta(seconds=10))
        return status is not None and status.waiting_count == 0 and not status.leases

    await eventually(is_empty, within=90, what="nobody waits any more, and the gate answers")


async def _knows_all(gates: Gates) -> GateStatus:
    async def known() -> GateStatus | None:
        wanted = StatusWanted(offset=COUNT - 10, limit=10)
        status = await gates.status("runway", wanted, within=timedelta(seconds=10))
        return status if status is not None and status.waiting_count == COUNT else None

    return await eventually(known, within=60, what="the gate knows every ticket")


async def _describe(stack: Stack) -> dict[str, Any]:
    described = json.loads(
        await stack.temporal("workflow", "describe", "-w", gate_id("runway"), "-o", "json")
    )
    return dict(described["workflowExecutionInfo"])


async def _run(stack: Stack) -> dict[str, Any]:
    return dict((await _describe(stack))["execution"])


def _resident(stack: Stack) -> int:
    """Return how much memory the worker has, in bytes."""
    status = Path(f"/proc/{stack.processes['worker'].pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


async def _write_tickets(stack: Stack, count: int = COUNT, give_up_at: datetime | None = None) -> None:
    """Write generations that wait for a turn, as their claims would have; nobody nudges them for a day."""
    now = datetime.now(UTC)
    request = a_request().model_dump(mode="json", exclude_none=True)
    plan = a_plan().model_dump(mode="json")
    ids = [new_generation_id() for _ in range(count)]
    ofs: list[dict[str, Any]] = [
        {
            "id": one, "mode": DeploymentMode.SANDBOX, "tenant_id": f"tenant-{number % 7}",
            "status": Status.PROCESSING, "stage": Stage.QUEUED, "provider": "runway", "prompt": "A fox",
            "current_take": 1, "metadata": {}, "created_at": now, "updated_at": now + timedelta(days=1),
        }
        for number, one in enumerate(ids)
    ]  # fmt: skip
    first_takes = [
        {
            "generation_id": one, "number": 1, "status": Status.PROCESSING, "request": request, "plan": plan,
            "route": [plan], "run_id": "run", "run_started_micros": 1, "claimed_at": now, "created_at": now,
        }
        for one in ids
    ]  # fmt: skip
    tickets = [
        {
            "ref": attempt_ref(one, 1, 1), "generation_id": one, "take": 1, "number": 1, "provider": "runway",
            "account": "runway", "model": "gen4.5", "plan": plan, "tenant_id": f"tenant-{number % 7}",
            "priority": "normal", "state": AttemptState.QUEUED, "reserved_micros": 0, "started_at": now,
            "give_up_at": give_up_at,
        }
        for number, one in enumerate(ids)
    ]  # fmt: skip
    async with Database(stack.database_url) as database, database.write() as connection:
        await connection.execute(insert(generations), ofs)
        await connection.execute(insert(takes), first_takes)
        await connection.execute(insert(attempts), tickets)
