"""A deleted generation is gone for everybody at once: on every route, in every list, for every key."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.changes import again, cancel
from tests.api.refusals import errors_of, problem_of
from tests.api.streams import EVENT_STREAM, frames
from tests.stack import Stack

ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "", None),
    ("GET", "?wait=5", None),
    ("GET", "/events", None),
    ("GET", "/video", None),
    ("GET", "/video?take=1", None),
    ("GET", "/poster", None),
    ("GET", "/workflow", None),
    ("POST", "/cancel", {}),
    ("POST", "/regenerate", {}),
    ("POST", "/regenerate", {"if_running": "replace"}),
    ("POST", "/feedback", {"rating": 3}),
    ("POST", "/takes/1/keep", None),
    ("DELETE", "/takes/1/keep", None),
    ("DELETE", "", None),
]


async def delete(stack: Stack, generation_id: str) -> httpx.Response:
    return await stack.http.delete(f"/v1/generations/{generation_id}")


@pytest.fixture(scope="session")
async def gone(stack: Stack) -> str:
    """The id of a generation that had a video and was deleted."""
    done = await stack.end_of((await stack.order("A wolverine that is deleted", project_id="gone"))["id"])
    assert done["status"] == "completed", done["error"]
    answer = await delete(stack, done["id"])
    assert (answer.status_code, answer.content) == (204, b"")
    return str(done["id"])


@pytest.mark.parametrize(("method", "route", "body"), ROUTES)
async def test_it_is_404_on_every_route(
    stack: Stack, gone: str, method: str, route: str, body: dict[str, Any] | None
) -> None:
    answer = await stack.http.request(method, f"/v1/generations/{gone}{route}", json=body)
    problem_of(answer, 404, "not_found")


async def test_a_stream_of_it_cannot_be_opened(stack: Stack, gone: str) -> None:
    for headers in (EVENT_STREAM, EVENT_STREAM | {"Last-Event-ID": "1"}):
        answer = await stack.http.get(f"/v1/generations/{gone}/events", headers=headers)
        problem_of(answer, 404, "not_found")


@pytest.mark.parametrize(
    "query", [{"q": "wolverine"}, {"q": "erased"}, {"project_id": "gone"}, {"status": "completed"}, {}]
)
async def test_it_is_in_no_list(stack: Stack, gone: str, query: dict[str, str]) -> None:
    answer = await stack.http.get("/v1/generations", params=query | {"limit": "100"})
    assert answer.status_code == 200
    assert gone not in answer.text
    assert "erased" not in answer.text


async def test_it_is_on_no_page_between_others(api: Stack) -> None:
    project = f"pages-{uuid4()}"
    ids = [(await api.order(project_id=project))["id"] for _ in range(5)]
    for hidden in ids[1::2]:
        await cancel(api, {"id": hidden})
        assert (await delete(api, hidden)).status_code == 204
    found: list[str] = []
    query: dict[str, Any] = {"project_id": project, "limit": 1}
    while True:
        page = (await api.http.get("/v1/generations", params=query)).json()
        found += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        query["cursor"] = page["next"]
    assert found == ids[::-2]


async def test_what_is_not_over_is_not_deleted(api: Stack, standing: dict[str, Any]) -> None:
    problem_of(await delete(api, standing["id"]), 409, "still_running")
    assert await api.look(standing["id"]) == standing


async def test_what_is_made_again_is_not_deleted_before_it_is_over(
    api: Stack, cancelled: dict[str, Any]
) -> None:
    await again(api, cancelled)
    problem_of(await delete(api, cancelled["id"]), 409, "still_running")
    await cancel(api, cancelled)
    assert (await delete(api, cancelled["id"])).status_code == 204


async def test_of_many_deletes_at_once_one_deletes(api: Stack, cancelled: dict[str, Any]) -> None:
    answers = await asyncio.gather(*(delete(api, cancelled["id"]) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [204] + 5 * [404]


async def test_a_repeated_order_is_answered_410_and_makes_nothing_new(api: Stack) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    order = {"prompt": "A fox", "project_id": f"once-{uuid4()}"}
    ordered = (await api.http.post("/v1/generations", json=order, headers=headers)).json()
    path = f"/v1/generations/{ordered['id']}"
    await api.http.post(f"{path}/cancel", headers=headers)
    assert (await delete(api, ordered["id"])).status_code == 204
    for _ in range(2):
        answer = await api.http.post("/v1/generations", json=order, headers=headers)
        problem_of(answer, 410, "deleted")
        problem_of(await api.http.post(f"{path}/cancel", headers=headers), 410, "deleted")
    other = await api.http.post("/v1/generations", json=order | {"prompt": "A hare"}, headers=headers)
    assert errors_of(other, code="idempotency_key_reused")
    listed = await api.http.get("/v1/generations", params={"project_id": order["project_id"]})
    assert listed.json()["data"] == []


async def test_an_open_stream_is_told_and_ends(api: Stack) -> None:
    """A stream ends with the cancel already where it looks between the two, so it may take a few tries."""

    async def last_told() -> str:
        ordered = await api.order("A secret fox")
        path = f"/v1/generations/{ordered['id']}"
        told: list[dict[str, Any]] = []
        async with (
            asyncio.timeout(20),
            api.http.stream("GET", f"{path}/events", headers=EVENT_STREAM) as answer,
        ):
            async for event in frames(answer):
                told.append(event)
                if event["type"] == "generation.accepted":
                    await api.http.post(f"{path}/cancel")
                    await api.http.delete(path)
        if told[-1]["type"] == "generation.deleted":
            assert [event["type"] for event in told] == ["generation.accepted", "generation.deleted"]
            assert "secret" not in str(told[-1])
        return str(told[-1]["type"])

    for _ in range(10):
        ended = await last_told()
        if ended == "generation.deleted":
            return
        assert ended == "generation.cancelled"
    pytest.fail("no stream was told of the end")


async def test_who_waits_for_news_is_told_that_it_is_gone(api: Stack, cancelled: dict[str, Any]) -> None:
    path = f"/v1/generations/{cancelled['id']}"
    waiting = asyncio.create_task(api.http.get(path, params={"wait": 30, "after": cancelled["last_seq"]}))
    async with asyncio.timeout(15):
        await asyncio.gather(delete(api, cancelled["id"]), waiting)
    problem_of(await waiting, 404, "not_found")
