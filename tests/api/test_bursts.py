"""Many orders at once, over two API processes: limits hold to the last one, and the same wish is one generation."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.limited import house, post
from tests.api.refusals import problem_of
from tests.postgres import PostgresServer
from tests.stack import Stack

FOR_TEN = '[default]\ndaily_budget_usd = "2.40"\n'


@pytest.fixture
async def _fresh_postgresql(postgres: PostgresServer) -> str:
    return await postgres.fresh()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """A new database of each kind in turn."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("_fresh_postgresql")
    return url


async def burst(apis: list[Stack], number: int, **fields: Any) -> list[httpx.Response]:
    """Order so often at once, in turn at each API process."""
    orders = (post(apis[n % len(apis)], **{"prompt": f"Fox {n}"} | fields) for n in range(number))
    return await asyncio.gather(*orders)


async def listed(stack: Stack) -> list[dict[str, Any]]:
    answer = await stack.http.get("/v1/generations", params={"limit": 100})
    return list(answer.json()["data"])


async def test_of_fifty_orders_against_a_budget_for_ten_just_ten_are_accepted(
    tmp_path: Path, database_url: str | None
) -> None:
    async with house(tmp_path, FOR_TEN, apis=2, database_url=database_url) as apis:
        answers = await burst(apis, 50)
        assert Counter(answer.status_code for answer in answers) == {202: 10, 402: 40}
        accepted = {answer.json()["id"] for answer in answers if answer.status_code == 202}
        assert {generation["id"] for generation in await listed(apis[0])} == accepted
        for answer in answers:
            if answer.status_code == 402:
                problem = problem_of(answer, 402, "over_budget")
                assert (problem["limit"], problem["used"]) == ("2.40", "2.40")
        usage = (await apis[1].http.get("/v1/usage")).json()
        assert usage["today"]["generations"] == 10
        assert usage["today"]["cost"] == {
            "reserved_usd": "2.40",
            "settled_usd": "0.00",
            "at_risk_usd": "0.00",
            "committed_usd": "2.40",
        }


async def test_a_burst_overruns_neither_the_day_nor_what_may_be_under_way(
    tmp_path: Path, database_url: str | None
) -> None:
    limits = (
        "[default]\ndaily_generations = 12\n[tiers.seat]\nin_flight = 5\n[tenants.default]\n"
        'daily_generations = 12\nuser_tier = "seat"\n'
    )
    async with house(tmp_path, limits, apis=2, database_url=database_url) as apis:
        answers = [
            answer
            for user in (
                await asyncio.gather(*(burst(apis, 10, user_id=name) for name in ("anna", "bert", "cleo")))
            )
            for answer in user
        ]
        assert Counter(answer.status_code for answer in answers) == {202: 12, 429: 18}
        of_users = Counter(generation["user_id"] for generation in await listed(apis[0]))
        assert sum(of_users.values()) == 12
        assert max(of_users.values()) <= 5


async def test_the_same_wish_at_both_doors_at_once_is_one_generation(
    tmp_path: Path, database_url: str | None
) -> None:
    async with house(
        tmp_path, apis=2, database_url=database_url, VIDEOPLANET_DUPLICATE_SECONDS="600"
    ) as apis:
        answers = await burst(apis, 20, prompt="One fox")
        assert {answer.status_code for answer in answers} == {202}
        (only,) = await listed(apis[0])
        assert {answer.json()["id"] for answer in answers} == {only["id"]}
        assert Counter(answer.json()["duplicate_of"] for answer in answers) == {None: 1, only["id"]: 19}
        types = [event["type"] for event in await apis[0].events(only["id"])]
        assert types.count("generation.accepted") == 1
