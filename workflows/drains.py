"""Jobs that a run follows beside its takes: what a provider would not stop, and what was given up and goes on."""

import asyncio
from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.attempts.outcomes import JobState
    from domain.limits import Limits
    from domain.messages import Ending, JobEnd, LateJob

    from workflows import calls


class Drains:
    """Follows each such job to its end, and fetches its video where that is still welcome."""

    def __init__(self, when_over: Callable[[Ending | None], None]) -> None:
        """Follow nothing yet.

        Args:
            when_over: Called when a job is over or out of time, with its take's end where that has changed.
        """
        self._when_over = when_over
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._followed: dict[str, LateJob] = {}

    def __len__(self) -> int:
        return sum(not task.done() for task in self._tasks.values())

    def follow(self, late: tuple[LateJob, ...], limits: Limits) -> None:
        """Follow what is not followed yet; a job that ran out of time, again if it was given more."""
        for one in late:
            ref = one.job.ref
            task = self._tasks.get(ref)
            if (task is None or task.done()) and self._followed.get(ref) != one:
                self.take(one, calls.watch(one.job, limits.heartbeat), limits)

    def take(self, late: LateJob, watching: "workflow.ActivityHandle[JobEnd]", limits: Limits) -> None:
        """Follow a job that is being watched already."""
        self._followed[late.job.ref] = late
        self._tasks[late.job.ref] = asyncio.create_task(self._see_off(late, watching, limits))

    async def _see_off(
        self, late: LateJob, watching: "workflow.ActivityHandle[JobEnd]", limits: Limits
    ) -> None:
        end = await watching
        ending = None
        if end.state is JobState.SUCCEEDED and late.is_wanted:
            stored = await calls.store(late.job, limits.store, limits.heartbeat)
            ending = stored.ending
        self._when_over(ending)
