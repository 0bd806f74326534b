"""Following a job until it ends."""

import asyncio
from datetime import datetime, timedelta

from temporalio import activity

from activities.releasing import release_job
from activities.service import Service, heartbeating, now
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import JobState, JobStatus
from domain.messages import Job, JobEnd
from domain.moments import moment_of
from domain.names import ActivityName
from domain.orders.line_up import name_of
from failpoints import Point, reach
from providers.base import ProviderError
from providers.registry import UnknownAccount
from storage.attempts import answers, jobs
from storage.database import uninterrupted

SHOW_EVERY = timedelta(seconds=2)
TELL_EVERY = timedelta(seconds=5)
TELL_PERCENT = 5
_MAX_SILENCE = timedelta(seconds=60)
_UNANSWERED = timedelta(seconds=1)


class Watching:
    """The activity `watch`: bounded in time, and cheap to resume anywhere."""

    def __init__(self, service: Service) -> None:
        self._service = service
        # Why a job's last look gave no answer, by attempt.
        self._said: dict[str, str] = {}

    @activity.defn(name=ActivityName.WATCH)
    async def watch(self, job: Job) -> JobEnd:
        """Look at the job until it is over or its time is; show its progress; write its end and its bill.

        A look that gets no usable answer is repeated, with growing pauses, as long as the job has time.
        """
        await self._remember(job)
        teller = _Teller()
        deadline = moment_of(job.deadline_micros)
        failures = 0
        async with heartbeating():
            while True:
                look, poll_interval = await self._look(job)
                if look is not None and look.state.is_over:
                    end = await self._ended(job, look)
                    await release_job(self._service, job, end)
                    return end
                if now() >= deadline:
                    return self._out_of_time(job, look)
                if look is None:
                    failures += 1
                else:
                    failures = 0
                    self._said.pop(job.ref, None)
                    await self._show(job, look, teller)
                    reach(Point.WATCHING)
                pause = min(poll_interval * 2 ** min(failures, 6), _MAX_SILENCE)
                remaining = max((deadline - now()).total_seconds(), 0)
                await asyncio.sleep(min(pause.total_seconds(), remaining))

    async def _look(self, job: Job) -> tuple[JobStatus | None, timedelta]:
        """Return what the provider says, if anything, and how long to wait before the next look.

        Raises:
            WrongMode: Nothing can be concluded here; to be retried, until the deployment is in the job's mode.
        """
        interval = _UNANSWERED
        try:
            provider = self._service.accounts.get(job.account, job.mode)
            interval = provider.poll_interval
            return await provider.status(job.job_id), interval
        except UnknownAccount as error:
            self._said[job.ref] = str(error)
        except ProviderError as error:
            self._said[job.ref] = error.failure.detail
        activity.logger.warning("No usable answer about job %s: %s", job.job_id, self._said[job.ref])
        return None, interval

    def _out_of_time(self, job: Job, look: JobStatus | None) -> JobEnd:
        said = self._said.pop(job.ref, None) if look is None else None
        failure = Failure(
            category=Category.TIMEOUT,
            code="job_timeout",
            detail=f"{name_of(job.plan.provider)} did not finish the video in the time that a job may take."
            + (f" The last time it was asked: {said}" if said else ""),
        )
        return JobEnd(state=JobState.RUNNING if look is None else look.state, failure=failure)

    @uninterrupted
    async def _remember(self, job: Job) -> None:
        """Write the job's id down where the database was away when it was accepted."""
        async with self._service.database.read() as connection:
            attempt = await answers.state_of(connection, job.ref)
        if attempt.job_id is None:
            async with self._service.database.write(job.generation_id) as connection:
                await answers.accepted(connection, job, now())

    @uninterrupted
    async def _ended(self, job: Job, look: JobStatus) -> JobEnd:
        async with self._service.database.write(job.generation_id) as connection:
            await jobs.ended(connection, job, look, now())
        return JobEnd(state=look.state, failure=look.failure)

    @uninterrupted
    async def _show(self, job: Job, look: JobStatus, teller: "_Teller") -> None:
        moment = now()
        if not teller.wants_to_show(look, moment):
            return
        async with self._service.database.write(job.generation_id) as connection:
            await jobs.observed(
                connection,
                job,
                look,
                activity.info().attempt,
                moment,
                tell=teller.wants_to_tell(look, moment),
            )


class _Teller:
    """What was shown and told last: rows at most every two seconds, events at most every 5 % or 5 s."""

    def __init__(self) -> None:
        self._shown: tuple[JobState, int | None] | None = None
        self._shown_at: datetime | None = None
        self._told_percent = 0
        self._told_at: datetime | None = None

    def wants_to_show(self, look: JobStatus, moment: datetime) -> bool:
        shown = (look.state, look.progress_percent)
        if shown == self._shown:
            return False
        same_state = self._shown is not None and self._shown[0] is look.state
        if same_state and self._shown_at is not None and moment - self._shown_at < SHOW_EVERY:
            return False
        self._shown, self._shown_at = shown, moment
        return True

    def wants_to_tell(self, look: JobStatus, moment: datetime) -> bool:
        percent = look.progress_percent
        if percent is None or percent == self._told_percent:
            return False
        waited = self._told_at is None or moment - self._told_at >= TELL_EVERY
        if not waited and percent - self._told_percent < TELL_PERCENT:
            return False
        self._told_percent, self._told_at = percent, moment
        return True
