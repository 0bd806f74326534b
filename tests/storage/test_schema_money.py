"""The fourth revision opens the books: what every attempt stands for is in them, so that they begin without a drift."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import insert, select

from domain.generation import Cost
from domain.status import Stage, Status
from storage import schema
from storage.database import Database
from storage.money.drift import drift
from storage.tables import ledger, spending
from tests.factories import NOW, a_plan, a_request
from tests.storage.steps import answered, shown
from tests.storage.test_schema_gates import tables_of

PRICE = a_plan().price
MONEY: dict[str, tuple[Status, Cost | None]] = {
    "waiting": (Status.PENDING, None),
    "queued": (Status.PROCESSING, Cost(reserved=PRICE)),
    "paid": (Status.COMPLETED, Cost(settled=PRICE - 1)),
    "lost": (Status.FAILED, Cost(at_risk=PRICE)),
    "free": (Status.CANCELLED, Cost()),
    "never": (Status.CANCELLED, None),
}


async def fill_the_third_revision(database: Database) -> None:
    tables = (await tables_of(database)).tables
    plan = a_plan().model_dump(mode="json")
    async with database.write() as connection:
        for name, (status, cost) in MONEY.items():
            generation = {
                "id": f"gen_{name}", "mode": "sandbox", "tenant_id": "tenant", "status": status,
                "stage": Stage.ACCEPTED, "provider": "runway", "prompt": "A fox", "current_take": 1,
                "user_id": "ann" if name == "paid" else None, "metadata": {}, "created_at": NOW, "updated_at": NOW,
            }  # fmt: skip
            await connection.execute(insert(tables["generations"]).values(**generation))
            take = {
                "generation_id": f"gen_{name}", "number": 1, "status": status, "plan": plan, "route": [plan],
                "request": a_request().model_dump(mode="json", exclude_none=True), "created_at": NOW,
            }  # fmt: skip
            await connection.execute(insert(tables["takes"]).values(**take))
            if cost is not None:
                await connection.execute(insert(tables["attempts"]).values(**_attempt(name, plan, cost)))


def _attempt(name: str, plan: dict[str, Any], cost: Cost) -> dict[str, Any]:
    return {
        "ref": f"gen_{name}.1.1", "generation_id": f"gen_{name}", "take": 1, "number": 1, "provider": "runway",
        "account": "runway", "model": "gen4.5", "plan": plan, "state": "queued", "reserved_micros": cost.reserved,
        "settled_micros": cost.settled, "at_risk_micros": cost.at_risk, "started_at": NOW,
    }  # fmt: skip


@pytest.fixture
async def carried(empty_url: str) -> AsyncIterator[Database]:
    async with Database(empty_url) as database:
        await schema.upgrade(database, "0003")
        await fill_the_third_revision(database)
        await schema.upgrade(database)
        yield database


async def test_the_books_begin_without_a_drift(carried: Database) -> None:
    async with carried.read() as connection:
        assert not await drift(connection)
        rows = (await connection.execute(select(spending))).all()
        entries = (await connection.execute(select(ledger))).all()
    sums = {
        row.user_id: (row.orders, row.reserved_micros, row.settled_micros, row.at_risk_micros) for row in rows
    }
    assert sums == {"": (5, 2 * PRICE, 0, PRICE), "ann": (1, 0, PRICE - 1, 0)}
    assert {row.day for row in rows} == {NOW.date().isoformat()}
    assert [(one.kind, one.amount_micros) for one in entries if one.ref == "gen_lost.1.1"] == [
        ("reserve", PRICE),
        ("at_risk", PRICE),
    ]


async def test_an_order_that_waits_for_its_first_attempt_has_its_reserve_and_goes_on(
    carried: Database,
) -> None:
    assert (await shown(carried, "gen_waiting")).cost == Cost(reserved=PRICE)
    assert (await answered(carried, "gen_waiting")).order is not None
    assert (await shown(carried, "gen_waiting")).cost == Cost(reserved=PRICE)
    async with carried.read() as connection:
        assert not await drift(connection)


async def test_who_goes_back_finds_the_third_revision_again(carried: Database) -> None:
    await schema.downgrade(carried, "0003")
    tables = await tables_of(carried)
    assert {"ledger", "spending", "api_keys", "passes", "audit"}.isdisjoint(tables.tables)
    assert "reserved_micros" not in tables.tables["takes"].columns
