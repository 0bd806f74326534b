"""Cancels that are sent to providers: what was known before, and what became of the job, its bill and its take."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.failures import Failure
from domain.attempts.outcomes import CancelOutcome, JobState
from domain.costs.billing import billed
from domain.generation import Cost, Take
from domain.messages import CancelResult, Job
from domain.status import TERMINAL, Stage
from storage import catalog
from storage.attempts import jobs
from storage.attempts.fence import row_of, tell_failed
from storage.money import ledger
from storage.records import attempt_of
from storage.tables import attempts, generations, takes
from storage.tables.joins import is_take
from storage.takes.endings import close_cancelled, tell_too_late


async def was_sent(connection: AsyncConnection, ref: str) -> tuple[bool, bool | None]:
    """Return whether we sent one for the attempt, and whether that was going to be billed."""
    row = await row_of(connection, ref)
    return row.cancel_sent_at is not None, row.cancel_billed


async def sending(
    connection: AsyncConnection,
    job: Job,
    now: datetime,
    *,
    will_bill: bool | None,
    because: Failure | None = None,
) -> bool | None:
    """Write that a cancel is about to be sent, so that a vanished job is known to be our doing.

    Args:
        connection: The transaction.
        job: Whose.
        now: The time.
        will_bill: Whether the provider bills what it has done so far.
        because: Why the service itself gives the job up; None where the user asked.

    Returns:
        Whether the provider bills it, by the most that was seen before any cancel that was sent.
    """
    await connection.execute(
        update(attempts)
        .where(attempts.c.ref == job.ref, attempts.c.cancel_sent_at.is_(None))
        .values(cancel_sent_at=now, cancel_billed=will_bill)
    )
    if because is not None:
        await jobs.leave(connection, job, because, now)
    row = await row_of(connection, job.ref)
    if will_bill and not row.cancel_billed:
        # An earlier cancel was lost, and the job has gone on since: now it costs something.
        await connection.execute(update(attempts).where(attempts.c.ref == job.ref).values(cancel_billed=True))
        return True
    answer: bool | None = row.cancel_billed
    return answer


async def ended(
    connection: AsyncConnection, job: Job, result: CancelResult, now: datetime, *, because: Failure | None
) -> None:
    """Write the true outcome of a cancel: the bill where the job stopped, and the end of a cancelled take.

    Args:
        connection: The transaction.
        job: Whose.
        result: What became of the cancel.
        now: The time.
        because: Why the service itself gave the job up; None where the user asked.
    """
    generation = await catalog.load(connection, job.generation_id)
    take = generation.take(job.take)
    if result.outcome is CancelOutcome.STOPPED:
        bill = billed(job.plan.price, result.billed)
        await _unless_ended(connection, job, bill, now, job_state=JobState.CANCELLED, ended_at=now)
    elif result.outcome is CancelOutcome.GOES_ON:
        # The cancel did nothing: whatever end is seen from now on is the job's own.
        await _unless_ended(connection, job, Cost(at_risk=job.plan.price), now, cancel_sent_at=None)
    if because is not None:
        await _stopped_late(connection, take, job, result, because, now)
        return
    if result.outcome is CancelOutcome.TOO_LATE:
        await connection.execute(
            update(takes)
            .where(
                is_take(job.generation_id, job.take),
                takes.c.status.not_in(TERMINAL),
            )
            .values(cancel_outcome=result.outcome)
        )
        await connection.execute(
            update(generations)
            .where(
                generations.c.id == job.generation_id,
                generations.c.current_take == job.take,
                generations.c.stage == Stage.CANCELLING,
            )
            .values(stage=Stage.GENERATING)
        )
        await tell_too_late(connection, generation, job, now)
        return
    await close_cancelled(connection, generation, take, result.outcome, now, billed=result.billed)


async def _unless_ended(
    connection: AsyncConnection, job: Job, cost: Cost, now: datetime, **values: Any
) -> None:
    """Write how a job and its money stand, unless its end was seen: that counts."""
    written = await connection.execute(
        update(attempts).where(attempts.c.ref == job.ref, attempts.c.ended_at.is_(None)).values(**values)
    )
    if written.rowcount == 1:
        await ledger.write(connection, job.ref, cost, now)


async def _stopped_late(
    connection: AsyncConnection, take: Take, job: Job, result: CancelResult, because: Failure, now: datetime
) -> None:
    """Write what became of the cancel of a job that outlived its time."""
    if result.outcome is CancelOutcome.TOO_LATE:
        # It ended in this very moment: its end counts after all, unless what follows was decided by now.
        attempt = take.attempts[job.attempt - 1]
        is_made = attempt.job_state is JobState.SUCCEEDED and attempt.failure == because
        if attempt == take.attempts[-1] and (attempt.ended_at is None or is_made):
            await connection.execute(
                update(attempts).where(attempts.c.ref == job.ref).values(failure=None, given_up_at=None)
            )
        return
    await jobs.leave(connection, job, because, now)
    cost = attempt_of(await row_of(connection, job.ref)).cost
    await tell_failed(connection, job, job.ref, because, cost, now)
