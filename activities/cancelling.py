"""Stopping a job at its provider, and telling the truth about it."""

import time

from temporalio import activity

from activities.releasing import release_stopped, report_going_on
from activities.service import Service, heartbeating, now
from domain.attempts.outcomes import CancelOutcome, CancelReply, JobState
from domain.messages import CancelJob, CancelResult, Job
from domain.names import ActivityName
from failpoints import Point, reach
from storage.database import uninterrupted
from storage.takes import cancels, endings

_FRESH_SECONDS = 3.0


class StaleLook(Exception):
    """Too much time has passed since the job was looked at; to be retried from the beginning."""


class Cancelling:
    """The activity `cancel_job`; retried until the provider gives an answer."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @activity.defn(name=ActivityName.CANCEL)
    async def cancel_job(self, cancel: CancelJob) -> CancelResult:
        """Look once more, then ask the provider to stop; write the outcome and what it costs.

        The look comes first because some providers destroy a finished output with the same verb. That a cancel is
        about to be sent is written down before, so that a job that has vanished is known to be our doing.

        Raises:
            ProviderError: No usable answer; to be retried.
            StaleLook: The process was held up; to be retried.
        """
        async with heartbeating():
            result = await self._cancel(cancel)
        return await self._conclude(cancel, result)

    @activity.defn(name=ActivityName.GIVE_UP_CANCEL)
    async def give_up_cancel(self, cancel: CancelJob) -> CancelResult:
        """Write that the provider never answered a cancel: the job may go on, and may be billed."""
        return await self._conclude(cancel, CancelResult(outcome=CancelOutcome.GOES_ON))

    async def _conclude(self, cancel: CancelJob, result: CancelResult) -> CancelResult:
        """Write the outcome down, and give the slot back where the job is stopped."""
        written = await self._write_down(cancel, result)
        if result.outcome is CancelOutcome.STOPPED:
            await release_stopped(self._service, cancel.job, cancel.because)
        elif result.outcome is CancelOutcome.GOES_ON and cancel.because is not None:
            await report_going_on(self._service, cancel.job, cancel.because)
        return written

    async def _cancel(self, cancel: CancelJob) -> CancelResult:
        job = cancel.job
        provider = self._service.accounts.get(job.account, job.mode)
        sent_before, billed = await self._was_sent(job)
        looked_at = time.monotonic()
        look = await provider.status(job.job_id)
        if look.state.is_over:
            if sent_before and look.state in {JobState.GONE, JobState.CANCELLED}:
                return CancelResult(outcome=CancelOutcome.STOPPED, billed=billed)
            return CancelResult(outcome=CancelOutcome.TOO_LATE)
        billed = await self._sending(cancel, will_bill=provider.cancel_is_billed(look))
        reach(Point.BEFORE_CANCEL)
        if time.monotonic() - looked_at > _FRESH_SECONDS:
            raise StaleLook(
                "the last look at the job is too old: it may be over, and its output be destroyed"
            )
        match await provider.cancel(job.job_id, look):
            case CancelReply.STOPPED | CancelReply.GONE:
                return CancelResult(outcome=CancelOutcome.STOPPED, billed=billed)
            case CancelReply.REFUSED:
                return CancelResult(outcome=CancelOutcome.GOES_ON)

    @uninterrupted
    async def _was_sent(self, job: Job) -> tuple[bool, bool | None]:
        async with self._service.database.read() as connection:
            return await cancels.was_sent(connection, job.ref)

    @uninterrupted
    async def _sending(self, cancel: CancelJob, *, will_bill: bool | None) -> bool | None:
        job = cancel.job
        async with self._service.database.write(job.generation_id) as connection:
            return await cancels.sending(connection, job, now(), will_bill=will_bill, because=cancel.because)

    @uninterrupted
    async def _write_down(self, cancel: CancelJob, result: CancelResult) -> CancelResult:
        job = cancel.job
        async with self._service.database.write(job.generation_id) as connection:
            await cancels.ended(connection, job, result, now(), because=cancel.because)
            ending = await endings.ending_of(connection, job.generation_id, job.take)
        return result.model_copy(update={"ending": ending})
