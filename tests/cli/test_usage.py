"""`videoplanet usage`: what was ordered, what it costs, what of it was for nothing, and what is left."""

from typing import Any

from typer.testing import CliRunner, Result

from cli.main import app
from tests.cli.pretend_api import Answer, serving
from tests.cli.real import videoplanet
from tests.stack import Stack


def spent(generations: int, settled: str) -> dict[str, Any]:
    cost = {"reserved_usd": "0.10", "settled_usd": settled, "at_risk_usd": "0.00", "committed_usd": "9"}
    return {"generations": generations, "cost": cost, "resets_at": "2026-12-01T00:00:00Z"}


def told(**changes: Any) -> Result:
    answer: dict[str, Any] = {
        "mode": "live",
        "user_id": None,
        "as_of": "2026-11-24T01:02:03Z",
        "today": spent(2, "1.20"),
        "month": spent(30, "18.00"),
        "in_flight": 1,
        "limits": [],
        "by_project": [],
        "by_provider": [],
        "by_user": [],
        "wasted": {
            "total_usd": "0.60", "failed_usd": "0.10", "cancelled_usd": "0.20", "unkept_usd": "0.30"
        },
    }  # fmt: skip
    with serving() as script:
        script.on("GET", "/v1/usage", Answer(200, answer | changes))
        return CliRunner().invoke(app, ["usage"], env={"VIDEOPLANET_URL": script.url})


def test_today_and_this_month_and_what_was_for_nothing_are_told() -> None:
    result = told()
    assert result.exit_code == 0
    first, _, today, month, wasted = result.stdout.splitlines()
    assert first == "everybody's (live), 1 under way"
    assert today.split() == ["today", "2", "$1.20", "$0.10", "$0.00", "2026-12-01", "00:00:00"]
    assert month.split()[:3] == ["month", "30", "$18.00"]
    assert wasted.endswith("$0.60 (failed $0.10, cancelled $0.20, older takes $0.30)")


def test_limits_and_shares_are_told_where_there_are_any() -> None:
    budget = {
        "kind": "daily_budget", "whose": "tenant", "limit": "2.00", "used": "0.60",
        "resets_at": "2026-11-25T00:00:00Z",
    }  # fmt: skip
    under_way = {"kind": "in_flight", "whose": "user", "limit": 3, "used": 1, "resets_at": None}
    nobodys, films = [
        {"id": id_, "today": spent(0, "0"), "month": spent(7, "4.20")} for id_ in (None, "[b]films")
    ]
    said = told(limits=[budget, under_way], by_project=[films, nobodys], by_user=[nobodys]).stdout
    assert "limit: tenant's daily budget: 0.60 of 2.00, until 2026-11-25 00:00:00" in said
    assert "limit: user's in flight: 1 of 3\n" in said
    assert "[b]films" in said
    assert [line.split()[:3] for line in said.splitlines()[-2:]] == [
        ["[b]films", "7", "$4.20"],
        ["-", "7", "$4.20"],
    ]
    assert "user  " not in said, "where nothing belongs to a user, there is nothing to tell"


async def test_a_real_service_tells_it(stack: Stack) -> None:
    await stack.end_of((await stack.order())["id"])
    result = await videoplanet(stack, "usage")
    assert result.code == 0
    assert "everybody's (sandbox, no real money)" in result.output
    assert "runway" in result.output
