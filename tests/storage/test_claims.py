"""A run gets its work once, goes on where the last one stopped, and never takes over from a newer one."""

import pytest
from sqlalchemy import update

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, AttemptState, CancelOutcome, NotSent, Rejected, Unknown
from domain.generation import Cost, DeploymentMode
from domain.moments import micros_of
from domain.status import Stage, Status
from storage.database import Database
from storage.tables import attempts
from tests.factories import LIMITS, a_failure, a_plan
from tests.storage.steps import (
    SENT,
    cancelled,
    claimed,
    claimed_by,
    closed,
    completed,
    created,
    finished_sending,
    regenerated,
    row_of,
    running,
    sending,
    shown,
    told_types,
)

PRICE = a_plan().price
REFUSED = a_failure(Category.VALIDATION, billed=False)
UNREACHED = a_failure(Category.NETWORK, billed=False)
LOST = a_failure(Category.SUBMISSION_UNKNOWN)


async def test_the_first_claim_opens_the_first_attempt(database: Database) -> None:
    order = await claimed(database)
    assert (order.take, order.attempt.number, order.attempt.state) == (1, 1, AttemptState.QUEUED)
    assert order.attempt.ref == f"{order.generation_id}.1.1"
    assert (order.plan, order.limits, order.cancel_requested) == (a_plan(), LIMITS, False)
    generation = await shown(database, order.generation_id)
    assert (generation.status, generation.stage) == (Status.PROCESSING, Stage.QUEUED)
    assert generation.cost == Cost(reserved=PRICE)
    row = await row_of(database, order.attempt.ref)
    assert (row.send_by, row.sent_at, row.plan) == (None, None, a_plan().model_dump(mode="json"))


async def test_a_repeated_claim_is_the_same_work(database: Database) -> None:
    order = await claimed(database)
    assert await claimed_by(database, order.generation_id) == order
    assert len((await shown(database, order.generation_id)).current.attempts) == 1


async def test_an_older_run_gets_nothing_once_a_newer_one_has_the_take(database: Database) -> None:
    generation_id = await created(database)
    newer = await claimed_by(database, generation_id, "new", began=2)
    assert newer is not None
    assert await claimed_by(database, generation_id, "old", began=1) is None
    assert await claimed_by(database, generation_id, "newest", began=3) is not None
    assert await claimed_by(database, generation_id, "new", began=2) is None


async def test_an_older_run_may_claim_a_take_that_no_newer_one_has(database: Database) -> None:
    generation_id = await created(database)
    await claimed_by(database, generation_id, "new", began=2)
    await closed(database, generation_id)
    await regenerated(database, generation_id)
    order = await claimed_by(database, generation_id, "old", began=1)
    assert order is not None
    assert order.take == 2


async def test_there_is_nothing_to_claim_where_nothing_is_wanted(database: Database) -> None:
    assert await claimed_by(database, "gen_nobody") is None
    done = await running(database)
    await completed(database, done)
    failed = await created(database)
    await closed(database, failed)
    unwanted = await created(database)
    await cancelled(database, unwanted)
    for generation_id in (done.generation_id, failed, unwanted):
        before = await shown(database, generation_id)
        assert await claimed_by(database, generation_id, began=9) is None
        assert await shown(database, generation_id) == before


async def test_a_new_run_goes_on_with_the_job_of_the_last(database: Database) -> None:
    job = await running(database)
    order = await claimed_by(database, job.generation_id, "run-2", began=2)
    assert order is not None
    assert (order.attempt.state, order.attempt.job_id) == (AttemptState.ACCEPTED, job.job_id)
    assert order.attempt.deadline_micros == micros_of(SENT + LIMITS.job)
    assert (await shown(database, job.generation_id)).stage is Stage.PROVIDER_QUEUED


@pytest.mark.parametrize("state", [AttemptState.SENDING, AttemptState.UNKNOWN])
async def test_what_may_have_been_sent_is_never_answered_with_a_new_attempt(
    database: Database, state: AttemptState
) -> None:
    order = await sending(database)
    if state is AttemptState.UNKNOWN:
        await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    again = await claimed_by(database, order.generation_id, "run-2", began=2)
    assert again is not None
    assert (again.attempt.number, again.attempt.state) == (1, state)


