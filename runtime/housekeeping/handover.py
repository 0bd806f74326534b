"""Handing over from an older version of the generation's workflow: its open runs end, and new ones go on from the rows.

What they served is in SQL, so nothing is lost; that they were handed over, and not stopped by an operator, is their
termination's reason.
"""

from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.names import OLDER_GENERATION_WORKFLOWS, Signal
from runtime.housekeeping.runs import HANDED_OVER
from runtime.nudge import Nudger
from runtime.temporal import RPC_TIMEOUT
from storage.database import Database

_LIST_WITHIN = timedelta(seconds=10)

log = structlog.get_logger(__name__)


async def hand_over(client: Client, database: Database) -> int:
    """End every open run of an older version and start a new one; return how many. Harmless to repeat.

    A process that ends between the two leaves a take without a run, which the reconciler goes on with.

    Raises:
        RPCError: Temporal does not answer.
        SQLAlchemyError: The database is away.
    """
    types = ", ".join(f'"{name}"' for name in OLDER_GENERATION_WORKFLOWS)
    query = f'WorkflowType IN ({types}) AND ExecutionStatus = "Running"'
    nudger, ended = Nudger(client, database), 0
    older = [(run.id, run.run_id) async for run in client.list_workflows(query, rpc_timeout=_LIST_WITHIN)]
    for workflow_id, run_id in older:
        handle = client.get_workflow_handle(workflow_id, run_id=run_id)
        try:
            await handle.terminate(reason=HANDED_OVER, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if (
                error.status is not RPCStatusCode.NOT_FOUND
            ):  # it ended by itself, or the list was not up to date
                raise
        else:
            ended += 1
            await nudger.nudge(workflow_id, Signal.REGENERATE, 1)
            log.info("handed over to the next version", generation=workflow_id)
    return ended
