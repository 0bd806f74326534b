"""Speaking to the accounts' gates: joining their queues, giving slots back, and the operators' controls.

Everything said to a gate may be said again. Joining starts the gate where it does not run; giving back does not, since
a gate that starts anew asks the rows.
"""

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.gate.status import GateStatus, StatusWanted
from domain.gate.tickets import AccountLimits, Release, Ticket
from domain.names import GATE_WORKFLOW, STATUS_QUERY, GateSignal, TaskQueue, gate_id
from runtime.temporal import RPC_TIMEOUT

_TRIES = 4
_PAUSE_SECONDS = 0.25

log = structlog.get_logger(__name__)


class Gates:
    """The gates of a deployment's accounts."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def join(self, account: str, ticket: Ticket) -> None:
        """Put a ticket into an account's queue, and start its gate where it does not run.

        Raises:
            RPCError: Temporal does not answer; to be repeated.
        """
        await self._start(account, GateSignal.JOIN, ticket)

    async def ack(self, account: str, ref: str) -> None:
        """Say that an order was written; one that is lost only makes the others wait a little longer."""
        await self._say(account, GateSignal.ACK, ref)

    async def release(self, account: str, release: Release) -> None:
        """Give a slot back; one that is lost is found out from the attempt's row."""
        await self._say(account, GateSignal.RELEASE, release)

    async def pause(self, account: str, reason: str) -> None:
        """Let no more orders through.

        Raises:
            RPCError: Temporal does not answer.
        """
        await self._start(account, GateSignal.PAUSE, reason)

    async def resume(self, account: str) -> None:
        """Go on.

        Raises:
            RPCError: Temporal does not answer.
        """
        await self._start(account, GateSignal.RESUME)

    async def reset_breaker(self, account: str) -> None:
        """Close the breaker and forget the faults.

        Raises:
            RPCError: Temporal does not answer.
        """
        await self._start(account, GateSignal.RESET_BREAKER)

    async def pause_tenant(self, account: str, tenant_id: str, *, paused: bool) -> None:
        """Pass a tenant's tickets over, or no longer; a gate that does not run reads it when it starts."""
        await self._say(account, GateSignal.PAUSE_TENANT if paused else GateSignal.RESUME_TENANT, tenant_id)

    async def configure(self, account: str, limits: AccountLimits) -> None:
        """Tell a running gate what its account can bear; others read it when they start."""
        await self._say(account, GateSignal.CONFIGURE, limits)

    async def status(self, account: str, wanted: StatusWanted, *, within: timedelta) -> GateStatus | None:
        """Return how a gate stands; None where it does not run, or nobody answers in time."""
        try:
            answer: GateStatus = await self._handle(account).query(
                STATUS_QUERY,
                wanted,
                result_type=GateStatus,
                # A gate that was terminated would answer as it stood then.
                reject_condition=QueryRejectCondition.NOT_OPEN,
                rpc_timeout=within,
            )
        except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError, RuntimeError):
            return None
        return answer

    async def _start(self, account: str, signal: GateSignal, *arguments: Any) -> None:
        await self._client.start_workflow(
            GATE_WORKFLOW,
            id=gate_id(account),
            task_queue=TaskQueue.GENERATIONS,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
            start_signal_args=arguments,
            static_summary=f"The gate of {account}: its queue, its slots, its breaker",
            rpc_timeout=RPC_TIMEOUT,
        )

    async def _say(self, account: str, signal: GateSignal, argument: object) -> None:
        """Signal a gate that runs, insistently but not for ever."""
        for attempt in range(_TRIES):
            try:
                await self._handle(account).signal(signal, argument, rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return
                if attempt + 1 == _TRIES:
                    log.warning("the gate was not told", account=account, signal=signal, error=str(error))
                    return
                await asyncio.sleep(_PAUSE_SECONDS * 2**attempt)
            else:
                return

    def _handle(self, account: str) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(gate_id(account))
