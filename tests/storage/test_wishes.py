"""What people want is written down in one transaction, and what nobody serves is found again."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, AttemptState, CancelOutcome, JobState, NotSent, Unknown
from domain.generation import Cost, DeploymentMode
from domain.names import Signal
from domain.status import Stage, Status
from storage.database import Database
from storage.takes import wishes
from storage.takes.unheard import Unheard, unheard_wishes
from storage.takes.wishes import AlreadyOver, StillRunning
from tests.factories import NOW, SECOND, a_failure, a_plan, a_request
from tests.storage.steps import (
    cancelled,
    claimed,
    closed,
    completed,
    created,
    ended,
    finished_sending,
    may_send,
    quiet_since,
    regenerated,
    running,
    sending,
    shown,
    told,
    told_types,
)

PRICE = a_plan().price


async def test_an_accepted_order_is_all_there(database: Database) -> None:
    generation_id = await created(database, project_id="p", metadata={"a": "b"})
    generation = await shown(database, generation_id)
    assert (generation.status, generation.stage) == (Status.PENDING, Stage.ACCEPTED)
    assert (generation.project_id, generation.metadata) == ("p", {"a": "b"})
    assert generation.current.request == a_request(project_id="p", metadata={"a": "b"})
    assert generation.current.plan == a_plan()
    assert generation.cost == Cost(reserved=PRICE)
    assert await told_types(database, generation_id) == ["generation.accepted"]


async def test_the_next_take_starts_from_nothing_shown(database: Database) -> None:
    generation_id = await created(database)
    await completed(database, await running(database, generation_id))
    generation = await regenerated(database, generation_id)
    assert (generation.status, generation.stage) == (Status.PENDING, Stage.ACCEPTED)
    assert (generation.progress_percent, generation.completed_at) == (0, None)
    assert [take.number for take in generation.takes] == [1, 2]
    assert generation.takes[0].video is not None
    started = (await told(database, generation_id))[-1]
    assert (started.type.value, started.take) == ("take.started", 2)
    assert started.data["changes"] == {"prompt": "Take 2"}


async def test_a_running_take_must_end_before_the_next(database: Database) -> None:
    generation_id = await created(database)
    with pytest.raises(StillRunning):
        await regenerated(database, generation_id)
    await running(database, generation_id)
    with pytest.raises(StillRunning):
        await regenerated(database, generation_id)
    assert len((await shown(database, generation_id)).takes) == 1


async def test_a_persons_signal_becomes_one_take_only(database: Database) -> None:
    generation_id = await created(database)
    await closed(database, generation_id)
    await regenerated(database, generation_id, wish_key="run/1")
    await closed(database, generation_id, take=2)
    async with database.read() as connection:
        assert await wishes.was_granted(connection, generation_id, "run/1")
        assert not await wishes.was_granted(connection, generation_id, "run/2")
        assert not await wishes.was_granted(connection, "gen_other", "run/1")
    with pytest.raises(IntegrityError):
        await regenerated(database, generation_id, wish_key="run/1")
    assert len((await shown(database, generation_id)).takes) == 2


async def test_cancelled_before_any_attempt_costs_nothing_and_is_final(database: Database) -> None:
    generation_id = await created(database)
    take = await cancelled(database, generation_id)
    assert (take.cancel_outcome, take.cancel_billed) == (CancelOutcome.STOPPED_BEFORE_SUBMIT, False)
    generation = await shown(database, generation_id)
    assert (generation.status, generation.stage) == (Status.CANCELLED, Stage.DONE)
    assert generation.cost == Cost()
    wanted = ["cancel.requested", "cancel.outcome", "generation.cancelled"]
    assert (await told_types(database, generation_id))[1:] == wanted


async def test_cancelled_before_sending_withdraws_the_permission(database: Database) -> None:
    order = await claimed(database)
    take = await cancelled(database, order.generation_id)
    assert take.cancel_outcome is CancelOutcome.STOPPED_BEFORE_SUBMIT
    assert take.attempts[0].state is AttemptState.ABANDONED
    assert (await shown(database, order.generation_id)).cost == Cost()
    assert not await may_send(database, order)


@pytest.mark.parametrize("how", ["sending", "accepted", "unknown"])
async def test_cancelled_after_sending_stays_open_until_the_truth_is_known(
    database: Database, how: str
) -> None:
    order = await sending(database)
    if how == "accepted":
        await finished_sending(database, order, Accepted(job_id="j"))
    if how == "unknown":
        lost = a_failure(Category.SUBMISSION_UNKNOWN)
        await finished_sending(database, order, Unknown(client_reference="r", failure=lost))
    before = (await shown(database, order.generation_id)).cost
    take = await cancelled(database, order.generation_id)
    generation = await shown(database, order.generation_id)
    assert take.cancel_outcome is CancelOutcome.REQUESTED
    assert (generation.status, generation.stage) == (Status.PROCESSING, Stage.CANCELLING)
    assert generation.cost == before


async def test_cancelled_between_two_attempts_is_exact_as_well(database: Database) -> None:
    order = await claimed(database)
    await finished_sending(database, order, NotSent(failure=a_failure(Category.NETWORK)))
    take = await cancelled(database, order.generation_id)
    assert take.cancel_outcome is CancelOutcome.STOPPED_BEFORE_SUBMIT
    assert take.attempts[0].state is AttemptState.NOT_SENT


async def test_a_second_cancel_is_the_same_as_the_first(database: Database) -> None:
    generation_id = await created(database)
    first = await cancelled(database, generation_id)
    again = await cancelled(database, generation_id, now=NOW + timedelta(hours=1))
    assert again == first
    assert (await told_types(database, generation_id)).count("cancel.requested") == 1


async def test_what_is_over_cannot_be_cancelled(database: Database) -> None:
    generation_id = await created(database)
    await completed(database, await running(database, generation_id))
    with pytest.raises(AlreadyOver) as over:
        await cancelled(database, generation_id)
    assert over.value.status is Status.COMPLETED


async def unheard(
    database: Database, at: timedelta, limit: int = 200, after: Unheard | None = None
) -> list[Unheard]:
    async with database.read() as connection:
        found = await unheard_wishes(
            connection,
            NOW + at,
            mode=DeploymentMode.SANDBOX,
            older_than=timedelta(seconds=10),
            quiet_for=timedelta(seconds=60),
            after=after,
            limit=limit,
        )
    return list(found)


async def test_a_new_take_is_unheard_once_it_is_old_enough(database: Database) -> None:
    generation_id = await created(database)
    assert await unheard(database, timedelta(seconds=10)) == []
    wish = Unheard(generation_id, 1, Signal.REGENERATE, certain=True)
    assert await unheard(database, timedelta(seconds=11)) == [wish]


async def test_a_claimed_take_is_doubted_only_after_a_silence(database: Database) -> None:
    order = await sending(database)
    assert await unheard(database, timedelta(seconds=60)) == []
    wish = Unheard(order.generation_id, 1, Signal.REGENERATE, certain=False)
    assert await unheard(database, timedelta(seconds=62)) == [wish]


async def test_a_cancel_without_outcome_is_unheard(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    assert await unheard(database, timedelta(seconds=11)) == []
    wish = Unheard(job.generation_id, 1, Signal.CANCEL, certain=True)
    assert await unheard(database, timedelta(seconds=12)) == [wish]


async def test_what_is_over_is_never_unheard(database: Database) -> None:
    await cancelled(database, await created(database))
    await closed(database, await created(database))
    done = await running(database)
    await completed(database, done)
    job = await running(database)
    await cancelled(database, job.generation_id)
    await completed(database, job)
    assert await unheard(database, timedelta(days=30)) == []


async def test_the_next_take_of_a_finished_generation_is_heard_of(database: Database) -> None:
    generation_id = await created(database)
    await closed(database, generation_id)
    await regenerated(database, generation_id)
    wish = Unheard(generation_id, 2, Signal.REGENERATE, certain=True)
    assert await unheard(database, timedelta(seconds=11)) == [wish]


async def test_many_quiet_takes_never_hide_a_wish_that_nobody_has_heard(database: Database) -> None:
    for _ in range(5):
        order = await sending(database)
        await quiet_since(database, order.generation_id, NOW)
    cancelling = await running(database)
    await cancelled(database, cancelling.generation_id)
    new = await created(database, now=NOW + SECOND)
    found = await unheard(database, timedelta(minutes=5), limit=3)
    assert {wish.generation_id for wish in found if wish.certain} == {new, cancelling.generation_id}
    assert len(found) == 3


async def test_the_oldest_wish_comes_first(database: Database) -> None:
    later = await created(database, now=NOW + SECOND)
    earlier = await created(database, now=NOW)
    found = await unheard(database, timedelta(minutes=5))
    assert [wish.generation_id for wish in found] == [earlier, later]


async def test_a_job_that_failed_without_an_end_of_its_take_is_found(database: Database) -> None:
    job = await running(database)
    await ended(database, job, JobState.FAILED, failure=a_failure())
    (wish,) = await unheard(database, timedelta(minutes=5))
    assert (wish.generation_id, wish.certain) == (job.generation_id, False)


async def test_a_cancel_that_had_looked_before_the_sending_still_tells_the_truth(database: Database) -> None:
    order = await claimed(database)
    seen_before = await shown(database, order.generation_id)
    assert await may_send(database, order)
    async with database.write(order.generation_id) as connection:
        take = await wishes.cancel(connection, seen_before, NOW, by="user", reason=None)
    assert take.cancel_outcome is CancelOutcome.REQUESTED
    assert (await shown(database, order.generation_id)).cost == Cost(reserved=PRICE)


async def test_pages_show_every_unheard_wish_once(database: Database) -> None:
    """Beyond the first page as well, where many have the same age."""
    quiet = {(await sending(database)).generation_id for _ in range(3)}
    new = {await created(database) for _ in range(4)}
    seen: list[Unheard] = []
    while page := await unheard(database, timedelta(minutes=5), limit=2, after=seen[-1] if seen else None):
        seen += page
    assert {wish.generation_id for wish in seen[:4]} == new
    assert {wish.generation_id for wish in seen[4:]} == quiet
    assert len(seen) == 7
