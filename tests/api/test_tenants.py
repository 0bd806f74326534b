"""An API process takes and shows the generations of one tenant; of others nobody learns that they exist."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.paused import another_tenant
from tests.api.refusals import problem_of
from tests.line_up import a_picture
from tests.stack import Stack

HERS = {"Idempotency-Key": "hers"}


@pytest.fixture(scope="module")
async def stranger(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The API of somebody else, over the same database."""
    async with another_tenant(stack, "somebody-else") as http:
        yield http


READS = ["", "?wait=1", "/events", "/video", "/poster", "/workflow", "/cancel-preview"]


@pytest.mark.parametrize("path", READS)
async def test_nobody_sees_what_another_has_made(
    stack: Stack, stranger: httpx.AsyncClient, finished: dict[str, Any], path: str
) -> None:
    url = f"/v1/generations/{finished['id']}{path}"
    problem_of(await stranger.get(url), 404, "not_found")
    assert (await stack.http.get(url)).status_code != 404


async def test_nobody_follows_anothers_events(stranger: httpx.AsyncClient, finished: dict[str, Any]) -> None:
    headers = {"Accept": "text/event-stream"}
    answer = await stranger.get(f"/v1/generations/{finished['id']}/events", headers=headers)
    problem_of(answer, 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/cancel", {}),
        ("POST", "/regenerate", {}),
        ("POST", "/feedback", {"rating": 5}),
        ("POST", "/takes/1/keep", None),
        ("DELETE", "/takes/1/keep", None),
        ("DELETE", "", None),
    ],
)
async def test_nobody_changes_what_another_has_made(
    stack: Stack,
    stranger: httpx.AsyncClient,
    finished: dict[str, Any],
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    url = f"/v1/generations/{finished['id']}{path}"
    problem_of(await stranger.request(method, url, json=body), 404, "not_found")
    assert await stack.look(finished["id"]) == finished


async def test_each_sees_their_own_list(
    stack: Stack, stranger: httpx.AsyncClient, finished: dict[str, Any]
) -> None:
    theirs = await _order(stranger, "one of theirs")
    await _order(stack.http, "another of mine, so that there is a second page")
    listed = (await stranger.get("/v1/generations", params={"limit": 100})).json()["data"]
    assert [one["id"] for one in listed] == [theirs["id"]]
    mine = (await stack.http.get("/v1/generations", params={"limit": 100})).json()["data"]
    assert theirs["id"] not in {one["id"] for one in mine}
    problem_of(await stack.http.get(f"/v1/generations/{theirs['id']}"), 404, "not_found")
    cursor = (await stack.http.get("/v1/generations", params={"limit": 1})).json()["next"]
    paged = (await stranger.get("/v1/generations", params={"cursor": cursor})).json()["data"]
    assert finished["id"] not in {one["id"] for one in paged}


async def test_the_same_key_of_two_tenants_is_two_orders(stack: Stack, stranger: httpx.AsyncClient) -> None:
    body = {"prompt": "A fox", "provider": "runway", "params": {"duration_seconds": 2}}
    answers = [await http.post("/v1/generations", json=body, headers=HERS) for http in (stack.http, stranger)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert not any("Idempotency-Replayed" in answer.headers for answer in answers)
    assert answers[0].json()["id"] != answers[1].json()["id"]


async def test_a_picture_belongs_to_who_has_uploaded_it(stack: Stack, stranger: httpx.AsyncClient) -> None:
    picture = a_picture()
    ids = []
    for http in (stack.http, stranger):
        answer = await http.post("/v1/images", files={"file": ("fox.png", picture)})
        assert answer.is_success, answer.text
        ids.append(answer.json()["id"])
    assert ids[0] != ids[1]
    for http, foreign in ((stack.http, ids[1]), (stranger, ids[0])):
        problem_of(await http.get(f"/v1/images/{foreign}"), 404, "not_found")
        problem_of(await http.get(f"/v1/images/{foreign}/file"), 404, "not_found")
        problem_of(await http.delete(f"/v1/images/{foreign}"), 404, "not_found")
        body = {"prompt": "A fox", "provider": "seedance", "params": {"image_id": foreign}}
        refused = await http.post("/v1/generations", json=body)
        assert refused.json()["errors"][0]["code"] == "unknown_image"


async def _order(http: httpx.AsyncClient, prompt: str) -> dict[str, Any]:
    body = {"prompt": prompt, "provider": "runway", "params": {"duration_seconds": 2}}
    answer = await http.post("/v1/generations", json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())
