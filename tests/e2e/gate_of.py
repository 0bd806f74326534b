"""Looking at an account's gate from outside, as an operator does; and telling it things by hand."""

import json
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client

from domain.gate.status import GateStatus, StatusWanted
from domain.names import gate_id
from runtime.gates import Gates
from runtime.settings import Settings
from runtime.temporal import connect
from tests.eventually import eventually
from tests.stack import Stack


async def client_of(stack: Stack) -> Client:
    """Connect to a stack's Temporal server."""
    return await connect(Settings(temporal_port=int(stack.temporal_address.rpartition(":")[2])))


async def status_of(stack: Stack, account: str = "runway") -> GateStatus | None:
    """Return how a gate stands; None where it does not run."""
    gates = Gates(await client_of(stack))
    return await gates.status(account, StatusWanted(), within=timedelta(seconds=5))


async def stands_like(
    stack: Stack, *, leases: int, waiting: int, account: str = "runway", within: float = 30
) -> GateStatus:
    """Wait until a gate has so many slots in use and so many tickets waiting."""

    async def so() -> GateStatus | None:
        status = await status_of(stack, account)
        is_so = status is not None and (len(status.leases), status.waiting_count) == (leases, waiting)
        return status if is_so else None

    return await eventually(so, within=within, what=f"{leases} slots in use and {waiting} waiting")


async def terminated(stack: Stack, workflow_id: str, reason: str = "not needed any more") -> None:
    """Terminate a workflow, as an operator does."""
    await stack.temporal("workflow", "terminate", "-w", workflow_id, "--reason", reason)


async def started_at(stack: Stack, account: str = "runway") -> datetime:
    """Return when the gate's newest run began."""
    described: dict[str, Any] = json.loads(
        await stack.temporal("workflow", "describe", "-w", gate_id(account), "-o", "json")
    )
    return datetime.fromisoformat(described["workflowExecutionInfo"]["startTime"])


def most_at_once(jobs: list[dict[str, Any]]) -> int:
    """Return how many jobs the provider had under way at the same moment, at most."""
    steps = sorted((job["created_at"], 1) for job in jobs) + sorted((job["ended_at"], -1) for job in jobs)
    count = most = 0
    for _, step in sorted(steps):
        count += step
        most = max(most, count)
    return most
