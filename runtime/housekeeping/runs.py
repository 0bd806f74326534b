"""What Temporal knows of a generation's runs: the newest one, and why one was terminated."""

from dataclasses import dataclass

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from domain.names import OLDER_GENERATION_WORKFLOWS
from runtime.temporal import RPC_TIMEOUT

HANDED_OVER = "handed over: a newer version of the service goes on from the rows"
"""Why our own migration terminates runs of an older version; what they served is not closed, but goes on."""


@dataclass(frozen=True)
class Run:
    """One run of a generation's workflow.

    Attributes:
        type_name: Of its workflow.
    """

    run_id: str
    status: WorkflowExecutionStatus | None
    type_name: str

    @property
    def serves(self) -> bool:
        """Whether it is open, and of a version that this one's workers serve."""
        is_older = self.type_name in OLDER_GENERATION_WORKFLOWS
        return self.status is WorkflowExecutionStatus.RUNNING and not is_older

    @property
    def was_terminated(self) -> bool:
        """Whether somebody ended it from outside."""
        return self.status is WorkflowExecutionStatus.TERMINATED


class Runs:
    """The runs in one namespace of Temporal."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def newest(self, generation_id: str) -> Run | None:
        """Return a generation's newest run; None where Temporal knows of none (any more).

        Raises:
            RPCError: Temporal does not answer.
        """
        try:
            found = await self._client.get_workflow_handle(generation_id).describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return Run(run_id=found.run_id, status=found.status, type_name=found.workflow_type)

    async def why_terminated(self, generation_id: str, run_id: str) -> str | None:
        """Return the reason that was given when a run was terminated; None where its history is gone.

        Raises:
            RPCError: Temporal does not answer.
        """
        handle = self._client.get_workflow_handle(generation_id, run_id=run_id)
        history = handle.fetch_history_events(
            event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, rpc_timeout=RPC_TIMEOUT
        )
        try:
            async for event in history:
                return event.workflow_execution_terminated_event_attributes.reason
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return None
