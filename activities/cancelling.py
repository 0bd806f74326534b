"""Stopping a job at its provider, and telling the truth about it."""

from temporalio import activity

from activities.service import Service, now
from domain.messages import ActivityName, CancelJob, CancelResult
from domain.outcomes import CancelOutcome, CancelReply, JobState
from failpoints import Point, reach
from storage import endings, facts


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
        """
        result = await self._cancel(cancel)
        async with self._service.database.write() as connection:
            await facts.cancel_ended(connection, cancel.job, result, now(), by_user=cancel.because is None)
            ending = await endings.ending_of(connection, cancel.job.generation_id, cancel.job.take)
        return result.model_copy(update={"ending": ending})

    async def _cancel(self, cancel: CancelJob) -> CancelResult:
        job = cancel.job
        provider = self._service.accounts[job.account]
        async with self._service.database.read() as connection:
            sent_before, billed = await facts.cancel_was_sent(connection, job.ref)
        look = await provider.status(job.job_id)
        if look.state.is_over:
            if sent_before and look.state in {JobState.GONE, JobState.CANCELLED}:
                return CancelResult(outcome=CancelOutcome.STOPPED, billed=billed)
            return CancelResult(outcome=CancelOutcome.TOO_LATE)
        async with self._service.database.write() as connection:
            billed = await facts.cancel_sending(
                connection, job, now(), will_bill=provider.cancel_is_billed(look)
            )
        reach(Point.BEFORE_CANCEL)
        match await provider.cancel(job.job_id):
            case CancelReply.STOPPED | CancelReply.GONE:
                return CancelResult(outcome=CancelOutcome.STOPPED, billed=billed)
            case CancelReply.REFUSED:
                return CancelResult(outcome=CancelOutcome.GOES_ON)
