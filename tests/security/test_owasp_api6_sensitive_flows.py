"""OWASP API6:2023, unrestricted access to sensitive business flows: orders cost money, and nobody makes them cost more.

Not by double clicks, not by programs that repeat, not by orders in bursts, and not by taking back and ordering again.
"""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.api.keyholders import somebody
from tests.api.refusals import errors_of, problem_of
from tests.security.town import Town, an_order

ORDERS = "/v1/generations"
AT_ONCE = 8


async def burst(http: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> list[httpx.Response]:
    return list(
        await asyncio.gather(*(http.post(ORDERS, json=body, headers=headers) for _ in range(AT_ONCE)))
    )


async def ordered_by(http: httpx.AsyncClient, prompt: str) -> int:
    """How many generations there are of a prompt."""
    page = (await http.get(ORDERS, params={"q": prompt, "limit": 100})).json()
    return len(page["data"])


async def test_a_click_that_is_repeated_is_one_order(town: Town) -> None:
    answers = await burst(town.ann, an_order("clicked and clicked again"))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Counter(answer.json()["duplicate_of"] is None for answer in answers) == {
        True: 1,
        False: AT_ONCE - 1,
    }
    assert await ordered_by(town.ann, "clicked and clicked again") == 1


async def test_a_program_that_repeats_a_request_orders_once(town: Town) -> None:
    body = an_order("repeated by a program", allow_duplicate=True)
    answers = await burst(town.ann, body, **{"Idempotency-Key": "the-program-s-own"})
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await ordered_by(town.ann, "repeated by a program") == 1


async def test_duplicates_that_are_wished_are_paid_for(town: Town) -> None:
    async with somebody(town.stack, tenant="thrifty") as http:
        answers = await burst(http, an_order("wished again and again", allow_duplicate=True))
        counted = Counter(answer.status_code for answer in answers)
        assert counted == {202: 3, 402: AT_ONCE - 3}
        usage = (await http.get("/v1/usage")).json()
    problem_of(next(answer for answer in answers if answer.status_code == 402), 402, "over_budget")
    assert usage["today"]["generations"] == 3


async def test_taking_back_and_ordering_again_does_not_lead_round_the_day_s_number(town: Town) -> None:
    async with somebody(town.stack, tenant="daily") as http:
        statuses = []
        for number in range(3):
            answer = await http.post(ORDERS, json=an_order(f"taken back {number}"))
            statuses.append(answer.status_code)
            if answer.status_code == 202:
                cancelled = await http.post(f"{ORDERS}/{answer.json()['id']}/cancel")
                assert cancelled.status_code == 202
                last = answer.json()["id"]
        assert statuses == [202, 202, 429]
        again = await http.post(f"{ORDERS}/{last}/regenerate", json={})
        problem_of(again, 429, "too_many_generations")
        assert int(again.headers["retry-after"]) > 0


async def test_another_take_is_not_begun_beside_one_that_is_under_way(town: Town) -> None:
    path = f"{ORDERS}/{(await town.ann.post(ORDERS, json=an_order('made again and again'))).json()['id']}"
    replies = await asyncio.gather(*(town.ann.post(f"{path}/regenerate", json={}) for _ in range(AT_ONCE)))
    assert {reply.status_code for reply in replies} == {409}
    assert (await town.ann.post(f"{path}/cancel")).status_code == 202
    replies = await asyncio.gather(*(town.ann.post(f"{path}/regenerate", json={}) for _ in range(AT_ONCE)))
    assert Counter(reply.status_code for reply in replies) == {202: 1, 409: AT_ONCE - 1}
    assert len((await town.ann.get(path)).json()["takes"]) == 2


async def test_nobody_jumps_the_queue_or_takes_a_dearer_provider_than_is_theirs(town: Town) -> None:
    async with somebody(town.stack, tenant="few") as http:
        urgent = await http.post(ORDERS, json=an_order("first of all", priority="urgent"))
        problem_of(urgent, 403, "priority_not_allowed")
        for fields in ({"provider": "runway"}, {"fallback_providers": ["runway"]}):
            refused = await http.post(ORDERS, json=an_order("elsewhere") | fields)
            document = problem_of(refused, 403, "provider_not_allowed")
            assert document["errors"][0]["allowed"][-1] == "seedance"


async def test_an_order_never_costs_more_than_it_may(town: Town) -> None:
    refused = await town.ann.post(ORDERS, json=an_order("a cheap one", max_cost_usd="0.01"))
    assert "/max_cost_usd" in errors_of(refused)
    taken = await town.ann.post(ORDERS, json=an_order("a cheap one", max_cost_usd="0.20"))
    assert float(taken.json()["cost"]["reserved_usd"]) <= 0.2


async def test_what_is_refused_is_neither_made_nor_reserved(town: Town) -> None:
    async with somebody(town.stack, tenant="broke") as http:
        answers = await burst(http, an_order("for nothing", allow_duplicate=True))
        assert {answer.status_code for answer in answers} == {402}
        usage = (await http.get("/v1/usage")).json()
        assert usage["today"]["generations"] == 0
        assert usage["today"]["cost"]["committed_usd"] == "0.00"
        assert await ordered_by(http, "for nothing") == 0
