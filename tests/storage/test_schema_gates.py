"""The third revision takes over what was under way: nothing is lost, sent twice or waited for in vain."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import JSON, Connection, MetaData, insert

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import AttemptState
from domain.gate.rows import TicketsWanted
from domain.gate.tickets import AccountLimits
from domain.generation import Attempt, DeploymentMode
from domain.status import Stage, Status
from storage import schema
from storage.database import Database
from storage.gate import gates
from storage.tables import UtcDateTime
from tests.factories import LIMITS, NOW, SECOND, a_failure, a_plan, a_request
from tests.storage.steps import answered, shown

ENDED, CLOSED = NOW + 10 * SECOND, NOW + 20 * SECOND
PLAN = a_plan(prompt="What this take has sent")
FAILED = a_failure(Category.SERVER_ERROR, billed=False)
LOST = a_failure(Category.SUBMISSION_UNKNOWN)
RUNNING = {
    "state": "accepted",
    "job_id": "j",
    "sent_at": NOW,
    "accepted_at": NOW,
    "deadline": NOW + LIMITS.job,
}
NEVER: Any = JSON.NULL
"""How the code wrote that there is no failure."""

ATTEMPTS: dict[str, tuple[Status, dict[str, Any]]] = {
    "granted": (Status.PROCESSING, {"state": "granted"}),
    "sending": (Status.PROCESSING, {"state": "sending", "sent_at": NOW}),
    "unknown": (
        Status.PROCESSING,
        {"state": "unknown", "sent_at": NOW, "failure": LOST, "ended_at": ENDED},
    ),
    "running": (Status.PROCESSING, RUNNING),
    "job_failed": (
        Status.PROCESSING,
        RUNNING | {"failure": FAILED, "job_state": "failed", "ended_at": ENDED},
    ),
    "made": (Status.PROCESSING, RUNNING | {"failure": NEVER, "job_state": "succeeded", "ended_at": ENDED}),
    "rejected": (Status.PROCESSING, {"state": "rejected", "failure": FAILED, "ended_at": ENDED}),
    "held": (Status.FAILED, {"state": "unknown", "sent_at": NOW, "failure": LOST, "ended_at": ENDED}),
    "left": (Status.FAILED, RUNNING),
    "completed": (
        Status.COMPLETED,
        RUNNING | {"failure": NEVER, "job_state": "succeeded", "ended_at": ENDED},
    ),
}
GIVEN_UP = {"job_failed": ENDED, "rejected": ENDED, "held": ENDED, "left": CLOSED}


def _reflected(connection: Connection) -> MetaData:
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.tables.values():
        for column in table.columns:
            if column.name.endswith(("_at", "_by", "deadline")) and column.name != "superseded_by":
                column.type = UtcDateTime()
            elif column.name in {"failure", "plan", "route", "request", "metadata", "data"}:
                column.type = JSON(none_as_null=True)
    return tables


async def tables_of(database: Database) -> MetaData:
    async with database.read() as connection:
        return await connection.run_sync(_reflected)


async def fill_the_second_revision(database: Database) -> None:
    tables = (await tables_of(database)).tables
    async with database.write() as connection:
        for name, (status, attempt) in ATTEMPTS.items():
            await connection.execute(
                insert(tables["generations"]).values(
                    id=f"gen_{name}",
                    mode="sandbox",
                    tenant_id=f"tenant_{name}",
                    status=status,
                    stage=Stage.DONE if status.is_terminal else Stage.QUEUED,
                    provider="runway",
                    prompt="A fox",
                    current_take=1,
                    last_seq=0,
                    metadata={},
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            await connection.execute(
                insert(tables["takes"]).values(
                    generation_id=f"gen_{name}",
                    number=1,
                    status=status,
                    request=a_request().model_dump(mode="json", exclude_none=True),
                    plan=PLAN.model_dump(mode="json"),
                    failure=FAILED.model_dump(mode="json") if status is Status.FAILED else None,
                    created_at=NOW,
                    ended_at=CLOSED if status.is_terminal else None,
                )
            )
            values = {
                key: value.model_dump(mode="json") if isinstance(value, Failure) else value
                for key, value in attempt.items()
            }
            await connection.execute(
                insert(tables["attempts"]).values(
                    **{
                        "ref": f"gen_{name}.1.1",
                        "generation_id": f"gen_{name}",
                        "take": 1,
                        "number": 1,
                        "provider": "runway",
                        "account": "runway",
                        "model": PLAN.model,
                        "reserved_micros": PLAN.price,
                        "started_at": NOW,
                        "send_by": NOW + LIMITS.send_within,
                    }
                    | values
                    | ({"job_id": f"job_{name}"} if "job_id" in values else {})
                )
            )


async def dump(database: Database) -> dict[str, list[dict[str, object]]]:
    tables = (await tables_of(database)).tables
    async with database.read() as connection:
        return {
            name: [
                dict(row._mapping)  # noqa: SLF001 - the public name of a row's columns
                for row in await connection.execute(tables[name].select().order_by(*tables[name].primary_key))
            ]
            for name in ("generations", "takes", "attempts")
        }


async def attempt_of(database: Database, name: str) -> Attempt:
    return (await shown(database, f"gen_{name}")).current.attempts[0]


@pytest.fixture
async def migrated(empty_url: str) -> AsyncIterator[Database]:
    """A database with what the second revision had under way."""
    async with Database(empty_url) as database:
        await schema.upgrade(database, "0002")
        await fill_the_second_revision(database)
        await schema.upgrade(database)
        yield database


async def test_what_was_granted_is_a_ticket_and_everything_else_is_what_it_was(migrated: Database) -> None:
    for name, (_, told) in ATTEMPTS.items():
        attempt = await attempt_of(migrated, name)
        assert attempt.state == ("queued" if name == "granted" else told["state"])
        assert (attempt.plan, attempt.started_at) == (PLAN, NOW)
        assert (attempt.not_before, attempt.give_up_at, attempt.may_leave) == (None, None, False)
        take = (await shown(migrated, f"gen_{name}")).current
        assert (take.plan, take.route) == (PLAN, (PLAN,))


async def test_what_was_over_was_given_up_when_it_ended_and_nothing_else(migrated: Database) -> None:
    found = {name: (await attempt_of(migrated, name)).given_up_at for name in ATTEMPTS}
    assert {name: moment for name, moment in found.items() if moment is not None} == GIVEN_UP


async def test_the_gate_that_is_started_first_finds_the_tickets_and_slots_of_before(
    migrated: Database,
) -> None:
    async with migrated.write() as connection:
        read = await gates.read(
            connection,
            TicketsWanted(account="runway"),
            AccountLimits(),
            LIMITS,
            NOW + SECOND,
            mode=DeploymentMode.SANDBOX,
        )
    assert read.is_new
    assert [(ticket.ref, ticket.tenant_id) for ticket in read.tickets] == [
        ("gen_granted.1.1", "tenant_granted")
    ]
    assert {lease.ref for lease in read.leases} == {
        f"gen_{name}.1.1" for name in ("sending", "unknown", "running", "held", "left")
    }
    assert {lease.tenant_id for lease in read.leases} >= {"tenant_running"}


@pytest.mark.parametrize(
    ("name", "number", "state"),
    [
        ("granted", 1, AttemptState.QUEUED),
        ("sending", 1, AttemptState.SENDING),
        ("unknown", 1, AttemptState.UNKNOWN),
        ("running", 1, AttemptState.ACCEPTED),
        ("made", 1, AttemptState.ACCEPTED),
        ("job_failed", 2, AttemptState.QUEUED),
        ("rejected", 2, AttemptState.QUEUED),
    ],
)
async def test_each_take_goes_on_where_it_stood(
    migrated: Database, name: str, number: int, state: AttemptState
) -> None:
    order = (await answered(migrated, f"gen_{name}", NOW + timedelta(minutes=1))).order
    assert order is not None
    assert (order.attempt.number, order.attempt.state) == (number, state)


async def test_a_job_that_was_left_is_followed_from_now_on(migrated: Database) -> None:
    (late,) = (await answered(migrated, "gen_left", CLOSED)).late
    assert late.job.job_id == "job_left"
    assert (await answered(migrated, "gen_held", CLOSED)).late == ()


async def test_the_way_back_leaves_everything_as_it_was(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await schema.upgrade(database, "0002")
        await fill_the_second_revision(database)
        before = await dump(database)
        await schema.upgrade(database)
        await schema.downgrade(database, "0002")
        assert await dump(database) == before


async def test_the_way_back_gives_what_waits_a_time_that_has_passed(empty_url: str) -> None:
    """The code of before sends a granted order until its time: what waits for a slot must not be sent by it."""
    async with Database(empty_url) as database:
        await schema.upgrade(database, "0002")
        await fill_the_second_revision(database)
        await schema.upgrade(database)
        later = NOW + timedelta(hours=1)
        order = (await answered(database, "gen_rejected", later)).order
        assert order is not None
        await schema.downgrade(database, "0002")
        rows = (await dump(database))["attempts"]
        (row,) = [row for row in rows if row["ref"] == order.attempt.ref]
        assert (row["state"], row["send_by"]) == ("granted", later)
        await schema.upgrade(database)
        again = (await answered(database, "gen_rejected", later)).order
        assert again is not None
        assert again.attempt == order.attempt
