"""Users of one tenant: a user's key speaks for that user only, and is shown nobody else's things."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from domain.people.callers import Scope
from tests.api.keyholders import somebody
from tests.api.refusals import problem_of
from tests.line_up import a_picture
from tests.stack import Stack

LIST = "/v1/generations"
USER = (Scope.READ, Scope.GENERATE)


def body(prompt: str, **fields: Any) -> dict[str, Any]:
    return {"prompt": prompt, "provider": "runway", "params": {"duration_seconds": 2}, **fields}


@pytest.fixture(scope="module")
async def people(house: Stack) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Two users, the tenant itself, and who may speak for users."""
    async with AsyncExitStack() as open_clients:
        enter = open_clients.enter_async_context
        yield {
            "ann": await enter(somebody(house, *USER, user="ann")),
            "ben": await enter(somebody(house, *USER, user="ben")),
            "tenant": await enter(somebody(house, *USER)),
            "shop": await enter(somebody(house, *USER, Scope.ACT_AS)),
            "ann's agent": await enter(somebody(house, *USER, Scope.ACT_AS, user="ann")),
            "operator ann": await enter(somebody(house, *USER, Scope.OPERATE, user="ann")),
        }


async def ordered(http: httpx.AsyncClient, prompt: str, **fields: Any) -> dict[str, Any]:
    answer = await http.post(LIST, json=body(prompt, **fields))
    assert answer.status_code == 202, answer.text
    generation = dict(answer.json())
    await http.post(f"{LIST}/{generation['id']}/cancel")
    return generation


@pytest.mark.parametrize(
    ("who", "named", "user"),
    [
        ("ann", None, "ann"),
        ("ann", "ann", "ann"),
        ("tenant", None, None),
        ("shop", None, None),
        ("shop", "cleo", "cleo"),
        ("ann's agent", None, "ann"),
        ("ann's agent", "ben", "ben"),
    ],
)
async def test_an_order_is_for_the_user_of_its_key(
    people: dict[str, httpx.AsyncClient], who: str, named: str | None, user: str | None
) -> None:
    fields = {} if named is None else {"user_id": named}
    order = await ordered(people[who], f"for {named} by {who}", **fields)
    assert order["user_id"] == user


@pytest.mark.parametrize("who", ["ann", "tenant", "operator ann"])
async def test_nobody_orders_in_anothers_name(people: dict[str, httpx.AsyncClient], who: str) -> None:
    answer = await people[who].post(LIST, json=body("in ben's name", user_id="ben"))
    document = problem_of(answer, 403, "user_not_allowed")
    assert document["errors"][0]["pointer"] == "/user_id"


@pytest.mark.parametrize(
    ("method", "path", "json"),
    [
        ("GET", "", None),
        ("GET", "?wait=1", None),
        ("GET", "/events", None),
        ("GET", "/video", None),
        ("GET", "/poster", None),
        ("GET", "/cancel-preview", None),
        ("POST", "/cancel", {}),
        ("POST", "/regenerate", {}),
        ("POST", "/feedback", {"rating": 5}),
        ("POST", "/takes/1/keep", None),
        ("DELETE", "/takes/1/keep", None),
        ("DELETE", "", None),
    ],
)
async def test_another_users_generation_is_not_there(
    people: dict[str, httpx.AsyncClient], method: str, path: str, json: dict[str, Any] | None
) -> None:
    anns = await ordered(people["ann"], f"ann's own {method} {path}")
    answer = await people["ben"].request(method, f"{LIST}/{anns['id']}{path}", json=json)
    problem_of(answer, 404, "not_found")
    for who in ("ann", "tenant", "shop", "ann's agent", "operator ann"):
        assert (await people[who].get(f"{LIST}/{anns['id']}")).status_code == 200, who


async def test_lists_show_a_user_what_is_theirs(people: dict[str, httpx.AsyncClient]) -> None:
    anns, bens = await ordered(people["ann"], "in ann's list"), await ordered(people["ben"], "in ben's list")

    async def listed(who: str, **query: Any) -> set[str]:
        return {
            one["id"] for one in (await people[who].get(LIST, params={"limit": 100, **query})).json()["data"]
        }

    assert anns["id"] in await listed("ann")
    assert bens["id"] not in await listed("ann")
    assert await listed("ann", user_id="ben") == set()
    assert {anns["id"], bens["id"]} <= await listed("tenant")
    assert bens["id"] in await listed("shop", user_id="ben")


async def test_the_queue_shows_a_user_what_is_theirs(
    house: Stack, people: dict[str, httpx.AsyncClient]
) -> None:
    answer = await people["ann"].post(LIST, json=body("[sandbox:stuck] one of ann's in the queue"))
    anns = answer.json()
    await house.reaches(anns["id"], "generating")
    queues = {who: (await people[who].get("/v1/queue")).json() for who in ("ann", "ben", "tenant")}
    assert anns["id"] in str(queues["ann"])
    assert anns["id"] in str(queues["tenant"])
    assert anns["id"] not in str(queues["ben"])
    assert queues["ben"]["processing_count"] == 0
    await people["ann"].post(f"{LIST}/{anns['id']}/cancel")


async def test_a_user_does_not_pause_the_queue_of_all(people: dict[str, httpx.AsyncClient]) -> None:
    for what in ("pause", "resume"):
        problem_of(await people["ann"].post(f"/v1/queue/{what}"), 403, "user_not_allowed")


async def test_the_same_idempotency_key_of_two_users_is_two_orders(
    people: dict[str, httpx.AsyncClient],
) -> None:
    headers = {"Idempotency-Key": "the-same"}
    answers = [
        await people[who].post(LIST, json=body("twice"), headers=headers) for who in ("ann", "ben", "ann")
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    ids = [answer.json()["id"] for answer in answers]
    assert ids[0] == ids[2] != ids[1]
    for answer in answers[:2]:
        await people["shop"].post(f"{LIST}/{answer.json()['id']}/cancel")


async def test_a_users_picture_is_theirs(people: dict[str, httpx.AsyncClient]) -> None:
    picture = {"file": ("fox.png", a_picture())}
    ids = {}
    for who in ("ann", "ben", "tenant"):
        answer = await people[who].post("/v1/images", files=picture)
        assert answer.status_code == 201, answer.text
        ids[who] = answer.json()["id"]
    assert len(set(ids.values())) == 3
    for other in ("ben", "tenant"):
        url = f"/v1/images/{ids[other]}"
        problem_of(await people["ann"].get(url), 404, "not_found")
        problem_of(await people["ann"].get(f"{url}/file"), 404, "not_found")
        problem_of(await people["ann"].delete(url), 404, "not_found")
        asked = body("a fox", provider="seedance")
        asked["params"] = {"image_id": ids[other]}
        refused = await people["ann"].post(LIST, json=asked)
        assert refused.json()["errors"][0]["code"] == "unknown_image"
    assert (await people["tenant"].get(f"/v1/images/{ids['ann']}")).status_code == 200
    assert (await people["ann"].get(f"/v1/images/{ids['ann']}/file")).status_code == 200
