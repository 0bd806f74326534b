"""Every change of money is in the books at once: entries, the attempt's row, and the sums that limits go by."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import CancelOutcome, JobState, Rejected, Unknown
from domain.attempts.routing import Health
from domain.generation import Cost
from domain.people.quotas import Allowance
from domain.people.tenants import Tenant, Tenants, Tier
from domain.status import Status
from storage.database import Database
from storage.money.drift import drift
from storage.tables import ledger, spending
from tests.domain.stories import RUNWAY, SEEDANCE
from tests.factories import NOW, a_failure
from tests.storage.steps import (
    SENT,
    a_second,
    all_told,
    answered,
    cancelled,
    created,
    ended,
    finished_sending,
    regenerated,
    running,
    sending,
    shown,
    stopped,
)

PRICE = RUNWAY.price
MINUTE = timedelta(minutes=1)
SEEDANCE_CLOSED = {"seedance": Health(account="seedance", breaker_until=NOW + MINUTE)}


async def entries(database: Database, ref: str) -> list[tuple[str, int]]:
    query = select(ledger.c.kind, ledger.c.amount_micros).where(ledger.c.ref == ref).order_by(ledger.c.n)
    async with database.read() as connection:
        return [(row.kind, row.amount_micros) for row in await connection.execute(query)]


async def sums(database: Database) -> dict[str, tuple[int, int, int, int]]:
    """What was ordered, reserved, settled and put at risk, by provider."""
    async with database.read() as connection:
        rows = (await connection.execute(select(spending))).all()
        assert not await drift(connection)
    return {
        row.provider: (row.orders, row.reserved_micros, row.settled_micros, row.at_risk_micros)
        for row in rows
    }


def with_budget(micros: int) -> Tenants:
    return Tenants(others=Tenant(tier=Tier(allowance=Allowance(daily_budget=micros))))


async def test_an_order_is_reserved_for_when_it_is_accepted(database: Database) -> None:
    generation_id = await created(database)
    assert await entries(database, f"{generation_id}.1.1") == [("reserve", PRICE)]
    assert await sums(database) == {"runway": (1, PRICE, 0, 0)}
    assert (await shown(database, generation_id)).cost == Cost(reserved=PRICE)


async def test_the_first_attempt_takes_over_what_is_held(database: Database) -> None:
    generation_id = await created(database)
    await answered(database, generation_id)
    assert await entries(database, f"{generation_id}.1.1") == [("reserve", PRICE)]
    assert (await shown(database, generation_id)).cost == Cost(reserved=PRICE)
    assert await sums(database) == {"runway": (1, PRICE, 0, 0)}


async def test_a_first_attempt_elsewhere_moves_what_is_held(database: Database) -> None:
    generation_id = await created(database, route=(SEEDANCE, RUNWAY))
    claimed = await answered(database, generation_id, healths=SEEDANCE_CLOSED)
    assert claimed.order is not None
    assert claimed.order.attempt.account == "runway"
    cheap = SEEDANCE.price
    told = [("reserve", cheap), ("refund", cheap), ("top_up", PRICE)]
    assert await entries(database, f"{generation_id}.1.1") == told
    assert await sums(database) == {"seedance": (1, 0, 0, 0), "runway": (0, PRICE, 0, 0)}


@pytest.mark.parametrize(("budget", "account"), [(PRICE, "runway"), (PRICE - 1, "seedance"), (0, "seedance")])
async def test_a_dearer_first_attempt_needs_the_budget_for_it(
    database: Database, budget: int, account: str
) -> None:
    generation_id = await created(database, route=(SEEDANCE, RUNWAY))
    claimed = await answered(database, generation_id, healths=SEEDANCE_CLOSED, tenants=with_budget(budget))
    assert claimed.order is not None
    assert claimed.order.attempt.account == account


async def test_a_further_attempt_needs_the_budget_for_it(database: Database) -> None:
    lost = await sending(database)
    unknown = Unknown(client_reference="r", failure=a_failure(Category.SUBMISSION_UNKNOWN))
    await finished_sending(database, lost, unknown)
    order = await sending(database, await created(database, route=(RUNWAY, SEEDANCE)))
    await finished_sending(database, order, Rejected(failure=a_failure(Category.AUTH)))
    tight = with_budget(PRICE + SEEDANCE.price - 1)
    await answered(database, order.generation_id, SENT + MINUTE, tenants=tight)
    generation = await shown(database, order.generation_id)
    assert generation.status is Status.FAILED
    decided = [one for one in await all_told(database, generation.id) if one.type == "recovery.decided"]
    assert "does not fit into the budget, of which $0.259999 is left" in decided[0].message


@pytest.mark.parametrize(
    ("state", "look", "written", "cost"),
    [
        (JobState.SUCCEEDED, {"cost": PRICE}, [("settle", PRICE)], Cost(settled=PRICE)),
        (JobState.SUCCEEDED, {"cost": 1}, [("settle", 1), ("refund", PRICE - 1)], Cost(settled=1)),
        (
            JobState.SUCCEEDED,
            {"cost": PRICE + 7},
            [("top_up", 7), ("settle", PRICE + 7)],
            Cost(settled=PRICE + 7),
        ),
        (JobState.FAILED, {"failure": a_failure(billed=False)}, [("refund", PRICE)], Cost()),
        (JobState.FAILED, {"failure": a_failure(billed=None)}, [("at_risk", PRICE)], Cost(at_risk=PRICE)),
    ],
)
async def test_a_bill_is_what_the_provider_says(
    database: Database, state: JobState, look: dict[str, Any], written: list[tuple[str, int]], cost: Cost
) -> None:
    job = await running(database)
    for _ in range(2):
        await ended(database, job, state, **look)
    assert await entries(database, job.ref) == [("reserve", PRICE), *written]
    assert (await shown(database, job.generation_id)).cost == cost
    assert await sums(database) == {"runway": (1, cost.reserved, cost.settled, cost.at_risk)}
    changed = [one for one in await all_told(database, job.generation_id) if one.type == "cost.changed"]
    assert [one["kind"] for one in changed[-1].data["entry"]] == [kind for kind, _ in written]


async def test_what_was_at_risk_is_resolved_by_the_truth(database: Database) -> None:
    order = await sending(database)
    lost = Failure(category=Category.SUBMISSION_UNKNOWN, code="answer_lost", detail="Lost.")
    await finished_sending(database, order, Unknown(client_reference="r", failure=lost))
    assert await sums(database) == {"runway": (1, 0, 0, PRICE)}
    await finished_sending(database, order, Rejected(failure=a_failure(Category.AUTH)))
    told = [("reserve", PRICE), ("at_risk", PRICE), ("resolve", PRICE), ("refund", PRICE)]
    assert await entries(database, order.attempt.ref) == told
    assert await sums(database) == {"runway": (1, 0, 0, 0)}


async def test_a_cancel_before_any_attempt_gives_everything_back(database: Database) -> None:
    generation_id = await created(database)
    await cancelled(database, generation_id)
    assert await entries(database, f"{generation_id}.1.1") == [("reserve", PRICE), ("refund", PRICE)]
    assert await sums(database) == {"runway": (1, 0, 0, 0)}
    messages = [one.message for one in await all_told(database, generation_id) if one.type == "cost.changed"]
    assert messages == ["$0.60 are free again."]


@pytest.mark.parametrize("billed", [True, False, None])
async def test_a_cancelled_job_costs_what_its_outcome_says(database: Database, billed: bool | None) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.STOPPED, billed=billed)
    numbers = {True: (1, 0, PRICE, 0), False: (1, 0, 0, 0), None: (1, 0, 0, PRICE)}[billed]
    assert await sums(database) == {"runway": numbers}


async def test_each_take_is_an_order_of_its_own(database: Database) -> None:
    generation_id = await created(database)
    await cancelled(database, generation_id)
    await regenerated(database, generation_id)
    assert await sums(database) == {"runway": (2, PRICE, 0, 0)}
    assert await entries(database, f"{generation_id}.2.1") == [("reserve", PRICE)]


async def test_two_who_settle_at_once_settle_once(database: Database) -> None:
    job = await running(database)
    async with a_second(database) as other:
        await asyncio.gather(
            *(ended(one, job, JobState.SUCCEEDED) for _ in range(4) for one in (database, other))
        )
    assert await sums(database) == {"runway": (1, 0, PRICE, 0)}
