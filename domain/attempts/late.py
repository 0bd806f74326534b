"""Jobs that nobody waits for any more, and that are not known to be over: what was given up and goes on.

They are followed to their end all the same, since they may be billed, they keep a slot at their account, and the video
of a take that failed for want of it is still welcome.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.attempts.failures import Category
from domain.attempts.outcomes import JobState
from domain.generation import Attempt, Generation, Take
from domain.limits import Limits
from domain.messages import Job, LateJob
from domain.moments import micros_of
from domain.status import Status

FORGIVEN = frozenset({Category.SUBMISSION_UNKNOWN, Category.TIMEOUT})
"""Failures that a video which comes late makes good."""

OUTPUT_LIVES = timedelta(hours=24)
"""How long providers keep an output, at least for as long as it makes sense to look."""


def late_jobs(generation: Generation, limits: Limits, now: datetime) -> tuple[LateJob, ...]:
    """Return the jobs of a generation that are to be followed beside its takes."""
    return tuple(_late(generation, limits, now))


def is_wanted(take: Take) -> bool:
    """Tell whether a video of a take that is over would still be welcome."""
    failure = take.failure
    return (
        take.status is Status.FAILED
        and take.video is None
        and failure is not None
        and failure.category in FORGIVEN
    )


def _late(generation: Generation, limits: Limits, now: datetime) -> Iterator[LateJob]:
    for take in generation.takes:
        wanted = is_wanted(take) and generation.deleted_at is None
        for attempt in take.attempts:
            if attempt.job_id is None or attempt.deadline is None:
                continue
            until = attempt.deadline + limits.job
            if _goes_on(take, attempt, until, now) or (wanted and _is_unfetched(attempt, now)):
                yield LateJob(job=_job(generation, take, attempt, until), is_wanted=wanted)


def _goes_on(take: Take, attempt: Attempt, until: datetime, now: datetime) -> bool:
    is_left = attempt.given_up_at is not None or take.status.is_terminal
    return attempt.state.has_job and attempt.ended_at is None and is_left and now < until


def _is_unfetched(attempt: Attempt, now: datetime) -> bool:
    is_broken = attempt.failure is not None and attempt.failure.category is Category.BAD_OUTPUT
    return (
        attempt.job_state is JobState.SUCCEEDED
        and attempt.ended_at is not None
        and now < attempt.ended_at + OUTPUT_LIVES
        and not is_broken
    )


def _job(generation: Generation, take: Take, attempt: Attempt, until: datetime) -> Job:
    if attempt.job_id is None:
        raise ValueError("a late job has an id")
    return Job(
        generation_id=generation.id,
        take=take.number,
        attempt=attempt.number,
        ref=attempt.ref,
        mode=generation.mode,
        account=attempt.account,
        job_id=attempt.job_id,
        plan=attempt.plan or take.plan,
        deadline_micros=micros_of(until),
    )
