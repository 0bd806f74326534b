"""What a gate starts from: the tickets that wait, the slots in use and for how long, pauses, and its own last news."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, CancelOutcome, JobState, NotSent, Rejected, Unknown
from domain.gate.rows import GateNews, GateRows, TicketsWanted
from domain.gate.tickets import AccountLimits, BreakerRecord, BreakerState, Priority, Verdict
from domain.messages import Order
from domain.moments import micros_of
from storage.database import Database
from storage.gate import gates, slots
from storage.tables import gates as rows
from tests.domain.stories import SEEDANCE
from tests.factories import LIMITS, NOW, SECOND, a_failure
from tests.storage.steps import (
    SENT,
    SOMEBODY,
    answered,
    cancelled,
    claimed,
    closed,
    created,
    ended,
    finished_sending,
    running,
    sending,
    stopped,
)

LOST = a_failure(Category.SUBMISSION_UNKNOWN)
BEARS = AccountLimits(max_concurrent=7)
MAY_ARRIVE = LIMITS.may_arrive

Begin = Callable[[Database], Awaitable[str]]


async def read(
    database: Database,
    account: str = "runway",
    *,
    now: datetime = SENT,
    after: str | None = None,
    limit: int = 100,
) -> GateRows:
    wanted = TicketsWanted(account=account, after=after, limit=limit)
    async with database.write() as connection:
        return await gates.read(connection, wanted, BEARS, LIMITS, now, mode=SOMEBODY.mode)


async def verdicts(database: Database, *refs: str, now: datetime = SENT) -> tuple[Verdict, ...]:
    async with database.read() as connection:
        return await slots.judge(connection, refs, LIMITS, now)


async def unanswered(database: Database) -> Order:
    order = await sending(database)
    await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    return order


async def test_only_the_first_gate_ever_is_new(database: Database) -> None:
    assert (await read(database)).is_new
    assert not (await read(database)).is_new
    assert not (await read(database, after="gen_a")).is_new
    assert (await read(database, "seedance")).is_new


async def test_an_account_without_anything_says_what_it_bears(database: Database) -> None:
    assert await read(database) == GateRows(is_new=True, limits=BEARS)


async def test_the_waiting_tickets_are_read_page_by_page_each_once(database: Database) -> None:
    orders = [await claimed(database) for _ in range(5)]
    busy = await running(database)
    first = await read(database, limit=2)
    second = await read(database, limit=2, after=first.tickets[-1].ref)
    third = await read(database, limit=2, after=second.tickets[-1].ref)
    assert [len(page.tickets) for page in (first, second, third)] == [2, 2, 1]
    assert [page.has_more for page in (first, second, third)] == [True, True, False]
    assert [lease.ref for lease in first.leases] == [busy.ref]
    assert second.leases == third.leases == ()
    found = [ticket for page in (first, second, third) for ticket in page.tickets]
    assert found == sorted([order.ticket for order in orders if order.ticket], key=lambda one: one.ref)


async def test_a_page_that_is_just_full_is_the_last(database: Database) -> None:
    for _ in range(2):
        await claimed(database)
    assert not (await read(database, limit=2)).has_more


async def test_who_is_elsewhere_waits_for_a_retry_or_is_over_has_no_ticket(database: Database) -> None:
    await claimed(database, await created(database, route=(SEEDANCE,)))
    await running(database)
    unwanted = await claimed(database)
    await cancelled(database, unwanted.generation_id)
    over = await claimed(database)
    await closed(database, over.generation_id)
    order = await claimed(database)
    failure = a_failure(Category.NETWORK, billed=False)
    await finished_sending(database, order, NotSent(failure=failure))
    again = (await answered(database, order.generation_id, SENT)).order
    assert again is not None
    assert again.not_before is not None
    assert (await read(database)).tickets == ()
    later = await read(database, now=NOW + timedelta(seconds=60))
    assert [ticket.ref for ticket in later.tickets] == [again.attempt.ref]
    assert len((await read(database, "seedance")).tickets) == 1


async def test_what_is_under_way_is_leased_until_it_is_to_be_judged(database: Database) -> None:
    being_sent = await sending(database, await created(database, priority="urgent"))
    unknown = await unanswered(database)
    job = await running(database)
    done = await running(database)
    await ended(database, done, JobState.SUCCEEDED)
    refused = await sending(database)
    await finished_sending(database, refused, Rejected(failure=a_failure(Category.VALIDATION)))
    leases = {lease.ref: lease for lease in (await read(database)).leases}
    assert {ref: lease.judge_at for ref, lease in leases.items()} == {
        being_sent.attempt.ref: micros_of(SENT + MAY_ARRIVE + LIMITS.job),
        unknown.attempt.ref: micros_of(SENT + LIMITS.job),
        job.ref: micros_of(SENT + 2 * LIMITS.job),
    }
    lease = leases[being_sent.attempt.ref]
    assert (lease.tenant_id, lease.priority) == (SOMEBODY.tenant_id, Priority.URGENT)
    assert (lease.queued_at, lease.sent_at, lease.send_by) == (
        micros_of(NOW),
        micros_of(SENT),
        micros_of(SENT),
    )


async def test_nothing_is_leased_for_ever(database: Database) -> None:
    await sending(database)
    await unanswered(database)
    await running(database)
    moments = [SENT + LIMITS.job, SENT + LIMITS.job + MAY_ARRIVE, SENT + 2 * LIMITS.job]
    counts = [
        (
            len((await read(database, now=moment - SECOND)).leases),
            len((await read(database, now=moment)).leases),
        )
        for moment in moments
    ]
    assert counts == [(3, 2), (2, 1), (1, 0)]


async def a_queued(database: Database) -> str:
    return (await claimed(database)).attempt.ref


async def a_sending(database: Database) -> str:
    return (await sending(database)).attempt.ref


async def an_unknown(database: Database) -> str:
    return (await unanswered(database)).attempt.ref


async def an_accepted(database: Database) -> str:
    return (await running(database)).ref


async def a_found(database: Database) -> str:
    order = await unanswered(database)
    await finished_sending(database, order, Accepted(job_id="found"))
    return order.attempt.ref


async def a_rejected(database: Database) -> str:
    order = await sending(database)
    await finished_sending(database, order, Rejected(failure=a_failure(Category.VALIDATION)))
    return order.attempt.ref


async def an_unsent(database: Database) -> str:
    order = await claimed(database)
    await finished_sending(database, order, NotSent(failure=a_failure(Category.NETWORK)))
    return order.attempt.ref


async def an_abandoned(database: Database) -> str:
    order = await claimed(database)
    await cancelled(database, order.generation_id)
    return order.attempt.ref


async def an_ended(database: Database) -> str:
    job = await running(database)
    await ended(database, job, JobState.FAILED, failure=a_failure())
    return job.ref


async def a_stopped(database: Database) -> str:
    job = await running(database)
    await stopped(database, job, CancelOutcome.STOPPED, because=a_failure(Category.TIMEOUT))
    return job.ref


async def a_going_on(database: Database) -> str:
    job = await running(database)
    await stopped(database, job, CancelOutcome.GOES_ON, because=a_failure(Category.TIMEOUT))
    return job.ref


@pytest.mark.parametrize(
    ("begin", "keeps"),
    [
        (a_queued, None),
        (a_sending, MAY_ARRIVE + LIMITS.job),
        (an_unknown, LIMITS.job),
        (an_accepted, 2 * LIMITS.job),
        (a_found, 2 * LIMITS.job),
        (a_going_on, 2 * LIMITS.job),
        (a_rejected, None),
        (an_unsent, None),
        (an_abandoned, None),
        (an_ended, None),
        (a_stopped, None),
    ],
)
async def test_a_lease_is_judged_by_what_its_attempt_is_and_how_old(
    database: Database, begin: Begin, keeps: timedelta | None
) -> None:
    ref = await begin(database)
    free = Verdict(ref=ref)
    if keeps is None:
        assert await verdicts(database, ref) == (free,)
        return
    held = Verdict(ref=ref, hold_until=micros_of(SENT + keeps))
    assert await verdicts(database, ref) == (held,)
    assert await verdicts(database, ref, now=SENT + keeps - SECOND) == (held,)
    assert await verdicts(database, ref, now=SENT + keeps) == (free,)


async def test_each_lease_has_its_verdict_also_one_that_nobody_knows(database: Database) -> None:
    ref = await an_accepted(database)
    held, unknown = await verdicts(database, ref, "gen_nobody.1.1")
    assert held.hold_until is not None
    assert unknown == Verdict(ref="gen_nobody.1.1")
    assert await verdicts(database) == ()


async def paused(database: Database, reason: str | None, account: str = "runway") -> None:
    async with database.write() as connection:
        await gates.pause(connection, account, reason, NOW)


async def test_a_pause_is_kept_until_it_is_ended_also_where_no_gate_has_run(database: Database) -> None:
    await paused(database, "maintenance")
    assert (await read(database)).pause_reason == "maintenance"
    assert (await read(database, "seedance")).pause_reason is None
    await paused(database, "longer")
    assert (await read(database)).pause_reason == "longer"
    await paused(database, None)
    assert (await read(database)).pause_reason is None
    async with database.read() as connection:
        row = (await connection.execute(rows.select().where(rows.c.account == "runway"))).one()
    assert (row.pause_reason, row.paused_at) == (None, None)


async def test_tenants_pause_and_resume_any_number_of_times(database: Database) -> None:
    async with database.write() as connection:
        for tenant in ("b", "a", "b"):
            await gates.pause_tenant(connection, tenant, NOW)
    assert (await read(database)).paused_tenants == ("a", "b")
    assert (await read(database, "seedance")).paused_tenants == ("a", "b")
    async with database.write() as connection:
        for _ in range(2):
            await gates.resume_tenant(connection, "b")
    assert (await read(database)).paused_tenants == ("a",)


async def test_a_gates_news_leaves_its_pause_alone(database: Database) -> None:
    await paused(database, "maintenance")
    record = BreakerRecord(state=BreakerState.OPEN, until=micros_of(NOW), recent=(True,))
    news = GateNews(account="runway", breaker=record, hold_off_until=micros_of(SENT))
    async with database.write() as connection:
        await gates.write(connection, news, SENT)
        row = (await connection.execute(rows.select())).one()
    assert BreakerRecord.model_validate(row.breaker) == record
    assert (row.hold_off_until, row.pause_reason, row.updated_at) == (SENT, "maintenance", SENT)
    async with database.write() as connection:
        await gates.write(connection, GateNews(account="runway", breaker=BreakerRecord()), SENT)
        row = (await connection.execute(rows.select())).one()
    assert row.hold_off_until is None
