"""What the rows know better than an account's gate: slots that nobody uses, and tickets that it should know."""

from datetime import datetime, timedelta

from sqlalchemy import update

from domain.attempts.outcomes import Accepted, JobState, Unknown
from domain.gate.tickets import Lease, Release
from domain.generation import DeploymentMode
from domain.moments import micros_of
from storage.database import Database
from storage.gate import gates, slots, tickets
from storage.tables import attempts
from tests.factories import LIMITS, NOW, SECOND, a_failure
from tests.storage.steps import (
    SENT,
    cancelled,
    claimed,
    closed,
    ended,
    finished_sending,
    running,
    sending,
)

QUIET = timedelta(seconds=60)
AFTER_THE_QUIET = SENT + QUIET + SECOND


def a_lease(ref: str, send_by: datetime = NOW + LIMITS.send_within) -> Lease:
    return Lease(
        ref=ref,
        tenant_id="tenant",
        queued_at=micros_of(NOW),
        granted_at=micros_of(NOW),
        send_by=micros_of(send_by),
        judge_at=micros_of(send_by),
    )


async def nobodys(database: Database, lease: Lease, now: datetime = AFTER_THE_QUIET) -> list[Release]:
    async with database.read() as connection:
        return list(await slots.nobodys(connection, [lease], LIMITS, now, quiet_for=QUIET))


async def test_a_job_that_is_over_needs_no_slot_once_its_own_release_had_its_time(database: Database) -> None:
    job = await running(database)
    lease = a_lease(job.ref)
    assert await nobodys(database, lease) == []
    await ended(database, job, JobState.FAILED, failure=a_failure())
    assert await nobodys(database, lease, SENT + QUIET) == []
    assert await nobodys(database, lease) == [Release(ref=job.ref, was_sent=True)]


async def test_a_job_that_goes_on_keeps_its_slot_though_its_take_is_over(database: Database) -> None:
    job = await running(database)
    await closed(database, job.generation_id)
    assert await nobodys(database, a_lease(job.ref)) == []
    nobody_can_know = NOW + 2 * LIMITS.job + 2 * SECOND
    assert await nobodys(database, a_lease(job.ref), nobody_can_know) == [Release(ref=job.ref, was_sent=True)]


async def test_an_order_without_an_answer_keeps_its_slot_for_as_long_as_a_job_takes(
    database: Database,
) -> None:
    order = await sending(database)
    lost = Unknown(client_reference="r", failure=a_failure())
    await finished_sending(database, order, lost)
    assert await nobodys(database, a_lease(order.attempt.ref)) == []
    too_late = SENT + LIMITS.job + SECOND
    assert len(await nobodys(database, a_lease(order.attempt.ref), too_late)) == 1


async def test_a_slot_whose_ticket_was_withdrawn_is_free(database: Database) -> None:
    order = await claimed(database)
    await cancelled(database, order.generation_id)
    assert await nobodys(database, a_lease(order.attempt.ref)) == [
        Release(ref=order.attempt.ref, was_sent=False)
    ]


async def test_a_slot_that_was_just_granted_is_never_taken_away(database: Database) -> None:
    """Giving it back would withdraw the ticket as well, which is still wanted."""
    order = await claimed(database)
    assert await nobodys(database, a_lease(order.attempt.ref), NOW + timedelta(days=1)) == []


async def test_a_slot_of_which_no_row_knows_is_free_once_it_cannot_be_used(database: Database) -> None:
    send_by = NOW + LIMITS.send_within
    assert await nobodys(database, a_lease("gen_nobody.1.1"), send_by + QUIET) == []
    assert len(await nobodys(database, a_lease("gen_nobody.1.1"), send_by + QUIET + SECOND)) == 1


async def waiting(database: Database, now: datetime, account: str = "runway", **page: object) -> list[str]:
    async with database.read() as connection:
        found = await tickets.overdue(
            connection,
            account,
            now,
            mode=DeploymentMode.SANDBOX,
            older_than=QUIET,
            **page,  # type: ignore[arg-type]  # of `overdue`
        )
    return [ticket.ref for ticket in found]


async def test_a_ticket_should_be_known_after_a_while(database: Database) -> None:
    order = await claimed(database)
    assert await waiting(database, NOW + QUIET) == []
    assert await waiting(database, AFTER_THE_QUIET) == [order.attempt.ref]
    assert await waiting(database, AFTER_THE_QUIET, account="seedance") == []


async def test_what_was_sent_or_is_over_waits_no_more(database: Database) -> None:
    await finished_sending(database, await sending(database), Accepted(job_id="job-1"))
    order = await claimed(database)
    await cancelled(database, order.generation_id)
    assert await waiting(database, AFTER_THE_QUIET) == []


async def test_a_ticket_that_is_to_wait_for_its_retry_is_not_expected_before(database: Database) -> None:
    order = await claimed(database)
    async with database.write() as connection:
        await connection.execute(
            update(attempts).where(attempts.c.ref == order.attempt.ref).values(not_before=AFTER_THE_QUIET)
        )
    assert await waiting(database, AFTER_THE_QUIET + QUIET) == []
    assert await waiting(database, AFTER_THE_QUIET + QUIET + SECOND) == [order.attempt.ref]


async def test_pages_show_them_all(database: Database) -> None:
    refs = sorted([(await claimed(database)).attempt.ref for _ in range(3)])
    assert await waiting(database, AFTER_THE_QUIET, limit=2) == refs[:2]
    assert await waiting(database, AFTER_THE_QUIET, limit=2, after=refs[1]) == refs[2:]


async def test_accounts_are_those_with_a_gate_or_with_tickets(database: Database) -> None:
    async with database.read() as connection:
        assert await gates.accounts(connection) == []
    await claimed(database)
    async with database.read() as connection:
        assert await gates.accounts(connection) == ["runway"]
