"""Nudges: telling a generation's workflow that a wish is waiting in SQL.

A nudge carries no wish, so it may be lost, late, or repeated any number of times by anyone.
"""

from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from domain.generation import Generation
from domain.names import GENERATION_WORKFLOW, Signal, TaskQueue
from runtime.temporal import RPC_TIMEOUT
from storage import catalog
from storage.database import Database

_SUMMARY_CHARACTERS = 100


class Nudger:
    """Nudges workflows, starting those that do not run."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database

    async def nudge(self, generation_id: str, signal: Signal, take: int) -> None:
        """Signal the generation's workflow, with start.

        Raises:
            RPCError: Temporal does not answer; the reconciler repeats the nudge later.
        """
        async with self._database.read() as connection:
            generation = await catalog.find(connection, generation_id)
        if generation is None or generation.deleted_at is not None:
            return
        await self._client.start_workflow(
            GENERATION_WORKFLOW,
            id=generation_id,
            task_queue=TaskQueue.GENERATIONS,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal,
            start_signal_args=[take],
            static_summary=generation.current.request.prompt.replace("\n", " ")[:_SUMMARY_CHARACTERS],
            search_attributes=_search_attributes(generation),
            priority=_priority(generation),
            rpc_timeout=RPC_TIMEOUT,
        )


def _priority(generation: Generation) -> Priority:
    """Return what decides whose task is served first where workers are short: urgency, then fairness."""
    level = generation.current.request.priority.level
    return Priority(priority_key=level + 1, fairness_key=generation.tenant_id)


def _search_attributes(generation: Generation) -> TypedSearchAttributes:
    values = {
        "VideoStatus": generation.status,
        "VideoProvider": generation.current.plan.provider,
        "TenantId": generation.tenant_id,
        "ProjectId": generation.project_id,
        "ScenarioId": generation.scenario_id,
    }
    return TypedSearchAttributes(
        [
            SearchAttributePair(SearchAttributeKey.for_keyword(name), str(value))
            for name, value in values.items()
            if value is not None
        ]
    )
