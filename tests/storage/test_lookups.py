"""After a lost answer: the provider's list has the job, surely has none, or nobody can tell."""

import asyncio
from datetime import timedelta

import pytest

from domain.attempts.codes import SURELY_ABSENT
from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, AttemptState, NotSent, Rejected, Unknown
from domain.generation import Cost
from domain.messages import Order, Submitted
from domain.status import Stage
from storage.attempts import answers, lookups
from storage.attempts.lookups import Lost
from storage.database import Database
from tests.factories import a_failure, a_plan, an_order
from tests.storage.steps import (
    SENT,
    a_second,
    claimed,
    claimed_by,
    finished_sending,
    row_of,
    running,
    sending,
    shown,
    told,
    told_types,
)

PRICE = a_plan().price
LOST = a_failure(Category.SUBMISSION_UNKNOWN)
LATER = SENT + timedelta(minutes=2)


async def unanswered(database: Database) -> Order:
    order = await sending(database)
    await finished_sending(database, order, Unknown(client_reference=order.attempt.ref, failure=LOST))
    return order


async def known(database: Database, order: Order) -> Lost:
    async with database.write(order.generation_id) as connection:
        await lookups.looking_up(connection, order, LATER)
        return await lookups.lost(connection, order, LATER)


async def found(database: Database, order: Order, job_id: str = "j") -> Submitted:
    async with database.write(order.generation_id) as connection:
        return await answers.accepted_unless_taken(connection, order, job_id, LATER)


async def absent(database: Database, order: Order) -> Submitted:
    async with database.write(order.generation_id) as connection:
        return await lookups.absent(connection, order, LATER)


async def test_it_is_shown_that_a_job_is_looked_for(database: Database) -> None:
    order = await unanswered(database)
    lost = await known(database, order)
    assert (await shown(database, order.generation_id)).stage is Stage.LOOKING_UP
    assert lost.sent_at == SENT
    assert lost.known is not None
    assert isinstance(lost.known.result, Unknown)


async def test_nothing_is_known_of_an_order_that_is_still_being_sent(database: Database) -> None:
    assert (await known(database, await sending(database))) == Lost(None, SENT)
    assert (await known(database, await claimed(database))) == Lost(None, None)


async def test_a_job_that_is_found_is_adopted_with_its_money_and_time(database: Database) -> None:
    order = await unanswered(database)
    submitted = await found(database, order)
    assert submitted.result == Accepted(job_id="j")
    assert submitted.deadline_micros is not None
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.job_id, row.ended_at) == (AttemptState.FOUND, "j", None)
    assert (await shown(database, order.generation_id)).cost == Cost(at_risk=PRICE)
    assert (await told_types(database, order.generation_id))[-1] == "attempt.found"
    lost = await known(database, order)
    assert lost.known is not None
    assert lost.known.result == Accepted(job_id="j")


async def test_a_job_of_another_attempt_is_never_adopted(database: Database) -> None:
    owner = await running(database)
    order = await unanswered(database)
    submitted = await found(database, order, owner.job_id)
    assert isinstance(submitted.result, Unknown)
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.job_id) == (AttemptState.UNKNOWN, None)


async def test_one_job_that_two_attempts_find_at_once_is_adopted_by_one(database: Database) -> None:
    async with a_second(database) as other:
        for number in range(10):
            orders = [await unanswered(database) for _ in range(3)]
            results = await asyncio.gather(
                found(database, orders[0], f"job-{number}"),
                found(other, orders[1], f"job-{number}"),
                finished_sending(database, orders[2], Accepted(job_id=f"job-{number}")),
            )
            kinds = sorted(one.result.kind for one in results if one is not None)
            assert kinds == ["accepted", "unknown", "unknown"]


async def test_what_is_surely_absent_costs_nothing_and_is_sent_again(database: Database) -> None:
    order = await unanswered(database)
    submitted = await absent(database, order)
    assert isinstance(submitted.result, NotSent)
    assert submitted.result.failure.code == SURELY_ABSENT
    assert (await row_of(database, order.attempt.ref)).at_risk_micros == 0
    generation = await shown(database, order.generation_id)
    assert (generation.stage, generation.cost) == (Stage.SUBMITTING, Cost())
    assert (await told_types(database, order.generation_id))[-1] == "attempt.failed"
    again = await claimed_by(database, order.generation_id, began=2, now=LATER)
    assert again is not None
    assert (again.attempt.number, again.attempt.state) == (2, AttemptState.QUEUED)


async def test_absent_twice_is_absent_once(database: Database) -> None:
    order = await unanswered(database)
    first = await absent(database, order)
    before = await told(database, order.generation_id)
    assert (await absent(database, order)).result.kind == first.result.kind
    assert await told(database, order.generation_id) == before


@pytest.mark.parametrize(
    "answer", [Accepted(job_id="j"), Rejected(failure=a_failure(Category.VALIDATION, billed=False))]
)
async def test_an_answer_that_came_meanwhile_counts_more_than_the_list(
    database: Database, answer: Accepted | Rejected
) -> None:
    order = await unanswered(database)
    await finished_sending(database, order, answer)
    assert (await absent(database, order)).result == answer


async def test_an_order_that_may_still_arrive_is_never_called_absent(database: Database) -> None:
    order = await sending(database)
    with pytest.raises(ValueError, match="was sent"):
        await absent(database, order)
    assert (await row_of(database, order.attempt.ref)).state == AttemptState.SENDING


async def test_an_answer_and_the_list_at_once_leave_one_truth(database: Database) -> None:
    async with a_second(database) as other:
        for number in range(12):
            order = await unanswered(database)
            both = [
                finished_sending(other, order, Accepted(job_id=f"late-{number}")),
                absent(database, order),
            ]
            await asyncio.gather(*(both if number % 2 else reversed(both)))
            row = await row_of(database, order.attempt.ref)
            # A job that is known is a fact, however late: also after it was thought to be absent.
            assert row.job_id == f"late-{number}"
            assert row.state in {AttemptState.FOUND, AttemptState.ACCEPTED}
            assert row.at_risk_micros == PRICE


def test_what_stays_unknown_says_why() -> None:
    order = an_order()
    result = lookups.still_unknown(order, "Nobody can tell.").result
    assert isinstance(result, Unknown)
    assert (result.client_reference, result.failure.detail) == (order.attempt.ref, "Nobody can tell.")
