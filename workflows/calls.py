"""Every activity that the workflows call, with its time-outs and its retries, and why they are what they are."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

with workflow.unsafe.imports_passed_through():
    from domain.attempts.failures import Category, Failure
    from domain.gate.rows import GateNews, GateRows, LeasesToJudge, TicketsWanted, Verdicts
    from domain.gate.tickets import Refusal
    from domain.limits import Limits
    from domain.messages import (
        CancelJob,
        CancelResult,
        Claim,
        Claimed,
        GiveUp,
        Job,
        JobEnd,
        Order,
        ResolveSubmit,
        Stored,
        Submitted,
        Wish,
        Wished,
    )
    from domain.moments import SECOND, moment_of
    from domain.names import ActivityName, TaskQueue
    from domain.orders.line_up import name_of


# SQL comes back some day, and then what was to be written is still to be written: never give up.
_UNTIL_SQL_IS_BACK = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=15)
)
# A provider is asked gently, and as often as the step's own bound allows.
_UNTIL_ANSWERED = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15))
# A second try could pay twice.
_NEVER_AGAIN = RetryPolicy(maximum_attempts=1)

_SQL_SECONDS = timedelta(seconds=15)
"""Far longer than a write takes, and all that a task costs which was handed to a frozen worker."""

_ASK_SECONDS = timedelta(seconds=75)
"""Two questions to a provider, and their rows."""


async def claim(refusal: Refusal | None = None) -> Claimed:
    """Claim work for this run: first as a local activity, which costs one event.

    While SQL is down a local activity keeps the workflow task alive at twenty events a minute, so it is given five
    seconds, and then the same work waits as a normal activity.
    """
    try:
        claimed: Claimed = await workflow.execute_local_activity(
            ActivityName.CLAIM,
            _claim_of_this_run(refusal),
            result_type=Claimed,
            schedule_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200)),
        )
    except FailureError as error:
        # Played again, the SDK raises a local activity's time-out as it is, and not as the cause of an ActivityError.
        if is_cancelled_exception(error):
            raise
        return await claim_patiently(refusal)
    return claimed


async def claim_patiently(refusal: Refusal | None = None) -> Claimed:
    """Claim work for this run as a normal activity: also the last look before a run ends.

    A run must not end on a local activity: a signal that arrives in the completing task would be lost with it.
    """
    claimed: Claimed = await workflow.execute_activity(
        ActivityName.CLAIM,
        _claim_of_this_run(refusal),
        result_type=Claimed,
        start_to_close_timeout=_SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary="what is to be done?",
    )
    return claimed


def _claim_of_this_run(refusal: Refusal | None) -> Claim:
    info = workflow.info()
    # Cut and not rounded, as ever: workers of two versions must come to the same number for the same run.
    return Claim(
        generation_id=info.workflow_id,
        run_id=info.run_id,
        run_started_micros=int(info.start_time.timestamp() * SECOND),
        refusal=refusal,
    )


async def wish(asked: Wish) -> int | None:
    """Write down what a person asked for by a bare signal."""
    wished: Wished = await workflow.execute_activity(
        ActivityName.WISH,
        asked,
        result_type=Wished,
        start_to_close_timeout=_SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary=f"{asked.kind}, asked for by hand",
    )
    return wished.take


async def submit(order: Order) -> Submitted:
    """Send the order, once, and learn what became of it even if the sender is lost.

    No heartbeat time-out: the job id is the only heartbeat, and must not be pushed out by another. It has to start
    while its slot may still be used: who starts later refuses to send.
    """
    limits = order.limits
    left = timedelta() if order.send_by is None else moment_of(order.send_by) - workflow.now()
    try:
        answer: Submitted = await workflow.execute_activity(
            ActivityName.SUBMIT,
            order,
            result_type=Submitted,
            schedule_to_start_timeout=max(left, timedelta(milliseconds=1)),
            start_to_close_timeout=limits.submit,
            retry_policy=_NEVER_AGAIN,
            summary=f"{name_of(order.plan.provider)} {order.plan.model}, attempt {order.attempt.number}",
        )
        return answer
    except ActivityError as error:
        return await resolve_submit(order, _heartbeated(error))


async def resolve_submit(order: Order, job_id: str | None) -> Submitted:
    """Ask the row what became of a submit; waits until an answer can no longer come."""
    answer: Submitted = await workflow.execute_activity(
        ActivityName.RESOLVE_SUBMIT,
        ResolveSubmit(order=order, job_id=job_id),
        result_type=Submitted,
        start_to_close_timeout=order.limits.answer_within + _SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary="the sender was lost: what became of the order?",
    )
    return answer


async def look_up(order: Order) -> Submitted:
    """Look for the job of an order that was sent and not answered; repeated until the step's own bound is over."""
    limits = order.limits
    answer: Submitted = await workflow.execute_activity(
        ActivityName.LOOK_UP,
        order,
        result_type=Submitted,
        task_queue=TaskQueue.WATCH,
        start_to_close_timeout=limits.answer_within + limits.look_up + _ASK_SECONDS,
        heartbeat_timeout=limits.heartbeat,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary=f"does {name_of(order.plan.provider)} have a job of {order.attempt.ref}?",
    )
    return answer


