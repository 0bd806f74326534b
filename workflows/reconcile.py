"""One round of the reconciler: three parts, one after another, each of which may fail without harm to the others.

A Schedule starts a round every minute (`runtime.housekeeping.schedule`). There is nothing to be carried from one
round to the next, so what a round could not do is simply done by the next one.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from domain.messages import Reconciled
    from domain.names import RECONCILE_WORKFLOW, ActivityName, TaskQueue

# The next round is the second try.
_ONCE = RetryPolicy(maximum_attempts=1)

_STARTS_WITHIN = timedelta(seconds=60)
"""Without workers a round waits; once they are back, a fresh one begins at once instead of this one's rest."""

_PART_SECONDS = timedelta(seconds=120)
"""Far longer than a part takes; a database that is away is waited for by nobody."""

_HEARTBEAT = timedelta(seconds=15)
"""A killed worker's round must not keep out the next one for long."""


@workflow.defn(name=RECONCILE_WORKFLOW)
class Reconcile:
    """Puts right what nobody else will."""

    @workflow.run
    async def run(self) -> Reconciled:
        """Do one round; return what was put right."""
        # What is found is a late job then, which the next part sees to.
        done = await _part(ActivityName.LOOK_AGAIN, TaskQueue.WATCH, "lost orders: do their jobs exist?")
        done += await _part(ActivityName.RECONCILE, TaskQueue.GENERATIONS, "what is served by nobody?")
        return done + await _part(ActivityName.RECONCILE_GATES, TaskQueue.GENERATIONS, "are the gates right?")


async def _part(name: ActivityName, task_queue: TaskQueue, summary: str) -> Reconciled:
    try:
        done: Reconciled = await workflow.execute_activity(
            name,
            result_type=Reconciled,
            task_queue=task_queue,
            schedule_to_start_timeout=_STARTS_WITHIN,
            start_to_close_timeout=_PART_SECONDS,
            heartbeat_timeout=_HEARTBEAT,
            retry_policy=_ONCE,
            summary=summary,
        )
    except ActivityError as error:
        workflow.logger.warning("One part of the round was not done: %s", error.cause)
        return Reconciled(skipped=(name,))
    return done
