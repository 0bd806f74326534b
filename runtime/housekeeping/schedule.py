"""The Schedule that starts the reconciler's rounds: made, or brought up to date, by every worker that starts."""

import asyncio
from datetime import timedelta
from typing import NoReturn

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from domain.names import RECONCILE_SCHEDULE, RECONCILE_WORKFLOW, TaskQueue
from runtime.temporal import RPC_TIMEOUT

_CATCH_UP = timedelta(seconds=10)
"""The shortest that Temporal knows: rounds that were missed are not made up for, the next one does it all."""
_LOOK_AGAIN_SECONDS = 300.0
_TRY_AGAIN_SECONDS = 2.0

log = structlog.get_logger(__name__)


async def ensure_schedule(client: Client, every: timedelta) -> None:
    """Make the Schedule, or give it this interval; an operator's pause of it stays. Several may do it at once.

    Raises:
        RPCError: Temporal does not answer.
    """
    try:
        await client.create_schedule(RECONCILE_SCHEDULE, _schedule(every), rpc_timeout=RPC_TIMEOUT)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(RECONCILE_SCHEDULE)
        found = (await handle.describe(rpc_timeout=RPC_TIMEOUT)).schedule
        if [interval.every for interval in found.spec.intervals] != [every]:
            await handle.update(lambda known: _changed(known, every), rpc_timeout=RPC_TIMEOUT)


async def keep_schedule(client: Client, every: timedelta) -> NoReturn:
    """See to it that there is a Schedule, as long as this process lives."""
    while True:
        try:
            await ensure_schedule(client, every)
        except RPCError:
            log.warning("cannot make the reconciler's schedule now", exc_info=True)
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
        else:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def _schedule(every: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RECONCILE_WORKFLOW,
            id=RECONCILE_SCHEDULE,
            task_queue=TaskQueue.GENERATIONS,
            static_summary="Puts right what a lost process, message or run has left",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP),
    )


def _changed(known: ScheduleUpdateInput, every: timedelta) -> ScheduleUpdate:
    schedule = _schedule(every)
    schedule.state = known.description.schedule.state
    return ScheduleUpdate(schedule)
