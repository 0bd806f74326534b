"""A take that is asked for while another is running: the old one ends quietly, the new one follows, nothing is lost."""

import asyncio

from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.generation import Generation
from domain.messages import CancelResult, Job
from domain.orders.request import IfRunning
from domain.status import Stage, Status
from storage.database import Database
from storage.takes import cancels
from storage.takes.wishes import StillRunning
from tests.factories import a_plan, a_video
from tests.storage.steps import (
    SENT,
    a_second,
    cancelled,
    claimed,
    claimed_by,
    closed,
    completed,
    created,
    ended,
    may_send,
    regenerated,
    running,
    sending,
    shown,
    told,
    told_types,
)

PRICE = a_plan().price
ENDS = {"generation.completed", "generation.failed", "generation.cancelled"}


async def replaced(database: Database, generation_id: str) -> Generation:
    return await regenerated(database, generation_id, if_running=IfRunning.REPLACE)


async def stopped(database: Database, job: Job, outcome: CancelOutcome) -> None:
    async with database.write(job.generation_id) as connection:
        result = CancelResult(outcome=outcome, billed=None)
        await cancels.ended(connection, job, result, SENT, because=None)


async def test_what_was_not_sent_is_superseded_at_once_and_costs_nothing(database: Database) -> None:
    order = await claimed(database)
    generation = await replaced(database, order.generation_id)
    first, second = generation.takes
    assert (first.status, first.superseded_by) == (Status.CANCELLED, 2)
    assert first.cancel_outcome is CancelOutcome.STOPPED_BEFORE_SUBMIT
    assert first.attempts[0].state is AttemptState.ABANDONED
    assert (generation.status, generation.stage) == (Status.PENDING, Stage.ACCEPTED)
    assert (first.cost.reserved, second.cost.reserved, generation.cost.reserved) == (0, PRICE, PRICE)
    assert not await may_send(database, order)
    types = await told_types(database, order.generation_id)
    assert types[-4:] == ["cancel.requested", "cancel.outcome", "take.superseded", "take.started"]
    assert not ENDS & set(types)


async def test_a_take_that_nobody_has_claimed_is_superseded_as_well(database: Database) -> None:
    generation_id = await created(database)
    for number in range(2, 5):
        generation = await replaced(database, generation_id)
        assert [take.status for take in generation.takes[:-1]] == [Status.CANCELLED] * (number - 1)
    order = await claimed_by(database, generation_id)
    assert order is not None
    assert order.take == 4


async def test_what_was_sent_is_cancelled_first_and_the_next_take_waits_for_that(database: Database) -> None:
    job = await running(database)
    generation = await replaced(database, job.generation_id)
    assert (generation.status, generation.stage) == (Status.PENDING, Stage.ACCEPTED)
    assert generation.takes[0].cancel_outcome is CancelOutcome.REQUESTED
    first = await claimed_by(database, job.generation_id, "run-2", began=2)
    assert first is not None
    assert (first.take, first.cancel_requested, first.attempt.job_id) == (1, True, job.job_id)
    assert (await shown(database, job.generation_id)).status is Status.PENDING
    await stopped(database, job, CancelOutcome.STOPPED)
    second = await claimed_by(database, job.generation_id, "run-2", began=2)
    assert second is not None
    assert (second.take, second.cancel_requested) == (2, False)
    assert (await shown(database, job.generation_id)).status is Status.PROCESSING


async def test_a_replaced_take_ends_without_an_end_of_the_generation(database: Database) -> None:
    job = await running(database)
    await replaced(database, job.generation_id)
    await stopped(database, job, CancelOutcome.STOPPED)
    log = await told(database, job.generation_id)
    assert not ENDS & {event.type.value for event in log}
    (superseded,) = [event for event in log if event.type.value == "take.superseded"]
    assert (superseded.take, superseded.data["by"], superseded.data["outcome"]) == (1, 2, "stopped")
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.completed_at) == (Status.PENDING, None)


async def test_a_replaced_take_that_fails_ends_quietly_as_well(database: Database) -> None:
    job = await running(database)
    await replaced(database, job.generation_id)
    await closed(database, job.generation_id)
    assert not ENDS & set(await told_types(database, job.generation_id))
    assert (await shown(database, job.generation_id)).status is Status.PENDING


async def test_a_replaced_take_that_is_done_after_all_keeps_its_video(database: Database) -> None:
    job = await running(database)
    await replaced(database, job.generation_id)
    await ended(database, job, JobState.SUCCEEDED)
    await completed(database, job)
    generation = await shown(database, job.generation_id)
    first = generation.takes[0]
    assert (first.status, first.video) == (Status.COMPLETED, a_video())
    assert first.cancel_outcome is CancelOutcome.TOO_LATE
    assert (generation.status, generation.progress_percent) == (Status.PENDING, 0)
    types = await told_types(database, job.generation_id)
    assert types[-3:] == ["take.completed", "cancel.outcome", "take.superseded"]


