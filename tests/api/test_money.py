"""Money over HTTP: what is at risk can be resolved by an operator, each change is told, and the metrics agree."""

from typing import Any

import httpx
import pytest

from tests.api.refusals import errors_of, problem_of
from tests.stack import Stack


@pytest.fixture
async def at_risk(stack: Stack) -> dict[str, Any]:
    """A generation of whose order nobody knows what became of it: Runway cannot be asked."""
    await stack.fault("create", "drop_reply")
    return await stack.end_of((await stack.order("an order whose answer is lost"))["id"])


def path_of(generation: dict[str, Any], attempt: int = 1) -> str:
    return f"/v1/generations/{generation['id']}/takes/1/attempts/{attempt}/resolve"


async def test_what_is_at_risk_is_settled_or_given_back_by_an_operator(
    stack: Stack, at_risk: dict[str, Any]
) -> None:
    price = at_risk["cost"]["at_risk_usd"]
    assert (at_risk["error"]["category"], price != "0.00") == ("submission_unknown", True)
    answer = await stack.http.post(path_of(at_risk), json={"billed": True})
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.json()["cost"] == {"reserved_usd": "0.00", "settled_usd": price, "at_risk_usd": "0.00"}
    told = [one for one in await stack.events(at_risk["id"]) if one["type"] == "cost.changed"]
    assert [one["kind"] for one in told[-1]["data"]["entry"]] == ["resolve", "settle"]
    problem_of(await stack.http.post(path_of(at_risk), json={"billed": False}), 409, "nothing_at_risk")


async def test_what_was_not_billed_costs_nothing(stack: Stack, at_risk: dict[str, Any]) -> None:
    answer = await stack.http.post(path_of(at_risk), json={"billed": False})
    nothing = {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": "0.00"}
    assert answer.json()["cost"] == nothing


async def test_a_bill_may_be_another_one(stack: Stack, at_risk: dict[str, Any]) -> None:
    answer = await stack.http.post(path_of(at_risk), json={"billed": True, "amount_usd": "0.123456"})
    assert answer.json()["cost"]["settled_usd"] == "0.123456"


async def test_only_what_is_there_is_resolved(stack: Stack, at_risk: dict[str, Any]) -> None:
    problem_of(await stack.http.post(path_of(at_risk, 2), json={"billed": True}), 404, "not_found")
    wrong = await stack.http.post(path_of(at_risk), json={"billed": False, "amount_usd": "1"})
    assert list(errors_of(wrong)) == [""]
    assert list(errors_of(await stack.http.post(path_of(at_risk), json={}))) == ["/billed"]


async def test_an_attempt_that_goes_on_is_not_resolved(stack: Stack) -> None:
    running = await stack.order("[sandbox:stuck] one that stays")
    await stack.reaches(running["id"], "generating")
    problem_of(await stack.http.post(path_of(running), json={"billed": True}), 409, "still_looking")
    await stack.http.post(f"/v1/generations/{running['id']}/cancel")
    await stack.end_of(running["id"])


async def test_the_metrics_say_that_the_books_agree(stack: Stack, at_risk: dict[str, Any]) -> None:
    answer = await stack.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert float(lines["videoplanet_ledger_drift_usd"]) == 0
    owed = float(lines['videoplanet_money_usd{kind="at_risk",provider="runway"}'])
    assert owed >= float(at_risk["cost"]["at_risk_usd"])


async def test_the_story_of_the_money_is_told(stack: Stack) -> None:
    done = await stack.end_of((await stack.order("one that is paid"))["id"])
    told = [one for one in await stack.events(done["id"]) if one["type"] == "cost.changed"]
    assert told[-1]["data"] | done["cost"] == told[-1]["data"]
    assert told[-1]["data"]["entry"][-1]["kind"] in {"settle", "refund"}
