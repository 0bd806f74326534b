"""Generations with a job that nobody waits for any more and that may still matter: what somebody has to follow."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.late import OUTPUT_LIVES, late_jobs
from domain.attempts.outcomes import AttemptState, JobState
from domain.generation import DeploymentMode
from domain.limits import Limits
from domain.status import TERMINAL, Status
from storage import catalog
from storage.tables import attempts, generations, takes
from storage.tables.joins import GENERATION_OF_ATTEMPT, TAKE_OF_ATTEMPT


@dataclass(frozen=True)
class Page:
    """Some of the generations that may have late jobs.

    Attributes:
        late: Those that have, oldest id first, each with the take of its first late job.
        goes_on_after: The last id that was looked at, where there may be more.
    """

    late: tuple[tuple[str, int], ...]
    goes_on_after: str | None


_HAS_JOB = (AttemptState.ACCEPTED, AttemptState.FOUND)


async def with_late_jobs(
    connection: AsyncConnection,
    now: datetime,
    *,
    mode: DeploymentMode,
    limits: Limits,
    after: str | None = None,
    limit: int = 200,
) -> Page:
    """Return a page of the generations that have late jobs.

    SQL finds those that may have one, `domain.attempts.late` says whether they do.

    Args:
        connection: Where to read.
        now: The time.
        mode: Only what belongs to this mode.
        limits: How long a job is followed.
        after: Where the page before ended; None for the first page.
        limit: How many are looked at, at most.
    """
    goes_on = and_(
        attempts.c.ended_at.is_(None),
        attempts.c.deadline > now - limits.job,
        or_(attempts.c.given_up_at.is_not(None), takes.c.status.in_(TERMINAL)),
    )
    unfetched = and_(
        attempts.c.ended_at > now - OUTPUT_LIVES,
        attempts.c.job_state == JobState.SUCCEEDED,
        takes.c.status == Status.FAILED,
    )
    query = (
        select(attempts.c.generation_id)
        .join(takes, TAKE_OF_ATTEMPT)
        .join(generations, GENERATION_OF_ATTEMPT)
        .where(
            generations.c.mode == mode,
            generations.c.deleted_at.is_(None),
            attempts.c.state.in_(_HAS_JOB),
            or_(goes_on, unfetched),
        )
        .distinct()
        .order_by(attempts.c.generation_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(attempts.c.generation_id > after)
    found, ids = [], (await connection.execute(query)).scalars().all()
    for generation_id in ids:
        jobs = late_jobs(await catalog.load(connection, generation_id), limits, now)
        if jobs:
            found.append((generation_id, jobs[0].job.take))
    return Page(late=tuple(found), goes_on_after=ids[-1] if len(ids) == limit else None)
