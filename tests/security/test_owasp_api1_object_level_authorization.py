"""OWASP API1:2023, broken object level authorization: an id opens nothing but to whom it belongs.

Every operation of the OpenAPI document that names something in its path is tried by a stranger with every scope, and by
another user of the same tenant; both are answered as if there were nothing.
"""

import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from domain.ids import new_generation_id
from tests.api.refusals import problem_of
from tests.security.town import Hers, Town, an_order

HOUSE_S_OWN = {"account"}
"""What a path may name that belongs to the house, not to a tenant: API5 says who may touch it."""

BODIES: dict[str, dict[str, Any]] = {
    "/v1/generations/{generation_id}/feedback": {"rating": 1},
    "/v1/generations/{generation_id}/takes/{number}/attempts/{attempt}/resolve": {"billed": False},
}
OTHERS = ["ben", "stranger"]


def named_in(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path)) - HOUSE_S_OWN


def without_request_id(answer: httpx.Response) -> dict[str, Any]:
    document = dict(answer.json())
    del document["request_id"]
    return document


@pytest.mark.parametrize("who", OTHERS)
async def test_no_operation_of_the_document_opens_anothers_things(town: Town, hers: Hers, who: str) -> None:
    other: httpx.AsyncClient = getattr(town, who)
    tried = 0
    for method, path, _ in await town.operations():
        if not named_in(path):
            continue
        body = None if method == "GET" else BODIES.get(path)
        answer = await other.request(method, hers.fill(path), json=body)
        if who == "ben" and answer.status_code == 403:
            problem_of(answer, 403, "missing_scope")  # what operators do he may not do to anything
        else:
            problem_of(answer, 404, "not_found")
        nothing = hers.fill(path).replace(hers.id, new_generation_id())
        nothing = nothing.replace(hers.image_id, f"img_{'0' * 32}").replace(hers.key_id, "0" * 16)
        unknown = await other.request(method, nothing, json=body)
        assert without_request_id(unknown) == without_request_id(answer), (method, path)
        tried += 1
    assert tried > 15
    assert (await town.ann.get(f"/v1/generations/{hers.id}")).json() == hers.generation
    assert (await town.ann.get(f"/v1/images/{hers.image_id}/file")).status_code == 200
    assert (await town.admin.get(f"/v1/keys/{hers.key_id}")).json()["state"] == "good"


@pytest.mark.parametrize("who", OTHERS)
async def test_no_list_and_no_sum_tells_of_anothers_things(town: Town, hers: Hers, who: str) -> None:
    other: httpx.AsyncClient = getattr(town, who)
    secrets = {hers.id, hers.image_id, hers.key_id, hers.generation["request"]["prompt"], '"ann"'}
    looked_at = 0
    for method, path, _ in await town.operations():
        if method != "GET" or "{" in path:
            continue
        answer = await other.get(path)
        assert not {one for one in secrets if one in answer.text}, path
        looked_at += 1
    assert looked_at > 6
    for query in ({"user_id": "ann"}, {"q": "heron"}, {"limit": "100"}):
        page = (await other.get("/v1/generations", params=query)).json()
        assert hers.id not in {one["id"] for one in page["data"]}, query
    assert hers.id in (await town.ann.get("/v1/generations", params={"q": "heron"})).text


@pytest.mark.parametrize("who", OTHERS)
async def test_anothers_cursor_leads_on_in_ones_own_list_only(town: Town, hers: Hers, who: str) -> None:
    other: httpx.AsyncClient = getattr(town, who)
    for path in ("/v1/generations", "/v1/queue"):
        await town.ann.post("/v1/generations", json=an_order(f"one more for the cursor of {who} {path}"))
        cursor = (await town.ann.get("/v1/generations", params={"limit": 1})).json()["next"]
        assert cursor, "she has more than one"
        page = await other.get(path, params={"cursor": cursor, "limit": 100})
        assert page.status_code == 200, page.text
        assert hers.id not in page.text


