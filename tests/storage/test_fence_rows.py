"""What the fence writes, and to which rows: its own attempt's, wholly, and to nobody else's."""

from datetime import datetime

import pytest
from sqlalchemy import update

from domain.attempts.codes import CANCELLED_BEFORE_SENDING
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import Accepted, AttemptState, NotSent, Rejected, Unknown
from domain.moments import moment_of
from domain.status import Status
from storage.attempts.fence import result_of
from storage.database import Database
from storage.tables import takes
from storage.tables.joins import is_take
from tests.factories import NOW, a_failure
from tests.storage.steps import SENT, cancelled, claimed, finished_sending, may_send, row_of, sending, told

REFUSED = Rejected(
    failure=a_failure(Category.VALIDATION, code="too_long", detail="It is too long.", billed=False)
)


@pytest.mark.parametrize(
    "values", [{"cancel_requested_at": NOW}, {"status": Status.FAILED}], ids=["wish", "end"]
)
async def test_what_the_take_says_is_enough_to_send_nothing(
    database: Database, values: dict[str, Status | datetime]
) -> None:
    order = await claimed(database)
    async with database.write(order.generation_id) as connection:
        await connection.execute(
            update(takes).where(is_take(order.generation_id, order.take)).values(**values)
        )
    assert not await may_send(database, order)
    assert (await row_of(database, order.attempt.ref)).state == AttemptState.QUEUED


async def test_the_permission_says_whose_it_is_since_when_and_until_when(database: Database) -> None:
    order = await sending(database)
    row = await row_of(database, order.attempt.ref)
    assert order.send_by is not None
    assert (row.run_id, row.sent_at, row.send_by) == ("run-1", SENT, moment_of(order.send_by))
    said = next(
        event for event in await told(database, order.generation_id) if event.type == "attempt.submitting"
    )
    assert (said.message, said.take, said.attempt) == ("Sending the order to Runway.", 1, 1)


async def test_an_end_is_that_of_one_attempt_only(database: Database) -> None:
    one, other, waiting = await sending(database), await sending(database), await claimed(database)
    await finished_sending(database, one, REFUSED)
    assert (await row_of(database, one.attempt.ref)).state == AttemptState.REJECTED
    assert (await row_of(database, other.attempt.ref)).state == AttemptState.SENDING
    await cancelled(database, waiting.generation_id)
    assert (await row_of(database, other.attempt.ref)).state == AttemptState.SENDING


async def test_what_is_withdrawn_is_only_what_waits_in_this_take(database: Database) -> None:
    one, other = await claimed(database), await claimed(database)
    await cancelled(database, one.generation_id)
    row = await row_of(database, one.attempt.ref)
    assert (row.state, row.ended_at, row.given_up_at) == (AttemptState.ABANDONED, SENT, SENT)
    row = await row_of(database, other.attempt.ref)
    assert (row.state, row.ended_at, row.given_up_at) == (AttemptState.QUEUED, None, None)


async def test_a_refusal_is_kept_whole_and_told_once(database: Database) -> None:
    order = await sending(database)
    for _ in range(2):
        await finished_sending(database, order, REFUSED)
    row = await row_of(database, order.attempt.ref)
    assert Failure.model_validate(row.failure) == REFUSED.failure
    assert (row.ended_at, row.given_up_at) == (SENT, SENT)
    (said,) = [event for event in await told(database, order.generation_id) if event.type == "attempt.failed"]
    assert (said.message, said.take, said.attempt) == ("It is too long.", 1, 1)
    assert said.data["failure"]["code"] == "too_long"
    assert said.data["cost"]["settled_usd"] == "0.00"


async def test_an_attempt_of_which_nobody_knows_is_not_given_up(database: Database) -> None:
    order = await sending(database)
    lost = a_failure(Category.SUBMISSION_UNKNOWN, code="no_answer")
    await finished_sending(database, order, Unknown(client_reference=order.attempt.ref, failure=lost))
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.ended_at, row.given_up_at) == (AttemptState.UNKNOWN, SENT, None)
    assert result_of(row) == Unknown(client_reference=order.attempt.ref, failure=lost)
    assert "attempt.failed" not in [event.type for event in await told(database, order.generation_id)]


async def test_a_row_says_what_became_of_its_attempt(database: Database) -> None:
    order = await sending(database)
    assert result_of(await row_of(database, order.attempt.ref)) is None
    await finished_sending(database, order, Accepted(job_id="task-7"))
    assert result_of(await row_of(database, order.attempt.ref)) == Accepted(job_id="task-7")
    other = await claimed(database)
    await cancelled(database, other.generation_id)
    assert result_of(await row_of(database, other.attempt.ref)) == NotSent(
        failure=Failure(
            category=Category.NETWORK,
            code=CANCELLED_BEFORE_SENDING,
            detail="Cancelled before the order was sent.",
            billed=False,
        )
    )
