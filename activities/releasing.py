"""Giving slots back: what each activity that sees an order or a job end tells the account's gate."""

from activities.service import Service, now
from domain.attempts.codes import CANCELLED_BEFORE_SENDING, LOST_BEFORE_SENDING, WOKE_TOO_LATE
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import Accepted, JobState, NotSent, Rejected, Unknown
from domain.gate.tickets import Outcome, Release
from domain.messages import Job, JobEnd, Order, Submitted
from domain.moments import micros_of

_OURS = frozenset({LOST_BEFORE_SENDING, WOKE_TOO_LATE, CANCELLED_BEFORE_SENDING})
"""Failures that say nothing of the provider."""


async def release_after_submit(service: Service, order: Order, submitted: Submitted) -> None:
    """Give the slot of an order back, unless it became a job; what may have become one keeps it for a while."""
    ref = order.attempt.ref
    match submitted.result:
        case Accepted():
            return
        case NotSent(failure=failure):
            release = _of(ref, failure, was_sent=False)
        case Rejected(failure=failure):
            release = _of(ref, failure, was_sent=True)
        case Unknown(failure=failure):
            until = micros_of(now() + order.limits.job)
            release = _of(ref, failure, was_sent=True).model_copy(update={"hold_until": until})
    await service.gates.release(order.attempt.account, release)


async def release_after_look_up(service: Service, order: Order, submitted: Submitted) -> None:
    """Give the slot of an order back that surely became no job, though it was sent."""
    if isinstance(submitted.result, NotSent | Rejected):
        release = Release(ref=order.attempt.ref, was_sent=True)
        await service.gates.release(order.attempt.account, release)


async def release_job(service: Service, job: Job, end: JobEnd) -> None:
    """Give the slot of a job back that was seen to end."""
    release = Release(ref=job.ref, was_sent=True, outcome=Outcome.SUCCEEDED)
    if end.failure is not None:
        release = _of(job.ref, end.failure, was_sent=True)
    elif end.state is not JobState.SUCCEEDED:
        release = Release(ref=job.ref, was_sent=True)
    await service.gates.release(job.account, release)


async def release_stopped(service: Service, job: Job, because: Failure | None) -> None:
    """Give the slot of a job back that was stopped: by its user, or because it outlived its time."""
    release = Release(ref=job.ref, was_sent=True)
    if because is not None:
        release = _of(job.ref, because, was_sent=True)
    await service.gates.release(job.account, release)


async def report_going_on(service: Service, job: Job, because: Failure) -> None:
    """Say that a job outlived its time and goes on all the same: it keeps its slot for as long again."""
    until = micros_of(now() + service.limits.job)
    release = _of(job.ref, because, was_sent=True).model_copy(update={"hold_until": until})
    await service.gates.release(job.account, release)


def _of(ref: str, failure: Failure, *, was_sent: bool) -> Release:
    is_theirs = failure.code not in _OURS and failure.category is not Category.CONTENT_POLICY
    return Release(
        ref=ref,
        was_sent=was_sent,
        outcome=Outcome.FAILED if is_theirs else Outcome.NEITHER,
        category=failure.category,
        retry_after_seconds=failure.retry_after_seconds,
    )
