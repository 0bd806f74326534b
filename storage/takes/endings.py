"""How takes end: completed, failed or cancelled, each told once, and never after another end.

A take that was replaced ends quietly: the generation goes on with the next one, and streams must not stop.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.failures import Category, Failure
from domain.attempts.late import is_wanted
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.generation import Attempt, Generation, Take, Video
from domain.messages import Ending, Job
from domain.status import TERMINAL, Move, Stage, Status, after
from storage import catalog
from storage.attempts.fence import withdraw
from storage.files import uses
from storage.files.asset_store import AssetStore
from storage.money import ledger
from storage.tables import attempts, generations, takes
from storage.tables.joins import is_of_take, is_take
from storage.takes.telling import End, Teller


async def completed(
    connection: AsyncConnection, assets: AssetStore, job: Job, video: Video, now: datetime
) -> Ending:
    """Write that the take's video is stored, and show it unless a newer take is shown.

    Raises:
        FileGone: The stored file was removed in this moment; to be stored again.
    """
    generation = await catalog.load(connection, job.generation_id)
    take = generation.take(job.take)
    if take.video is None:
        await uses.begin(connection, assets, job.generation_id, job.take, video)
        await connection.execute(
            update(takes)
            .where(is_take(generation.id, take.number))
            .values(video=video.model_dump(mode="json"))
        )
        if generation.deleted_at is not None:
            # It came after its generation was deleted: to be erased once more.
            await connection.execute(
                update(generations).where(generations.c.id == generation.id).values(erased_at=None)
            )
    if is_wanted(take):
        return await _late_success(connection, generation, take, job.attempt, video, now)
    outcome = take.cancel_outcome
    if outcome is CancelOutcome.REQUESTED:
        outcome = CancelOutcome.TOO_LATE
    end = End(Move.COMPLETE, outcome=outcome, video=video)
    return await _end(connection, generation, take, job.attempt, end, now)


async def _late_success(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    attempt: int,
    video: Video,
    now: datetime,
) -> Ending:
    """Write that the video of a take that had failed for want of it came after all."""
    await connection.execute(
        update(takes)
        .where(is_take(generation.id, take.number))
        .values(status=after(take.status, Move.LATE_SUCCESS), failure=None, ended_at=now)
    )
    is_newest = take.number == generation.current.number
    if is_newest:
        await connection.execute(
            update(generations)
            .where(generations.c.id == generation.id)
            .values(
                status=after(generation.status, Move.LATE_SUCCESS),
                progress_percent=100,
                completed_at=now,
                updated_at=now,
            )
        )
    cost = await ledger.cost_of(connection, generation.id)
    teller = Teller(connection, generation, take, attempt, cost, now)
    await teller.late_success(video, shown=is_newest)
    return Ending(status=Status.COMPLETED, cost=cost)


async def close_failed(
    connection: AsyncConnection, generation: Generation, take: Take, failure: Failure, now: datetime
) -> Ending:
    """Write that a take ends without a video; nothing where it is over already."""
    if not take.status.is_terminal:
        # What was promised to a provider and not seen to end may still be owed.
        await _put_at_risk(connection, generation, take, attempts.c.state != AttemptState.QUEUED, now)
    outcome = None if take.cancel_outcome is None else await _cancel_outcome(connection, take, failure)
    end = End(Move.FAIL, failure=failure, outcome=outcome)
    attempt = take.attempts[-1].number if take.attempts else None
    return await _end(connection, generation, take, attempt, end, now)


async def _cancel_outcome(connection: AsyncConnection, take: Take, failure: Failure) -> CancelOutcome:
    """Return what became of a cancel that was still open when the take failed: the attempts tell."""
    if all(attempt.state.is_unsent for attempt in take.attempts):
        return CancelOutcome.STOPPED_BEFORE_SUBMIT
    last = select(attempts.c.job_state).where(attempts.c.ref == take.attempts[-1].ref)
    if (await connection.execute(last)).scalar_one() == JobState.CANCELLED:
        return CancelOutcome.STOPPED
    if failure.category in {Category.SUBMISSION_UNKNOWN, Category.TIMEOUT}:
        return CancelOutcome.GOES_ON
    return CancelOutcome.TOO_LATE


async def close_cancelled(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    outcome: CancelOutcome,
    now: datetime,
    *,
    billed: bool | None,
) -> Ending:
    """Write that a take is cancelled, with the true outcome; nothing where the take is over."""
    end = End(Move.CANCEL, outcome=outcome, billed=billed)
    return await _end(connection, generation, take, None, end, now)


async def close_at_rest(
    connection: AsyncConnection, generation: Generation, take: Take, now: datetime
) -> Ending:
    """Write the end of a take that was to be cancelled while no attempt of it was open."""
    last = take.attempts[-1] if take.attempts else None
    if last is not None and last.failure is not None and not _was_at_rest(take, last):
        return await close_failed(connection, generation, take, last.failure, now)
    goes_on = any(
        attempt.cost.at_risk or (attempt.state.has_job and attempt.ended_at is None)
        for attempt in take.attempts
    )
    outcome = CancelOutcome.GOES_ON if goes_on else CancelOutcome.STOPPED_BEFORE_SUBMIT
    return await close_cancelled(
        connection, generation, take, outcome, now, billed=None if goes_on else False
    )


def _was_at_rest(take: Take, last: Attempt) -> bool:
    """Tell whether the last attempt was over when the cancel came; else the failure was first."""
    if last.state.is_unsent or last.given_up_at is None or take.cancel_requested_at is None:
        return True
    return take.cancel_requested_at >= last.given_up_at


async def ending_of(connection: AsyncConnection, generation_id: str, take_number: int) -> Ending:
    """Return how a take stands."""
    generation = await catalog.load(connection, generation_id)
    take = generation.take(take_number)
    return Ending(status=take.status, cost=generation.cost, failure=take.failure)


async def _end(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    attempt: int | None,
    end: End,
    now: datetime,
) -> Ending:
    """Write and tell one end of a take, unless it has another."""
    if take.status.is_terminal:
        return await ending_of(connection, generation.id, take.number)
    status = after(take.status, end.move)
    await withdraw(connection, generation.id, take.number, now)
    await ledger.let_go(connection, generation.id, take.number, now)
    # What was given up and not seen to end may still be owed; whoever sees its end says so.
    await _put_at_risk(connection, generation, take, attempts.c.given_up_at.is_not(None), now)
    await connection.execute(
        update(takes)
        .where(is_take(generation.id, take.number), takes.c.status.not_in(TERMINAL))
        .values(
            status=status,
            ended_at=now,
            failure=None if end.failure is None else end.failure.model_dump(mode="json"),
            cancel_outcome=end.outcome,
            cancel_billed=end.billed,
        )
    )
    if take.superseded_by is None:
        await connection.execute(
            update(generations)
            .where(generations.c.id == generation.id, generations.c.status.not_in(TERMINAL))
            .values(
                status=after(generation.status, end.move),
                stage=Stage.DONE,
                completed_at=now,
                updated_at=now,
                **({"progress_percent": 100} if end.video else {}),
            )
        )
    cost = await ledger.cost_of(connection, generation.id)
    await Teller(connection, generation, take, attempt, cost, now).tell(end)
    return Ending(status=status, cost=cost, failure=end.failure)


async def _put_at_risk(
    connection: AsyncConnection, generation: Generation, take: Take, which: ColumnElement[bool], now: datetime
) -> None:
    query = select(attempts.c.ref).where(
        is_of_take(generation.id, take.number),
        attempts.c.reserved_micros > 0,
        which,
    )
    for ref in (await connection.execute(query)).scalars().all():
        await ledger.put_at_risk(connection, ref, now)


async def tell_too_late(connection: AsyncConnection, generation: Generation, job: Job, now: datetime) -> None:
    """Write that a cancel came too late, while the take goes on to its end."""
    take = generation.take(job.take)
    teller = Teller(connection, generation, take, job.attempt, generation.cost, now)
    await teller.outcome(CancelOutcome.TOO_LATE, billed=None)
