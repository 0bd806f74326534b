"""The permission to send exists once per attempt, and the row tells what became of it."""

import asyncio
from datetime import timedelta

import pytest

from domain.attempts.codes import CANCELLED_BEFORE_SENDING, LOST_BEFORE_SENDING
from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, AttemptState, NotSent, Rejected, Unknown
from domain.status import Stage
from storage.database import Database
from tests.factories import LIMITS, NOW, SECOND, a_failure
from tests.storage.steps import (
    SENT,
    a_second,
    cancelled,
    claimed,
    claimed_by,
    closed,
    created,
    finished_sending,
    granted,
    judged,
    may_send,
    row_of,
    sending,
    shown,
    told_types,
)

ANSWER_BY = SENT + LIMITS.answer_within


async def test_of_many_who_want_to_send_exactly_one_may(database: Database) -> None:
    async with a_second(database) as other:
        for _ in range(10):
            order = await claimed(database)
            answers = await asyncio.gather(
                *(may_send(one, order) for _ in range(8) for one in (database, other))
            )
            assert sorted(answers) == [False] * 15 + [True]
            assert (await told_types(database, order.generation_id)).count("attempt.submitting") == 1
            assert (await shown(database, order.generation_id)).stage is Stage.SUBMITTING


async def test_sending_cancelling_and_judging_at_once_leaves_one_truth(database: Database) -> None:
    async with a_second(database) as other:
        for number in range(20):
            order = await claimed(database)
            racers = [
                may_send(database, order),
                cancelled(other, order.generation_id),
                judged(other, order, SENT),
            ]
            turned = racers[number % 3 :] + racers[: number % 3]
            results = await asyncio.gather(*turned)
            may = True in results
            row = await row_of(database, order.attempt.ref)
            assert row.state == (AttemptState.SENDING if may else AttemptState.ABANDONED)
            assert (row.reserved_micros > 0) is may
            assert not await may_send(database, order)


async def test_nobody_may_send_twice_even_much_later(database: Database) -> None:
    order = await sending(database)
    assert not await may_send(database, order)
    for result in (Accepted(job_id="j"), Rejected(failure=a_failure())):
        await finished_sending(database, order, result)
        assert not await may_send(database, order)


@pytest.mark.parametrize(("late", "may"), [(timedelta(0), True), (timedelta(microseconds=1), False)])
async def test_the_permission_ends_with_its_time(database: Database, late: timedelta, may: bool) -> None:
    order = await claimed(database)
    assert await may_send(database, order, now=NOW + LIMITS.send_within + late) is may


async def test_nobody_may_send_without_a_slot(database: Database) -> None:
    order = await claimed(database)
    assert not await may_send(database, order.model_copy(update={"send_by": None}))
    assert (await row_of(database, order.attempt.ref)).state == AttemptState.QUEUED
    assert await may_send(database, order)
    row = await row_of(database, order.attempt.ref)
    assert (row.send_by, row.sent_at) == (NOW + LIMITS.send_within, SENT)


async def test_a_slot_that_was_granted_again_is_good_until_its_own_time(database: Database) -> None:
    order = await claimed(database)
    much_later = NOW + timedelta(hours=1)
    assert not await may_send(database, order, much_later)
    assert await may_send(database, granted(order, much_later), much_later + LIMITS.send_within)


async def test_nobody_may_send_for_a_cancelled_take(database: Database) -> None:
    order = await claimed(database)
    await cancelled(database, order.generation_id)
    assert not await may_send(database, order)


async def test_nobody_may_send_for_a_take_that_is_over(database: Database) -> None:
    order = await claimed(database)
    await closed(database, order.generation_id)
    assert not await may_send(database, order)
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.reserved_micros, row.at_risk_micros) == (AttemptState.ABANDONED, 0, 0)


async def test_a_frozen_sender_of_an_old_attempt_may_not_send_beside_the_new_one(database: Database) -> None:
    old = await claimed(database)
    await judged(database, old, SENT)
    new = await claimed_by(database, old.generation_id, "run-2", began=2)
    assert new is not None
    assert new.attempt.number == 2
    assert not await may_send(database, old)
    assert await may_send(database, new)
    assert not await may_send(database, old)


async def test_a_refused_permission_leaves_no_trace(database: Database) -> None:
    generation_id = await created(database)
    order = await claimed(database, generation_id)
    before = await shown(database, generation_id)
    assert not await may_send(database, order, now=NOW + timedelta(days=1))
    assert await shown(database, generation_id) == before


async def test_what_was_not_sent_by_the_verdict_never_will_be(database: Database) -> None:
    order = await claimed(database)
    verdict = await judged(database, order, SENT)
    assert verdict is not None
    assert isinstance(verdict.result, NotSent)
    assert verdict.result.failure.code == LOST_BEFORE_SENDING
    assert (await row_of(database, order.attempt.ref)).state == AttemptState.ABANDONED
    assert not await may_send(database, order)


async def test_while_the_answer_may_come_there_is_no_verdict(database: Database) -> None:
    order = await sending(database)
    assert await judged(database, order, ANSWER_BY - timedelta(microseconds=1)) is None
    assert (await row_of(database, order.attempt.ref)).state == AttemptState.SENDING


async def test_once_no_answer_can_come_the_outcome_is_unknown(database: Database) -> None:
    order = await sending(database)
    verdict = await judged(database, order, ANSWER_BY)
    assert verdict is not None
    assert isinstance(verdict.result, Unknown)
    assert verdict.result.client_reference == order.attempt.ref
    assert (await shown(database, order.generation_id)).cost.at_risk == order.plan.price
    assert await judged(database, order, ANSWER_BY + SECOND) == verdict


@pytest.mark.parametrize("was_unknown", [False, True])
async def test_an_id_that_a_lost_process_reported_is_taken_up(database: Database, was_unknown: bool) -> None:
    order = await sending(database)
    if was_unknown:
        await judged(database, order, ANSWER_BY)
    verdict = await judged(database, order, ANSWER_BY + SECOND, job_id="j")
    assert verdict is not None
    assert verdict.result == Accepted(job_id="j")
    state = (await row_of(database, order.attempt.ref)).state
    assert state == (AttemptState.FOUND if was_unknown else AttemptState.ACCEPTED)


@pytest.mark.parametrize(
    "result",
    [
        Accepted(job_id="j"),
        Rejected(failure=a_failure(Category.VALIDATION)),
        NotSent(failure=a_failure(Category.NETWORK)),
        Unknown(client_reference="r", failure=a_failure(Category.SUBMISSION_UNKNOWN)),
    ],
)
async def test_a_known_end_is_repeated_as_it_is(
    database: Database, result: Accepted | Rejected | NotSent | Unknown
) -> None:
    order = await (claimed(database) if isinstance(result, NotSent) else sending(database))
    await finished_sending(database, order, result)
    for moment in (SENT, ANSWER_BY, ANSWER_BY + timedelta(days=1)):
        verdict = await judged(database, order, moment)
        assert verdict is not None
        assert verdict.result.kind == result.kind


async def test_a_cancelled_attempt_is_told_apart_from_a_lost_one(database: Database) -> None:
    order = await claimed(database)
    await cancelled(database, order.generation_id)
    verdict = await judged(database, order, SENT)
    assert verdict is not None
    assert isinstance(verdict.result, NotSent)
    assert verdict.result.failure.code == CANCELLED_BEFORE_SENDING
