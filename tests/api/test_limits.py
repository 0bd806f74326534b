"""What a tenant or a user may not order is refused, with the limit, what is used of it, and when it begins anew."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from storage import catalog
from storage.database import Database
from tests.api.limited import PRICE, house, post
from tests.api.paused import another_tenant
from tests.api.refusals import problem_of
from tests.stack import Stack

TENANTS = """
[tiers.two-a-day]
daily_generations = 2

[tiers.for-two]
daily_budget_usd = "0.50"

[tiers.for-two-a-month]
monthly_budget_usd = "0.50"

[tiers.for-none]
daily_budget_usd = "0.10"

[tiers.two-at-once]
in_flight = 2

[tiers.slow]
highest_priority = "normal"

[tiers.slowest]
highest_priority = "low"

[tiers.elsewhere]
providers = ["seedance", "stable-video"]

[tiers.for-ten]
daily_budget_usd = "2.40"
daily_generations = 5

[tenants.default.users]
anna = "two-a-day"
bert = "for-two"
cleo = "for-two-a-month"
dora = "for-none"
emil = "two-at-once"
fred = "slow"
gina = "slowest"
hugo = "elsewhere"
ines = "for-ten"
john = "for-two"
kate = "two-a-day"
liam = "two-at-once"
mary = "for-two"
nora = "slow"
omar = "elsewhere"

[tenants.poor]
daily_budget_usd = "0.30"
"""


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A house where each user may do something else."""
    async with house(tmp_path_factory.mktemp("limits"), TENANTS) as apis:
        yield apis[0]


async def accepted(api: Stack, **fields: Any) -> dict[str, Any]:
    answer = await post(api, **fields)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def cancel(api: Stack, generation_id: str) -> None:
    assert (await api.http.post(f"/v1/generations/{generation_id}/cancel")).status_code == 202


async def regenerate(api: Stack, generation_id: str, **change: Any) -> httpx.Response:
    return await api.http.post(f"/v1/generations/{generation_id}/regenerate", json=change)


async def route_of(api: Stack, generation_id: str) -> set[str]:
    """The providers that may serve a generation, as it is written down."""
    async with Database(api.database_url) as database, database.read() as connection:
        generation = await catalog.load(connection, generation_id)
    return {plan.provider for plan in generation.current.route}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def assert_waits_until(answer: httpx.Response, resets_at: datetime) -> None:
    seconds = (resets_at - datetime.now(UTC)).total_seconds()
    assert abs(int(answer.headers["retry-after"]) - seconds) < 30


async def test_who_may_order_two_videos_a_day_is_refused_the_third(api: Stack) -> None:
    for _ in range(2):
        await cancel(api, (await accepted(api, user_id="anna"))["id"])
    answer = await post(api, user_id="anna")
    problem = problem_of(answer, 429, "too_many_generations")
    assert (problem["quota"], problem["whose"]) == ("daily_generations", "user")
    assert (problem["limit"], problem["used"]) == (2, 2)
    resets_at = moment(problem["resets_at"])
    assert timedelta() < resets_at - datetime.now(UTC) <= timedelta(days=1)
    assert (resets_at.hour, resets_at.minute, resets_at.second) == (0, 0, 0)
    assert_waits_until(answer, resets_at)
    await accepted(api, user_id="somebody-else")
    await accepted(api)


@pytest.mark.parametrize(("user", "quota"), [("bert", "daily_budget"), ("cleo", "monthly_budget")])
async def test_a_budget_for_two_videos_takes_two(api: Stack, user: str, quota: str) -> None:
    first = await accepted(api, user_id=user)
    await accepted(api, user_id=user)
    answer = await post(api, user_id=user)
    problem = problem_of(answer, 402, "over_budget")
    assert (problem["quota"], problem["limit"], problem["used"]) == (quota, "0.50", "0.48")
    assert "$0.02 left" in problem["detail"]
    assert f"costs ${PRICE}" in problem["detail"]
    assert_waits_until(answer, moment(problem["resets_at"]))
    await cancel(api, first["id"])  # before it was sent: nothing is owed for it
    await accepted(api, user_id=user)
    problem_of(await post(api, user_id=user), 402, "over_budget")


async def test_a_video_that_costs_more_than_the_whole_budget_is_not_put_off(api: Stack) -> None:
    answer = await post(api, user_id="dora")
    assert "choose a cheaper one" in problem_of(answer, 402, "over_budget")["detail"]
    assert "retry-after" not in answer.headers


async def test_a_refused_order_leaves_nothing_behind(api: Stack) -> None:
    problem_of(await post(api, user_id="dora"), 402, "over_budget")
    listed = (await api.http.get("/v1/generations", params={"user_id": "dora"})).json()["data"]
    assert listed == []


async def test_two_generations_at_once_leave_no_place_for_a_third_until_one_is_over(api: Stack) -> None:
    first = await accepted(api, user_id="emil")
    await accepted(api, user_id="emil")
    answer = await post(api, user_id="emil")
    problem = problem_of(answer, 429, "too_many_in_flight")
    assert (problem["quota"], problem["limit"], problem["used"]) == ("in_flight", 2, 2)
    assert "resets_at" not in problem
    assert 0 < int(answer.headers["retry-after"]) < 120
    await cancel(api, first["id"])
    await accepted(api, user_id="emil")


async def test_a_priority_above_the_highest_is_refused_with_those_that_are_allowed(api: Stack) -> None:
    problem = problem_of(await post(api, user_id="fred", priority="high"), 403, "priority_not_allowed")
    (error,) = problem["errors"]
    assert (error["pointer"], error["allowed"]) == ("/priority", ["normal", "low"])
    assert (await accepted(api, user_id="fred", priority="low"))["request"]["priority"] == "low"
    assert (await accepted(api, user_id="fred"))["request"]["priority"] == "normal"


