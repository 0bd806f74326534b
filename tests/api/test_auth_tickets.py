"""Tickets and signed links: what a browser is given to watch, and what it cannot do with it."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.door import links
from domain.people.callers import Scope
from runtime.secret import seal_of
from tests.api.keyholders import client, new_key, settings_of, somebody
from tests.api.refusals import problem_of
from tests.eventually import eventually
from tests.stack import Stack

LIST = "/v1/generations"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
async def anybody(house: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A browser with nothing but what it is given."""
    async with client(house) as http:
        yield http


@pytest.fixture
async def ticket(house: Stack, made: dict[str, Any]) -> dict[str, Any]:
    """A ticket for one generation."""
    answer = await house.http.post("/v1/tickets", json={"generation_id": made["id"]})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


async def test_the_links_of_a_ticket_open_as_they_are(
    anybody: httpx.AsyncClient, ticket: dict[str, Any]
) -> None:
    assert (
        "event: generation.completed" in (await anybody.get(ticket["links"]["events"], headers=STREAM)).text
    )
    (files,) = ticket["links"]["files"]
    assert files["take"] == 1
    video = await anybody.get(files["video"], headers={"Range": "bytes=4-7"})
    assert (video.status_code, video.content) == (206, b"ftyp")
    assert (await anybody.head(files["video"])).status_code == 200
    assert (await anybody.get(files["poster"])).content[:2] == b"\xff\xd8"


async def test_no_link_holds_a_key(house: Stack, ticket: dict[str, Any]) -> None:
    secret = house.http.headers["Authorization"].split("_")[-1]
    assert secret not in str(ticket)
    assert "vp_" not in str(ticket)


async def test_a_ticket_opens_streams_and_files_and_nothing_else(
    anybody: httpx.AsyncClient, made: dict[str, Any], ticket: dict[str, Any]
) -> None:
    shown = {"ticket": ticket["ticket"]}
    url = f"{LIST}/{made['id']}"
    for path in ("/events", "/video", "/poster"):
        assert (await anybody.get(url + path, params=shown)).status_code == 200, path
    for path in (LIST, url, f"{url}/workflow", f"{url}/cancel-preview", "/v1/me", "/v1/keys", "/v1/queue"):
        problem_of(await anybody.get(path, params=shown), 401, "invalid_key")
    for path in (f"{url}/cancel", f"{url}/regenerate", f"{url}/takes/1/keep", "/v1/tickets", "/v1/keys"):
        problem_of(await anybody.post(path, params=shown), 401, "unauthenticated")
    problem_of(await anybody.delete(url, params=shown), 401, "unauthenticated")


async def test_a_ticket_for_one_generation_opens_no_other(
    house: Stack, anybody: httpx.AsyncClient, ticket: dict[str, Any]
) -> None:
    other = await house.order("[sandbox:stuck] another")
    await house.http.post(f"{LIST}/{other['id']}/cancel")
    url = f"{LIST}/{other['id']}/events"
    problem_of(await anybody.get(url, params={"ticket": ticket["ticket"]}), 401, "invalid_key")
    everything = (await house.http.post("/v1/tickets")).json()
    assert (everything["generation_id"], everything["links"]) == (None, None)
    assert (await anybody.get(url, params={"ticket": everything["ticket"]})).status_code == 200


async def test_a_ticket_for_all_opens_what_its_caller_sees_and_no_more(
    house: Stack, anybody: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    url = f"{LIST}/{made['id']}/video"
    for who in ({"tenant": "somebody-else"}, {"user": "ann"}):
        async with somebody(house, Scope.READ, **who) as http:
            other = (await http.post("/v1/tickets")).json()["ticket"]
        problem_of(await anybody.get(url, params={"ticket": other}), 404, "not_found")


async def test_a_ticket_and_its_links_are_over_when_they_say(
    house: Stack, anybody: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    for seconds in (0, 9, 3601, 1e9):
        answer = await house.http.post("/v1/tickets", json={"expires_in_seconds": seconds})
        assert problem_of(answer, 422, "invalid_request")["errors"][0]["pointer"] == "/expires_in_seconds"
    body = {"generation_id": made["id"], "expires_in_seconds": 10}
    short = (await house.http.post("/v1/tickets", json=body)).json()
    (files,) = short["links"]["files"]
    addresses = [files["video"], f"{LIST}/{made['id']}/events?ticket={short['ticket']}"]
    for address in addresses:
        assert (await anybody.get(address)).status_code == 200

        async def over(address: str = address) -> bool:
            return (await anybody.get(address)).status_code == 401

        await eventually(over, within=14, what="it is over")


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("/video", "/poster"),
        ("take=1", "take=2"),
        ("take=1&", ""),
        ("expires=", "expires=9"),
        ("by=", "by=0"),
        ("signature=", "signature=0"),
        ("signature=", "nothing="),
    ],
)
async def test_a_link_that_was_changed_opens_nothing(
    anybody: httpx.AsyncClient, ticket: dict[str, Any], change: str, to: str
) -> None:
    link = ticket["links"]["files"][0]["video"]
    assert change in link
    answer = await anybody.get(link.replace(change, to, 1))
    assert answer.status_code == 401
    assert answer.json()["code"] in {"invalid_key", "unauthenticated"}


async def test_a_link_is_for_its_file_only(
    house: Stack, anybody: httpx.AsyncClient, made: dict[str, Any], ticket: dict[str, Any]
) -> None:
    query = ticket["links"]["files"][0]["video"].partition("?")[2]
    for path in ("", "/events", "/workflow"):
        answer = await anybody.get(f"{LIST}/{made['id']}{path}?{query}")
        problem_of(answer, 401, "invalid_key")
    problem_of(await anybody.post(f"{LIST}/{made['id']}/video?{query}"), 401, "unauthenticated")
    # Not even one that is signed as it should be.
    seal, path = seal_of(settings_of(house)), f"{LIST}/{made['id']}"
    by = re.search(r"by=(\w+)", query)
    assert by
    signed = links.sign(seal, path, take=None, key_id=by[1], expires=2**40)
    problem_of(await anybody.get(signed), 401, "invalid_key")


async def test_a_link_shows_what_its_key_sees_and_no_more(
    house: Stack, anybody: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    seal, path = seal_of(settings_of(house)), f"{LIST}/{made['id']}/video"
    for who in ({"tenant": "somebody-else"}, {"user": "ann"}):
        key, _ = await new_key(house, Scope.READ, **who)  # type: ignore[arg-type]  # strings, both
        signed = links.sign(seal, path, take=None, key_id=key.id, expires=2**33)
        problem_of(await anybody.get(signed), 404, "not_found")


async def test_tickets_and_links_end_with_their_key(
    house: Stack, anybody: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    key, text = await new_key(house)
    async with client(house, text) as http:
        given = (await http.post("/v1/tickets", json={"generation_id": made["id"]})).json()["links"]
    addresses = [given["events"], given["files"][0]["video"]]
    for address in addresses:
        assert (await anybody.get(address)).status_code == 200
    assert (await house.http.delete(f"/v1/keys/{key.id}")).status_code == 204
    for address in addresses:

        async def over(address: str = address) -> bool:
            return (await anybody.get(address)).status_code == 401

        await eventually(over, within=2, what="it is over")
