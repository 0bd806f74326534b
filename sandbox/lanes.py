"""The concurrency limit of a model: so many jobs at once, the next ones throttled, first come first served.

A slot passes on at the moment at which its job ended, not when somebody looked, so the outcome depends
on recorded times alone.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Final

from sandbox.jobs import Job

DAY_SECONDS: Final = 24 * 3600.0


class Lane:
    """Who holds the slots of one model, and who waits for one."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._holders: set[str] = set()
        self._heap: list[tuple[float, str]] = []
        self._waiting: deque[tuple[str, float]] = deque()
        self._creations: deque[float] = deque()

    def restore(self, job: Job) -> None:
        """Takes up a recorded job, in the order of creation."""
        self._creations.append(job.created_at)
        if job.starts_at is not None:
            self._hold(job.job_id, job.ends_at)
        elif job.cancelled_at is None:
            self._waiting.append((job.job_id, job.created_at + job.wait_seconds))

    def enter(self, job: Job, now: float) -> float | None:
        """Gives a new job a slot or a place in the queue; `settle` must have been called for `now`.

        Returns:
            When the job starts, or None if it is throttled.
        """
        self._creations.append(job.created_at)
        ready_at = job.created_at + job.wait_seconds
        if not self._waiting:
            self._free(now)
            if len(self._holders) < self._slots:
                return ready_at
        self._waiting.append((job.job_id, ready_at))
        return None

    def hold(self, job: Job) -> None:
        """Notes until when a job holds its slot, or that it gives it back earlier than it would have."""
        if job.job_id in self._holders or job.starts_at is not None:
            self._hold(job.job_id, job.ends_at)
        elif job.cancelled_at is not None:
            self._waiting = deque(ticket for ticket in self._waiting if ticket[0] != job.job_id)

    def next_start(self, now: float) -> tuple[str, float] | None:
        """The first waiting job that has got a slot by now, and when it starts."""
        if not self._waiting:
            return None
        freed_at = self._free(now, enough=self._slots - 1)
        if len(self._holders) >= self._slots:
            return None
        job_id, ready_at = self._waiting.popleft()
        return job_id, max(ready_at, freed_at)

    def created_today(self, now: float) -> int:
        """How many jobs were created in the rolling day."""
        while self._creations and self._creations[0] <= now - DAY_SECONDS:
            self._creations.popleft()
        return len(self._creations)

    def day_frees_in(self, now: float) -> float:
        """In how many seconds the oldest of them leaves that day."""
        return max(0.0, self._creations[0] + DAY_SECONDS - now) if self._creations else 0.0

    def _hold(self, job_id: str, ends_at: float) -> None:
        self._holders.add(job_id)
        heapq.heappush(self._heap, (ends_at, job_id))

    def _free(self, now: float, enough: int = 0) -> float:
        """Gives back the slots of ended jobs, earliest first, until at most `enough` are held.

        Returns:
            When the last of them was given back.
        """
        freed_at = 0.0
        while self._heap and self._heap[0][0] <= now and len(self._holders) > enough:
            ends_at, job_id = heapq.heappop(self._heap)
            if job_id in self._holders:  # else it was cancelled, and this is the end that it did not reach
                self._holders.remove(job_id)
                freed_at = ends_at
        return freed_at