async def test_a_claim_says_that_a_cancel_is_wanted(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    order = await claimed_by(database, job.generation_id, "run-2", began=2)
    assert order is not None
    assert order.cancel_requested
    assert (await shown(database, job.generation_id)).stage is Stage.CANCELLING


async def test_an_accepted_order_keeps_its_reserve_and_gets_a_deadline(database: Database) -> None:
    order = await sending(database)
    submitted = await finished_sending(database, order, Accepted(job_id="j"))
    assert submitted is not None
    assert submitted.result == Accepted(job_id="j")
    assert submitted.deadline_micros == micros_of(SENT + LIMITS.job)
    generation = await shown(database, order.generation_id)
    assert (generation.stage, generation.cost) == (Stage.PROVIDER_QUEUED, Cost(reserved=PRICE))


async def test_accepted_twice_is_accepted_once(database: Database) -> None:
    order = await sending(database)
    first = await finished_sending(database, order, Accepted(job_id="j"))
    again = await finished_sending(database, order, Accepted(job_id="j"), now=SENT + LIMITS.job)
    assert again == first
    assert (await told_types(database, order.generation_id)).count("attempt.accepted") == 1


async def test_an_attempt_keeps_its_first_job(database: Database) -> None:
    order = await sending(database)
    await finished_sending(database, order, Accepted(job_id="first"))
    submitted = await finished_sending(database, order, Accepted(job_id="second"))
    assert submitted is not None
    assert submitted.result == Accepted(job_id="first")


async def test_an_answer_that_comes_after_all_is_found(database: Database) -> None:
    order = await sending(database)
    await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    assert (await shown(database, order.generation_id)).cost == Cost(at_risk=PRICE)
    await finished_sending(database, order, Accepted(job_id="j"))
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.job_id, row.ended_at) == (AttemptState.FOUND, "j", None)
    types = await told_types(database, order.generation_id)
    assert types[-2:] == ["attempt.unknown", "attempt.found"]


async def test_a_job_belongs_to_one_attempt_only(database: Database) -> None:
    await running(database, job_id="same")
    order = await sending(database)
    submitted = await finished_sending(database, order, Accepted(job_id="same"))
    assert submitted is not None
    assert isinstance(submitted.result, Unknown)
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.job_id) == (AttemptState.UNKNOWN, None)


async def test_who_holds_no_permission_cannot_end_what_somebody_else_is_sending(database: Database) -> None:
    order = await sending(database)
    assert await finished_sending(database, order, NotSent(failure=UNREACHED)) is None
    assert (await row_of(database, order.attempt.ref)).state == AttemptState.SENDING
    assert (await claimed(database, order.generation_id)).attempt.number == 1


async def test_a_job_that_turns_up_after_its_attempt_was_over_may_still_be_owed(database: Database) -> None:
    order = await claimed(database)
    await finished_sending(database, order, NotSent(failure=UNREACHED))
    await finished_sending(database, order, Accepted(job_id="after all"))
    attempt = (await shown(database, order.generation_id)).current.attempts[0]
    assert (attempt.job_id, attempt.cost.at_risk) == ("after all", PRICE)


async def test_a_pretend_order_is_never_claimed_in_live_mode(database: Database) -> None:
    generation_id = await created(database)
    assert await claimed_by(database, generation_id, mode=DeploymentMode.LIVE) is None
    assert (await shown(database, generation_id)).status is Status.PENDING
    assert await claimed_by(database, generation_id) is not None


async def test_a_clear_refusal_that_comes_late_takes_the_price_from_the_risk(database: Database) -> None:
    order = await sending(database)
    await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    await finished_sending(database, order, Rejected(failure=REFUSED))
    attempt = (await shown(database, order.generation_id)).current.attempts[0]
    assert (attempt.state, attempt.cost) == (AttemptState.REJECTED, Cost())


async def test_a_take_whose_cancel_is_open_gets_no_further_attempt(database: Database) -> None:
    order = await sending(database)
    await cancelled(database, order.generation_id)
    async with database.write() as connection:
        await connection.execute(update(attempts).values(state=AttemptState.ABSENT))
    assert await claimed_by(database, order.generation_id, began=2) is None
    generation = await shown(database, order.generation_id)
    assert generation.status is Status.CANCELLED
    assert generation.current.cancel_outcome is CancelOutcome.STOPPED_BEFORE_SUBMIT
    assert len(generation.current.attempts) == 1


@pytest.mark.parametrize(
    ("result", "state", "cost", "event"),
    [
        (Rejected(failure=REFUSED), AttemptState.REJECTED, Cost(), "attempt.failed"),
        (NotSent(failure=UNREACHED), AttemptState.NOT_SENT, Cost(), "attempt.failed"),
        (
            Unknown(client_reference="r", failure=LOST),
            AttemptState.UNKNOWN,
            Cost(at_risk=PRICE),
            "attempt.unknown",
        ),
    ],
)
async def test_each_other_end_is_written_once_with_its_money(
    database: Database, result: Rejected | NotSent | Unknown, state: AttemptState, cost: Cost, event: str
) -> None:
    order = await (claimed(database) if isinstance(result, NotSent) else sending(database))
    for _ in range(3):
        await finished_sending(database, order, result)
    generation = await shown(database, order.generation_id)
    attempt = generation.current.attempts[0]
    assert (attempt.state, attempt.failure) == (state, result.failure)
    assert generation.cost == cost
    assert (await told_types(database, order.generation_id)).count(event) == 1


async def test_no_later_failure_undoes_an_accepted_job(database: Database) -> None:
    order = await sending(database)
    await finished_sending(database, order, Accepted(job_id="j"))
    for late in (Rejected(failure=REFUSED), NotSent(failure=UNREACHED)):
        await finished_sending(database, order, late)
    await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    row = await row_of(database, order.attempt.ref)
    assert (row.state, row.job_id, row.reserved_micros) == (AttemptState.ACCEPTED, "j", PRICE)
