"""Who asks, what was spent, and what is left; the key of a user shows that user's numbers only."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.people.quotas import next_day, next_month
from tests.api.limited import PRICE, house, post
from tests.api.refusals import problem_of
from tests.stack import Stack

TENANTS = """
[tiers.team]
daily_budget_usd = "10.00"
highest_priority = "high"
providers = ["runway", "seedance"]

[tiers.seat]
daily_generations = 7
highest_priority = "normal"

[tenants.default]
tier = "team"
user_tier = "seat"
"""
Bearer = dict[str, str]


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A house with keys, in which anna has ordered two videos, bert one, and the tenant itself one."""
    async with house(tmp_path_factory.mktemp("usage"), TENANTS) as apis:
        stack = apis[0]
        for user, project in (("anna", "winter"), ("anna", "summer"), ("bert", "winter"), (None, None)):
            assert (await post(stack, user_id=user, project_id=project)).status_code == 202
        everything = ["read", "generate", "act_as", "operate", "admin"]
        stack.http.headers.update(await key(stack, "The tenant", everything))
        yield stack


async def key(api: Stack, name: str, scopes: list[str], user: str | None = None) -> Bearer:
    """Make a key, and return the header that shows it."""
    wish = {"name": name, "scopes": scopes, "user_id": user}
    answer = await api.http.post("/v1/keys", json=wish)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['key']}"}


async def get(api: Stack, path: str, headers: Bearer | None = None) -> dict[str, Any]:
    answer = await api.http.get(path, headers=headers)
    assert answer.status_code == httpx.codes.OK, answer.text
    return dict(answer.json())


def reserved(usd: str) -> dict[str, str]:
    return {"reserved_usd": usd, "settled_usd": "0.00", "at_risk_usd": "0.00", "committed_usd": usd}


def counts(shares: list[dict[str, Any]]) -> dict[str | None, tuple[int, str]]:
    assert all(share["today"] == share["month"] for share in shares)
    return {
        share["id"]: (share["month"]["generations"], share["month"]["cost"]["committed_usd"])
        for share in shares
    }


async def test_a_tenant_sees_what_everybody_spent_on_what(api: Stack) -> None:
    usage = await get(api, "/v1/usage")
    assert (usage["mode"], usage["user_id"], usage["in_flight"]) == ("sandbox", None, 4)
    now = datetime.now(UTC)
    for period, ends in (("today", next_day(now)), ("month", next_month(now))):
        assert (usage[period]["generations"], usage[period]["cost"]) == (4, reserved("0.96"))
        assert datetime.fromisoformat(usage[period]["resets_at"]) == ends
    assert counts(usage["by_project"]) == {"winter": (2, "0.48"), "summer": (1, PRICE), None: (1, PRICE)}
    assert counts(usage["by_provider"]) == {"runway": (4, "0.96")}
    assert counts(usage["by_user"]) == {"anna": (2, "0.48"), "bert": (1, PRICE), None: (1, PRICE)}
    (limit,) = usage["limits"]
    assert (limit["kind"], limit["whose"], limit["limit"], limit["used"]) == (
        "daily_budget", "tenant", "10.00", "0.96",
    )  # fmt: skip
    nothing = {"total_usd": "0.00", "failed_usd": "0.00", "cancelled_usd": "0.00", "unkept_usd": "0.00"}
    assert usage["wasted"] == nothing


async def test_the_key_of_a_user_sees_that_users_numbers_only(api: Stack) -> None:
    annas = await key(api, "Anna's", ["read", "generate"], "anna")
    usage = await get(api, "/v1/usage", annas)
    assert (usage["user_id"], usage["in_flight"]) == ("anna", 2)
    assert (usage["today"]["generations"], usage["month"]["cost"]) == (2, reserved("0.48"))
    assert counts(usage["by_user"]) == {"anna": (2, "0.48")}
    assert counts(usage["by_project"]) == {"winter": (1, PRICE), "summer": (1, PRICE)}
    assert [(one["whose"], one["limit"], one["used"]) for one in usage["limits"]] == [("user", 7, 2)]
    me = await get(api, "/v1/me", annas)
    assert (me["tenant_id"], me["user_id"], me["via"]) == ("default", "anna", "key")
    assert annas["Authorization"].split("_")[1] == me["key_id"]
    assert me["scopes"] == ["generate", "read"]
    assert (me["tier"], me["user_tier"], me["in_flight"]) == (None, "seat", 2)
    assert me["today"]["generations"] == 2
    assert [limit["whose"] for limit in me["limits"]] == ["user"]
    assert "bert" not in str((usage, me))


async def test_a_key_that_may_speak_for_others_sees_the_whole_tenant(api: Stack) -> None:
    shops = await key(api, "The shop's", ["read", "act_as"], "shop")
    assert (await get(api, "/v1/usage", shops))["today"]["generations"] == 4
    me = await get(api, "/v1/me", shops)
    assert (me["user_id"], me["tier"], me["user_tier"]) == ("shop", "team", "seat")
    assert {(one["whose"], one["used"]) for one in me["limits"]} == {("tenant", "0.96"), ("user", 0)}


async def test_everybody_is_told_what_they_may_ask_for(api: Stack) -> None:
    me = await get(api, "/v1/me")
    assert (me["tenant_id"], me["user_id"], me["tier"], me["user_tier"]) == ("default", None, "team", None)
    assert me["allowed"] == {"priorities": ["high", "normal", "low"], "providers": ["runway", "seedance"]}
    berts = await key(api, "Bert's", ["read"], "bert")
    assert (await get(api, "/v1/me", berts))["allowed"]["priorities"] == ["normal", "low"]


async def test_nobody_looks_without_a_key(api: Stack) -> None:
    async with httpx.AsyncClient(base_url=api.api_url, trust_env=False) as stranger:
        for path in ("/v1/usage", "/v1/me"):
            problem_of(await stranger.get(path), 401, "unauthenticated")
