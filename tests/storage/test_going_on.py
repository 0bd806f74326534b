"""What follows from a failed attempt is decided by the next claim, once, whoever asks and however often."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import Accepted, AttemptState, CancelOutcome, JobState, Unknown
from domain.events import Event
from domain.generation import Cost
from domain.messages import Claimed
from domain.moments import micros_of
from domain.status import Stage, Status
from storage.attempts import lookups
from storage.database import Database
from tests.domain.stories import RUNWAY
from tests.factories import LIMITS, NOW, SECOND
from tests.storage.failing import (
    BROKEN,
    FAILED,
    GOES_ON,
    LOST,
    OUTLIVED,
    RESUBMIT,
    ROOM,
    ROUTE,
    Failing,
    broken_output,
    failed_job,
    failed_once,
    looked_for_in_vain,
    lost_before_sending,
    outlived,
    refused,
    unreached,
)
from tests.storage.steps import (
    SENT,
    a_second,
    answered,
    created,
    ended,
    finished_sending,
    given_up,
    row_of,
    running,
    sending,
    shown,
    stopped,
    told,
    told_types,
)

LATER = NOW + timedelta(minutes=10)


def strategies(events: Sequence[Event]) -> list[str]:
    return [event.data["strategy"] for event in events if event.type == "recovery.decided"]


@pytest.mark.parametrize(
    ("fail", "request_", "strategy", "account", "least", "most"),
    [
        (refused(Category.CAPACITY), {}, "retry", "runway", 15, 15),
        (refused(Category.RATE_LIMIT, retry_after_seconds=10), {}, "queue_delay", "runway", 10, 10),
        (refused(Category.RATE_LIMIT, retry_after_seconds=90), {}, "fallback", "seedance", 0, 0),
        (refused(Category.VALIDATION), {}, "fallback", "seedance", 0, 0),
        (refused(Category.AUTH), {}, "fallback", "seedance", 0, 0),
        (unreached, {}, "retry", "runway", 24, 36),
        (lost_before_sending, {}, "retry", "runway", 0, 0),
        (failed_job, {}, "retry", "runway", 24, 36),
        (outlived(CancelOutcome.STOPPED, billed=False), {}, "fallback", "seedance", 0, 0),
        (outlived(CancelOutcome.STOPPED, billed=True), ROOM, "fallback", "seedance", 0, 0),
        (GOES_ON, ROOM, "fallback", "seedance", 0, 0),
        (broken_output, ROOM, "retry", "runway", 0, 0),
        (looked_for_in_vain, RESUBMIT, "retry", "runway", 24, 36),
    ],
)
async def test_a_failed_attempt_is_followed_by_another_decided_once(
    database: Database,
    fail: Failing,
    request_: dict[str, Any],
    strategy: str,
    account: str,
    least: int,
    most: int,
) -> None:
    generation_id = await failed_once(database, fail, **request_)
    async with a_second(database) as other:
        answers = await asyncio.gather(
            *(answered(one, generation_id, SENT) for _ in range(2) for one in (database, other))
        )
    order = answers[0].order
    assert order is not None
    assert all(one.order == order for one in answers)
    assert (order.attempt.number, order.attempt.state) == (2, AttemptState.QUEUED)
    assert order.attempt.account == order.plan.provider == account
    wait = (order.not_before or micros_of(SENT)) - micros_of(SENT)
    assert least * 1_000_000 <= wait <= most * 1_000_000
    log = await told(database, generation_id)
    assert strategies(log) == [strategy]
    assert [event.type.value for event in log][-2:] == ["recovery.decided", "attempt.queued"]
    generation = await shown(database, generation_id)
    assert generation.status is Status.PROCESSING
    assert generation.stage is (Stage.WAITING_RETRY if wait else Stage.QUEUED)
    assert len(generation.current.attempts) == 2


@pytest.mark.parametrize(
    ("fail", "request_", "strategy", "category"),
    [
        (refused(Category.VALIDATION), {"route": (RUNWAY,)}, "stop", Category.VALIDATION),
        (refused(Category.CONTENT_POLICY), {}, "stop", Category.CONTENT_POLICY),
        (refused(Category.AUTH), {"route": (RUNWAY,)}, "notify_user", Category.AUTH),
        (looked_for_in_vain, {}, "hold", Category.SUBMISSION_UNKNOWN),
        (GOES_ON, {}, "notify_user", Category.TIMEOUT),
        (GOES_ON, {"max_cost_usd": "0.80"}, "stop", Category.TIMEOUT),
        (outlived(CancelOutcome.STOPPED, billed=True), {}, "notify_user", Category.TIMEOUT),
        (broken_output, {}, "notify_user", Category.BAD_OUTPUT),
        (broken_output, {"max_cost_usd": "0.60"}, "stop", Category.BAD_OUTPUT),
    ],
)
async def test_a_take_that_may_have_no_more_attempts_ends_with_its_last_failure(
    database: Database, fail: Failing, request_: dict[str, Any], strategy: str, category: Category
) -> None:
    generation_id = await failed_once(database, fail, **request_)
    before = await shown(database, generation_id)
    answers = [await answered(database, generation_id, SENT) for _ in range(3)]
    for answer in answers:
        assert answer.order is None
        assert answer.ending is not None
        assert (answer.ending.status, answer.ending.cost) == (Status.FAILED, before.cost)
        assert answer.ending.failure is not None
        assert answer.ending.failure.category is category
    log = await told(database, generation_id)
    assert strategies(log) == [strategy]
    assert [event.type.value for event in log][-2:] == ["recovery.decided", "generation.failed"]
    assert log[-2].data.keys() == {"strategy", "reason"}
    take = (await shown(database, generation_id)).current
    assert (len(take.attempts), take.cost.reserved) == (1, 0)


async def retried(database: Database, claimed_: Claimed) -> datetime:
    """Return when a decided attempt may begin."""
    assert claimed_.order is not None
    row = await row_of(database, claimed_.order.attempt.ref)
    moment: datetime = row.not_before
    return moment


async def test_a_wait_that_is_over_is_the_same_attempt_and_now_it_may_begin(database: Database) -> None:
    generation_id = await failed_once(database, failed_job)
    waiting = await answered(database, generation_id, SENT)
    assert waiting.order is not None
    begins = await retried(database, waiting)
    early = await answered(database, generation_id, begins - SECOND)
    assert early == waiting
    order = (await answered(database, generation_id, begins)).order
    assert order is not None
    assert (order.attempt, order.not_before) == (waiting.order.attempt, None)
    assert (await shown(database, generation_id)).stage is Stage.QUEUED
    assert (await told_types(database, generation_id)).count("recovery.decided") == 1


async def test_an_account_that_fails_again_and_again_is_left_and_then_the_take_ends(
    database: Database,
) -> None:
    generation_id, now = await created(database, route=ROUTE), NOW
    for _ in range(20):
        claimed_ = await answered(database, generation_id, now)
        if claimed_.order is None:
            break
        if claimed_.order.not_before is not None:
            now = await retried(database, claimed_)
        job = await running(database, generation_id, now=now)
        await ended(database, job, JobState.FAILED, failure=FAILED)
        now += SECOND
    generation = await shown(database, generation_id)
    assert (generation.status, generation.cost) == (Status.FAILED, Cost())
    assert [attempt.account for attempt in generation.current.attempts] == ["runway"] * 3 + ["seedance"] * 3
    failure = generation.current.failure
    assert failure is not None
    assert failure.detail.startswith(FAILED.detail)
    assert "Before that: Runway" in failure.detail


async def test_a_run_that_starts_after_a_lost_history_goes_on_from_the_same_story(
    database: Database,
) -> None:
    generation_id = await failed_once(database, failed_job)
    first = await answered(database, generation_id, SENT, run="run-1", began=1)
    newer = await answered(database, generation_id, SENT + SECOND, run="run-2", began=2)
    assert newer == first
    assert (await answered(database, generation_id, LATER, run="run-1", began=1)).order is None


async def test_a_late_job_that_ended_in_the_very_moment_of_its_cancel_counts_after_all(
    database: Database,
) -> None:
    job = await running(database)
    await stopped(database, job, CancelOutcome.TOO_LATE, because=OUTLIVED)
    order = (await answered(database, job.generation_id, SENT)).order
    assert order is not None
    assert (order.attempt.number, order.attempt.job_id, order.attempt.failure) == (1, job.job_id, None)
    assert "recovery.decided" not in await told_types(database, job.generation_id)


@pytest.mark.parametrize("failure", [FAILED, BROKEN])
async def test_a_cancel_that_is_concluded_again_much_later_does_not_revive_what_is_over(
    database: Database, failure: Failure
) -> None:
    """Else the take would wait for ever for a job of which everything is known."""
    job = await running(database)
    await stopped(database, job, CancelOutcome.TOO_LATE, because=OUTLIVED)
    if failure is FAILED:
        await ended(database, job, JobState.FAILED, failure=failure)
    else:
        await ended(database, job, JobState.SUCCEEDED)
        await given_up(database, job, failure)
    await stopped(database, job, CancelOutcome.TOO_LATE, because=OUTLIVED)
    attempt = (await shown(database, job.generation_id)).current.attempts[0]
    assert (attempt.is_open, attempt.failure) == (False, failure)


async def test_an_answer_that_comes_after_its_attempt_was_given_up_starts_no_second_life(
    database: Database,
) -> None:
    generation_id = await created(database, route=ROUTE, on_unknown_submission="resubmit")
    order = await sending(database, generation_id)
    await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    async with database.write(generation_id) as connection:
        await lookups.in_vain(connection, order, SENT)
    again = await answered(database, generation_id, SENT)
    await finished_sending(database, order, Accepted(job_id="after all"))
    still = await answered(database, generation_id, SENT)
    assert still.order == again.order
    (late,) = still.late
    assert (late.job.job_id, late.is_wanted) == ("after all", False)
    assert (await shown(database, generation_id)).cost == Cost(reserved=RUNWAY.price, at_risk=RUNWAY.price)
    assert late.job.deadline_micros == micros_of(SENT + 2 * LIMITS.job)