async def test_a_replaced_take_whose_cancel_is_open_can_be_replaced_no_second_time(
    database: Database,
) -> None:
    """The take that replaced it can: it is the current one, and was never sent."""
    job = await running(database)
    await replaced(database, job.generation_id)
    generation = await replaced(database, job.generation_id)
    assert [take.superseded_by for take in generation.takes] == [2, 3, None]
    assert [take.status for take in generation.takes] == [Status.PROCESSING, Status.CANCELLED, Status.PENDING]
    assert (await told_types(database, job.generation_id)).count("cancel.requested") == 2


async def test_a_take_whose_cancel_was_asked_for_before_can_be_replaced(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await replaced(database, job.generation_id)
    await stopped(database, job, CancelOutcome.STOPPED)
    types = await told_types(database, job.generation_id)
    assert types.count("cancel.requested") == 1
    assert types[-1] == "take.superseded"


async def test_the_end_of_a_replaced_takes_cancel_says_nothing_about_the_next_ones(
    database: Database,
) -> None:
    job = await running(database)
    await replaced(database, job.generation_id)
    await stopped(database, job, CancelOutcome.GOES_ON)
    next_job = await running(database, job.generation_id)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.TOO_LATE)  # told again, and late, by a zombie
    generation = await shown(database, job.generation_id)
    assert next_job.take == 2
    assert generation.stage is Stage.CANCELLING
    assert generation.takes[0].cancel_outcome is CancelOutcome.GOES_ON
    assert generation.takes[1].cancel_outcome is CancelOutcome.REQUESTED


async def test_a_cancel_that_has_an_outcome_keeps_it(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.GOES_ON)
    await stopped(database, job, CancelOutcome.TOO_LATE)
    generation = await shown(database, job.generation_id)
    assert generation.status is Status.CANCELLED
    assert generation.current.cancel_outcome is CancelOutcome.GOES_ON


async def test_two_next_takes_at_once_are_one_and_a_refusal(database: Database) -> None:
    async with a_second(database) as other:
        generation_id = await created(database)
        for number in range(2, 17):
            await closed(database, generation_id, take=number - 1)
            results = await asyncio.gather(
                *(regenerated(one, generation_id) for one in (database, other, database)),
                return_exceptions=True,
            )
            refusals = [type(result) for result in results if isinstance(result, BaseException)]
            assert refusals == [StillRunning] * 2
            assert len((await shown(database, generation_id)).takes) == number


async def test_many_replacements_at_once_are_one_take_each_in_a_dense_line(database: Database) -> None:
    async with a_second(database) as other:
        order = await sending(database)
        await asyncio.gather(*(replaced(one, order.generation_id) for one in (database, other) * 6))
        generation = await shown(database, order.generation_id)
        assert [take.number for take in generation.takes] == list(range(1, 14))
        assert [take.superseded_by for take in generation.takes] == [*range(2, 14), None]
        assert generation.cost.reserved == 2 * PRICE  # of the first, which was sent, and of the last


async def test_a_replacement_and_the_sending_at_once_leave_one_truth(database: Database) -> None:
    async with a_second(database) as other:
        for number in range(15):
            order = await claimed(database)
            both = [may_send(database, order), replaced(other, order.generation_id)]
            await asyncio.gather(*(both if number % 2 else reversed(both)))
            first = (await shown(database, order.generation_id)).takes[0]
            was_sent = first.attempts[0].state is AttemptState.SENDING
            assert first.status.is_terminal is not was_sent
            outcome = CancelOutcome.REQUESTED if was_sent else CancelOutcome.STOPPED_BEFORE_SUBMIT
            assert first.cancel_outcome is outcome


async def test_two_runs_that_claim_at_once_get_one_attempt_and_the_newer_one_has_it(
    database: Database,
) -> None:
    async with a_second(database) as other:
        for number in range(15):
            generation_id = await created(database)
            both = [
                claimed_by(database, generation_id, "old", began=1),
                claimed_by(other, generation_id, "new", began=2),
            ]
            orders = await asyncio.gather(*(both if number % 2 else reversed(both)))
            given = [order for order in orders if order is not None]
            assert {order.attempt.ref for order in given} == {f"{generation_id}.1.1"}
            assert await claimed_by(database, generation_id, "old", began=1) is None
            assert await claimed_by(database, generation_id, "new", began=2) is not None
            assert len((await shown(database, generation_id)).current.attempts) == 1


async def test_three_ends_at_once_are_one(database: Database) -> None:
    async with a_second(database) as other:
        for number in range(15):
            job = await running(database)
            await cancelled(database, job.generation_id)
            racers = [
                completed(database, job),
                closed(other, job.generation_id),
                stopped(database, job, CancelOutcome.STOPPED),
            ]
            await asyncio.gather(*racers[number % 3 :], *racers[: number % 3])
            types = await told_types(database, job.generation_id)
            status = (await shown(database, job.generation_id)).status
            assert [kind for kind in types if kind in ENDS] == [f"generation.{status}"]
            assert types[-1] == f"generation.{status}"
            assert types.count("cancel.outcome") == 1
