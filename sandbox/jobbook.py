"""Every job of the sandbox, kept in one SQLite table so that it survives `kill -9`.

A job is committed before `add` returns; that is before anybody can have heard of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from sandbox.database import open_database
from sandbox.jobs import TERMINAL, Job
from sandbox.lanes import Lane


class JobBook:
    """The jobs, oldest first, and the lanes that admit them. Belongs to one thread.

    Args:
        data_dir: The folder of the database; None keeps it in memory.
        slots: How many jobs of a lane run at once.
        clock: The time, in unix seconds.
    """

    def __init__(self, data_dir: Path | None, slots: int, clock: Callable[[], float] = time.time) -> None:
        self._slots = slots
        self._clock = clock
        self._jobs: dict[tuple[str, str], Job] = {}
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._db = open_database(data_dir)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS jobs (seq INTEGER PRIMARY KEY,"
            " provider TEXT NOT NULL, job_id TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (provider, job_id))"
        )
        for (record,) in self._db.execute("SELECT record FROM jobs ORDER BY seq"):
            job = Job.model_validate_json(record)
            self._jobs[job.provider, job.job_id] = job
            self.lane(job.provider, job.lane).restore(job)

    def now(self) -> float:
        """The sandbox's time, in unix seconds."""
        return self._clock()

    def lane(self, provider: str, name: str) -> Lane:
        """The lane of a provider's model."""
        return self._lanes.setdefault((provider, name), Lane(self._slots))

    def add(self, job: Job) -> Job:
        """Admits or throttles a new job and commits it.

        Returns:
            The job as it was recorded.
        """
        self._settle(job.provider, job.lane)
        lane = self.lane(job.provider, job.lane)
        job = job.model_copy(update={"starts_at": lane.enter(job, self.now())})
        self._db.execute(
            "INSERT INTO jobs (provider, job_id, record) VALUES (?, ?, ?)",
            (job.provider, job.job_id, job.model_dump_json()),
        )
        self._jobs[job.provider, job.job_id] = job
        if job.starts_at is not None:
            lane.hold(job)
        return job

    def get(self, provider: str, job_id: str) -> Job | None:
        """A job that the provider still knows, with its place as of now."""
        job = self._jobs.get((provider, job_id))
        if job is None or job.is_deleted:
            return None
        self._settle(provider, job.lane)
        return self._jobs[provider, job_id]

    def known_to(self, provider: str) -> list[Job]:
        """The jobs that a provider still knows, oldest first."""
        return [job for job in self.all() if job.provider == provider and not job.is_deleted]

    def cancel(self, job: Job) -> None:
        """Ends a job that has not ended; the provider goes on knowing it."""
        job = job.model_copy(update={"cancelled_at": self.now()})
        self._save(job)
        self.lane(job.provider, job.lane).hold(job)

    def delete(self, job: Job) -> None:
        """Makes the provider forget a job; one that has not ended is cancelled by that."""
        now = self.now()
        cancelled_at = job.cancelled_at if job.state(now) in TERMINAL else now
        job = job.model_copy(update={"is_deleted": True, "cancelled_at": cancelled_at})
        self._save(job)
        if cancelled_at is not None:
            self.lane(job.provider, job.lane).hold(job)

    def use_output_fault(self, job: Job) -> None:
        """Forgets the fault that has just spoiled a download."""
        self._save(job.model_copy(update={"output_faults": job.output_faults[1:]}))

    def all(self) -> list[Job]:
        """Every job that was ever created, oldest first."""
        for provider, lane in self._lanes:
            self._settle(provider, lane)
        return list(self._jobs.values())

    def clear(self) -> None:
        """Forgets everything."""
        self._db.execute("DELETE FROM jobs")
        self._jobs.clear()
        self._lanes.clear()

    def close(self) -> None:
        """Closes the database."""
        self._db.close()

    def _settle(self, provider: str, name: str) -> None:
        """Starts the throttled jobs whose turn has come."""
        lane, now = self.lane(provider, name), self.now()
        while (start := lane.next_start(now)) is not None:
            job_id, starts_at = start
            job = self._jobs[provider, job_id].model_copy(update={"starts_at": starts_at})
            self._save(job)
            lane.hold(job)

    def _save(self, job: Job) -> None:
        if (job.provider, job.job_id) not in self._jobs:
            return  # forgotten by a reset while a slow answer was under way
        self._jobs[job.provider, job.job_id] = job
        self._db.execute(
            "UPDATE jobs SET record = ? WHERE provider = ? AND job_id = ?",
            (job.model_dump_json(), job.provider, job.job_id),
        )