def _heartbeated(error: ActivityError) -> str | None:
    cause = error.cause
    if isinstance(cause, TemporalTimeoutError) and cause.last_heartbeat_details:
        return str(cause.last_heartbeat_details[0])
    return None


def watch(job: Job, heartbeat: timedelta) -> "workflow.ActivityHandle[JobEnd]":
    """Start following a job; the activity bounds itself by the job's deadline, whoever resumes it.

    Not waited for when it is cancelled: a frozen watcher must not hold up the user's cancel.
    """
    return workflow.start_activity(
        ActivityName.WATCH,
        job,
        result_type=JobEnd,
        task_queue=TaskQueue.WATCH,
        start_to_close_timeout=timedelta(days=2),
        heartbeat_timeout=heartbeat,
        retry_policy=_UNTIL_ANSWERED,
        cancellation_type=workflow.ActivityCancellationType.TRY_CANCEL,
        summary=f"{name_of(job.plan.provider)} job {job.job_id}",
    )


async def cancel(job: Job, limits: Limits) -> CancelResult:
    """Stop a job because the user asked; repeated as long as the job may run, since only the provider knows."""
    left = moment_of(job.deadline_micros) - workflow.now()
    try:
        return await _cancel(job, None, limits, within=max(left, timedelta()) + limits.cancel)
    except ActivityError:
        return await _give_up_cancel(job, None)


async def _give_up_cancel(job: Job, because: Failure | None) -> CancelResult:
    answer: CancelResult = await workflow.execute_activity(
        ActivityName.GIVE_UP_CANCEL,
        CancelJob(job=job, because=because),
        result_type=CancelResult,
        start_to_close_timeout=_SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary="the provider never answered the cancel",
    )
    return answer


async def cancel_late(job: Job, because: Failure, limits: Limits) -> CancelResult:
    """Stop a job that outlived its time; a provider that does not answer either is left alone after a while."""
    try:
        return await _cancel(job, because, limits, within=limits.cancel)
    except ActivityError:
        return await _give_up_cancel(job, because)


async def _cancel(job: Job, because: Failure | None, limits: Limits, *, within: timedelta) -> CancelResult:
    answer: CancelResult = await workflow.execute_activity(
        ActivityName.CANCEL,
        CancelJob(job=job, because=because),
        result_type=CancelResult,
        schedule_to_close_timeout=within,
        start_to_close_timeout=_ASK_SECONDS,
        heartbeat_timeout=limits.heartbeat,
        retry_policy=_UNTIL_ANSWERED,
        summary=f"cancel {name_of(job.plan.provider)} job {job.job_id}",
    )
    return answer


async def store(job: Job, within: timedelta, heartbeat: timedelta) -> Stored:
    """Fetch, prove and keep the output; repeated while the provider or the disk is away, up to the step's bound."""
    try:
        answer: Stored = await workflow.execute_activity(
            ActivityName.STORE,
            job,
            result_type=Stored,
            task_queue=TaskQueue.MEDIA,
            schedule_to_close_timeout=within,
            heartbeat_timeout=heartbeat,
            retry_policy=_UNTIL_ANSWERED,
            summary=f"fetch and prove {name_of(job.plan.provider)} job {job.job_id}",
        )
        return answer
    except ActivityError:
        failure = Failure(
            category=Category.BAD_OUTPUT,
            code="output_not_fetched",
            detail=f"The finished video could not be fetched from {name_of(job.plan.provider)} in time.",
        )
        await give_up(job, failure)
        return Stored(failure=failure)


async def give_up(job: Job, failure: Failure) -> None:
    """Write that an attempt will give its take no video."""
    await workflow.execute_activity(
        ActivityName.GIVE_UP,
        GiveUp(job=job, failure=failure),
        start_to_close_timeout=_SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary=f"given up: {failure.category}",
    )


async def read_gate(wanted: TicketsWanted) -> GateRows:
    """Ask SQL what is under way at an account, and for a page of what waits there."""
    rows: GateRows = await workflow.execute_activity(
        ActivityName.READ_GATE,
        wanted,
        result_type=GateRows,
        start_to_close_timeout=_SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary="what is under way, and what waits?",
    )
    return rows


async def judge_leases(asked: LeasesToJudge) -> Verdicts:
    """Ask SQL whether slots are still in use whose time is over."""
    verdicts: Verdicts = await workflow.execute_activity(
        ActivityName.JUDGE_LEASES,
        asked,
        result_type=Verdicts,
        start_to_close_timeout=_SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary=f"are {len(asked.refs)} slots still in use?",
    )
    return verdicts


async def write_gate(news: GateNews) -> None:
    """Keep in SQL how a gate stands."""
    await workflow.execute_activity(
        ActivityName.WRITE_GATE,
        news,
        start_to_close_timeout=_SQL_SECONDS,
        retry_policy=_UNTIL_SQL_IS_BACK,
        summary=f"the breaker is {news.breaker.state}",
    )
