"""What is used of limits is counted by tenant, user, mode, day and month; and only as much is let in as fits."""

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.attempts.outcomes import JobState
from domain.generation import Cost, DeploymentMode
from domain.ids import new_generation_id
from domain.people.quotas import Allowance, Allowed, Ask, Refused, Usage
from domain.people.tenants import Entitlement, Tier
from storage import catalog
from storage.database import Database
from storage.money import quotas
from storage.takes import wishes
from tests.api.limited import spent
from tests.factories import NOW, SECOND, a_plan, a_request
from tests.storage.steps import SOMEBODY, a_second, cancelled, completed, created, ended, running, told

PRICE = a_plan().price
SANDBOX, LIVE = DeploymentMode.SANDBOX, DeploymentMode.LIVE
DAY = timedelta(days=1)


def entitled(user_id: str | None = None, of_user: Allowance | None = None, **of_tenant: int) -> Entitlement:
    return Entitlement(
        tenant_id="tenant",
        user_id=user_id,
        of_tenant=Tier(allowance=Allowance(**of_tenant)),
        of_user=Tier(allowance=of_user or Allowance()),
    )


async def used(
    database: Database, user_id: str | None = None, mode: DeploymentMode = SANDBOX, now: datetime = NOW
) -> Usage:
    async with database.read() as connection:
        return await quotas.usage_of(connection, "tenant", user_id, mode, now)


async def room(database: Database, of: Entitlement, accepted_at: datetime = NOW) -> int | None:
    async with database.write() as connection:
        return await quotas.room(connection, of, SANDBOX, accepted_at)


async def ordered(database: Database, of: Entitlement, now: datetime = NOW) -> bool:
    """Order where that is allowed, as the API does."""
    request, plan = a_request(user_id=of.user_id), a_plan()
    async with database.write() as connection:
        decision = await quotas.admit(connection, of, SANDBOX, Ask(price=plan.price), now)
        if isinstance(decision, Refused):
            return False
        await wishes.create(connection, new_generation_id(), SOMEBODY, request, [plan], now)
    return True


async def test_nothing_was_spent_where_nothing_was_ordered(database: Database) -> None:
    assert await used(database) == Usage()


async def test_an_order_counts_from_its_acceptance_on_with_what_is_reserved_for_it(
    database: Database,
) -> None:
    await created(database, user_id="anna")
    for usage in (await used(database), await used(database, "anna")):
        assert (usage.today.orders, usage.today.committed, usage.in_flight) == (1, PRICE, 1)
        assert usage.month == usage.today
    assert await used(database, "bert") == Usage()
    assert await used(database, mode=LIVE) == Usage()


async def test_what_was_never_sent_costs_nothing_but_was_ordered(database: Database) -> None:
    await cancelled(database, await created(database))
    usage = await used(database)
    assert (usage.today.orders, usage.today.committed, usage.in_flight) == (1, 0, 0)


async def test_what_was_billed_counts_on(database: Database) -> None:
    job = await running(database)
    assert (await used(database)).in_flight == 1
    await ended(database, job, JobState.SUCCEEDED)
    await completed(database, job)
    usage = await used(database)
    assert (usage.today.cost, usage.in_flight) == (Cost(settled=PRICE), 0)


async def test_a_day_and_a_month_hold_what_was_accepted_in_them(database: Database) -> None:
    for day in (
        "2026-10-31",
        "2026-11-01",
        "2026-11-22",
        "2026-11-23",
        "2026-11-30",
        "2026-12-01",
        "2025-11-23",
    ):
        await spent(database, day, Cost(settled=1), tenant="tenant")
    await spent(database, "2026-11-23", Cost(settled=1000), tenant="stranger")
    await spent(database, "2026-11-23", Cost(settled=1000), tenant="tenant", mode="live")
    usage = await used(database)
    assert (usage.today.orders, usage.today.cost) == (1, Cost(settled=1))
    assert (usage.month.orders, usage.month.cost) == (4, Cost(settled=4))
    eve = await used(database, now=NOW.replace(hour=0, minute=0) - SECOND)
    assert (eve.today.orders, eve.month.orders) == (1, 4)
    assert (await used(database, now=NOW.replace(month=12, day=31))).month.orders == 1


@pytest.mark.parametrize("whose", ["tenant", "user"])
async def test_orders_are_let_in_until_the_budget_is_used_up(database: Database, whose: str) -> None:
    budget = Allowance(daily_budget=3 * PRICE)
    of = entitled("anna", budget) if whose == "user" else entitled("anna", daily_budget=3 * PRICE)
    assert [await ordered(database, of) for _ in range(5)] == [True, True, True, False, False]
    assert await ordered(database, of, NOW + DAY)
    assert await room(database, of) == 0
    assert await room(database, of, NOW + DAY) == 2 * PRICE


async def test_of_many_at_once_only_those_that_fit_are_let_in(database: Database) -> None:
    of = entitled(monthly_budget=4 * PRICE)
    async with a_second(database) as other:
        answers = await asyncio.gather(*(ordered(which, of) for _ in range(8) for which in (database, other)))
    assert answers.count(True) == 4
    assert (await used(database)).month.committed == 4 * PRICE


async def test_there_is_room_for_what_no_budget_limits(database: Database) -> None:
    await created(database)
    assert await room(database, entitled()) is None
    assert await room(database, entitled(in_flight=1)) is None
    assert await room(database, entitled(daily_budget=PRICE, monthly_budget=PRICE + 7)) == 0
    assert await room(database, entitled("anna", Allowance(daily_budget=5), daily_budget=2 * PRICE)) == 5
    assert await room(database, entitled("anna", Allowance(daily_budget=2 * PRICE), monthly_budget=1)) == 0


async def test_a_notice_is_told_with_the_take_that_caused_it(database: Database) -> None:
    generation_id = await created(database)
    of = entitled(daily_budget=PRICE * 2)
    async with database.write(generation_id) as connection:
        decision = await quotas.admit(connection, of, SANDBOX, Ask(price=PRICE), NOW)
        assert isinstance(decision, Allowed)
        generation = await catalog.load(connection, generation_id)
        after = await quotas.tell(connection, generation, decision.notices, NOW)
    (*_, notice) = await told(database, generation_id)
    assert after.last_seq == notice.seq
    assert (notice.type.value, notice.take, notice.data["used"]) == ("user.notice", 1, "1.20")