@pytest.mark.parametrize("who", OTHERS)
async def test_anothers_picture_is_no_first_frame(town: Town, hers: Hers, who: str) -> None:
    other: httpx.AsyncClient = getattr(town, who)
    body = an_order(f"A film from a stolen picture, by {who}", params={"image_id": hers.image_id})
    for path in ("/v1/generations", "/v1/estimates"):
        answer = await other.post(path, json=body)
        (error,) = problem_of(answer, 422, "invalid_request")["errors"]
        assert (error["pointer"], error["code"]) == ("/params/image_id", "unknown_image")


@pytest.mark.parametrize("who", OTHERS)
async def test_anothers_idempotency_key_replays_nothing(town: Town, who: str) -> None:
    other: httpx.AsyncClient = getattr(town, who)
    body, headers = an_order(f"an order that {who} repeats"), {"Idempotency-Key": f"guessed-{who}"}
    first = await town.ann.post("/v1/generations", json=body, headers=headers)
    second = await other.post("/v1/generations", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (202, 202), second.text
    assert "idempotency-replayed" not in second.headers
    assert "duplicate_of" not in second.json() or second.json()["duplicate_of"] is None
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("who", OTHERS)
async def test_nobody_makes_a_ticket_for_anothers_generation(town: Town, hers: Hers, who: str) -> None:
    other: httpx.AsyncClient = getattr(town, who)
    problem_of(await other.post("/v1/tickets", json={"generation_id": hers.id}), 404, "not_found")
    ticket = (await other.post("/v1/tickets", json={})).json()["ticket"]
    for name in ("video", "poster", "events"):
        answer = await town.nobody.get(f"/v1/generations/{hers.id}/{name}", params={"ticket": ticket})
        problem_of(answer, 404, "not_found")


async def test_a_ticket_for_one_generation_opens_no_other_one_and_nothing_else(
    town: Town, hers: Hers
) -> None:
    own = await town.ann.post("/v1/generations", json=an_order("ann's other heron"))
    made = await town.ann.post("/v1/tickets", json={"generation_id": own.json()["id"]})
    ticket = {"ticket": made.json()["ticket"]}
    opened = await town.nobody.get(f"/v1/generations/{own.json()['id']}/events", params=ticket)
    assert opened.status_code == 200
    for path in (f"/v1/generations/{hers.id}/video", f"/v1/images/{hers.image_id}/file", "/v1/generations"):
        problem_of(await town.nobody.get(path, params=ticket), 401, "invalid_key")


async def test_a_signed_link_opens_its_own_file_only(town: Town, hers: Hers) -> None:
    made = await town.ann.post("/v1/tickets", json={"generation_id": hers.id})
    link = httpx.URL(made.json()["links"]["files"][0]["video"])
    assert (await town.nobody.get(link)).status_code == 200
    query = dict(link.params)
    later, his_key = str(int(query["expires"]) + 999), town.keys["ben"].split("_")[1]
    for change in ({"take": "2"}, {"expires": later}, {"by": his_key}, {"signature": "0" * 64}):
        answer = await town.nobody.get(f"{link.path}?{urlencode(query | change)}")
        problem_of(answer, 401, "invalid_key")
    for path in (f"/v1/generations/{hers.id}/poster", f"/v1/generations/{new_generation_id()}/video"):
        problem_of(await town.nobody.get(f"{path}?{urlencode(query)}"), 401, "invalid_key")


async def test_the_same_prompt_of_another_user_is_no_duplicate_of_hers(town: Town) -> None:
    body = an_order("a prompt that two people have at once")
    first = (await town.ann.post("/v1/generations", json=body)).json()
    for other in (town.ben, town.stranger):
        answer = await other.post("/v1/generations", json=body)
        assert answer.json()["id"] != first["id"]
        assert first["id"] not in answer.text