async def test_who_mentions_no_priority_gets_the_highest_that_is_allowed(api: Stack) -> None:
    problem_of(await post(api, user_id="gina", priority="normal"), 403, "priority_not_allowed")
    assert (await accepted(api, user_id="gina"))["request"]["priority"] == "low"


async def test_a_provider_that_may_not_be_used_is_refused_with_those_that_may(api: Stack) -> None:
    problem = problem_of(await post(api, user_id="hugo"), 403, "provider_not_allowed")
    (error,) = problem["errors"]
    assert error["pointer"] == "/provider"
    assert error["allowed"] == ["auto", "seedance", "stable-video"]
    answer = await post(api, user_id="hugo", provider="auto", fallback_providers=["seedance", "runway"])
    (error,) = problem_of(answer, 403, "provider_not_allowed")["errors"]
    assert (error["pointer"], error["allowed"]) == ("/fallback_providers/1", ["seedance", "stable-video"])


async def test_auto_and_its_fallbacks_choose_among_allowed_providers_only(api: Stack) -> None:
    wish: dict[str, Any] = {
        "provider": "auto",
        "fallback_providers": "auto",
        "params": {"duration_seconds": 5},
    }
    mine = await accepted(api, user_id="hugo", **wish)
    assert mine["provider"] == "seedance"
    assert await route_of(api, mine["id"]) == {"seedance"}
    assert "runway" in await route_of(api, (await accepted(api, user_id="somebody-else", **wish))["id"])


async def test_the_order_that_crosses_four_fifths_is_told_so_in_its_log(api: Stack) -> None:
    notices = []
    for _ in range(5):
        ordered = await accepted(api, user_id="ines")
        events = await api.events(ordered["id"])
        assert ordered["last_seq"] == len(events)
        notices.append([event for event in events if event["type"] == "user.notice"])
    assert [len(told) for told in notices] == [0, 0, 0, 1, 0]
    assert notices[3][0]["data"] == {
        "kind": "daily_generations",
        "whose": "user",
        "limit": 5,
        "used": 4,
        "resets_at": notices[3][0]["data"]["resets_at"],
    }
    assert "4 of 5" in notices[3][0]["message"]


async def test_a_regenerate_is_an_order_like_any_other(api: Stack) -> None:
    first = await accepted(api, user_id="john")
    await accepted(api, user_id="john")
    await cancel(api, first["id"])
    again = await regenerate(api, first["id"])
    assert again.status_code == 202, again.text
    assert again.json()["last_seq"] == len(await api.events(first["id"]))
    assert "user.notice" in {event["type"] for event in await api.events(first["id"])}
    await cancel(api, first["id"])
    await accepted(api, user_id="john")
    problem = problem_of(await regenerate(api, first["id"]), 402, "over_budget")
    assert problem["used"] == "0.48"
    assert len((await api.look(first["id"]))["takes"]) == 2


async def test_regenerated_takes_count_among_those_of_the_day(api: Stack) -> None:
    first = await accepted(api, user_id="kate")
    await cancel(api, first["id"])
    assert (await regenerate(api, first["id"])).status_code == 202
    await cancel(api, first["id"])
    problem_of(await regenerate(api, first["id"]), 429, "too_many_generations")


async def test_a_running_take_is_replaced_though_as_many_as_may_be_are_under_way(api: Stack) -> None:
    first = await accepted(api, user_id="liam")
    await accepted(api, user_id="liam")
    problem_of(await regenerate(api, first["id"]), 409, "still_running")
    replaced = await regenerate(api, first["id"], if_running="replace")
    assert replaced.status_code == 202, replaced.text
    await cancel(api, first["id"])
    await accepted(api, user_id="liam")
    problem_of(await regenerate(api, first["id"]), 429, "too_many_in_flight")


async def test_the_next_take_may_not_go_to_a_provider_that_may_not_be_used(api: Stack) -> None:
    first = await accepted(api, user_id="omar", provider="seedance", params={"duration_seconds": 5})
    await cancel(api, first["id"])
    problem_of(await regenerate(api, first["id"], provider="runway"), 403, "provider_not_allowed")
    assert (await regenerate(api, first["id"])).json()["provider"] == "seedance"


async def test_a_repeated_key_is_answered_though_the_budget_is_used_up_by_now(api: Stack) -> None:
    body = {"prompt": "A fox", "provider": "runway", "params": {"duration_seconds": 2}, "user_id": "mary"}
    headers = {"Idempotency-Key": "mary-1"}
    first = await api.http.post("/v1/generations", json=body, headers=headers)
    await accepted(api, user_id="mary")
    problem_of(await post(api, user_id="mary"), 402, "over_budget")
    assert (await api.http.post("/v1/generations", json=body, headers=headers)).json() == first.json()


async def test_a_tenants_limit_holds_for_all_its_users_together(api: Stack) -> None:
    body = {"prompt": "A fox", "provider": "runway", "params": {"duration_seconds": 2}}
    async with another_tenant(api, "poor") as poor:
        assert (await poor.post("/v1/generations", json=body | {"user_id": "anna"})).status_code == 202
        for whose in ({"user_id": "bert"}, {}):
            problem = problem_of(await poor.post("/v1/generations", json=body | whose), 402, "over_budget")
            assert (problem["whose"], problem["limit"], problem["used"]) == ("tenant", "0.30", PRICE)


async def test_refusals_are_documented(api: Stack) -> None:
    paths = (await api.http.get("/openapi.json")).json()["paths"]
    for path in ("/v1/generations", "/v1/generations/{generation_id}/regenerate"):
        assert {"402", "403", "429"} <= set(paths[path]["post"]["responses"])
