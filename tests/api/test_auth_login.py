"""Logging in: a link that works once becomes a cookie, which other sites cannot use, and which ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.people.callers import Scope
from tests.api.conftest import only
from tests.api.keyholders import client, new_key
from tests.api.refusals import problem_of
from tests.eventually import eventually
from tests.stack import Stack

LIST = "/v1/generations"
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


async def link_of(house: Stack, key: str) -> str:
    """The token of a new login link."""
    async with client(house, key) as http:
        answer = await http.post("/v1/login-links")
    assert answer.status_code == 201, answer.text
    url = httpx.URL(answer.json()["url"])
    assert str(url).startswith(f"{house.api_url}/login?token=vpl_")
    return url.params["token"]


@asynccontextmanager
async def logged_in(house: Stack, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's client after the login."""
    async with client(house) as http:
        answer = await http.post("/login", data={"token": await link_of(house, key)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
        yield http


@pytest.fixture
async def key(house: Stack) -> str:
    return (await new_key(house))[1]


@pytest.fixture
async def browser(house: Stack, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has logged in, as the page's own scripts ask."""
    async with logged_in(house, key) as http:
        http.headers["Origin"] = house.api_url
        yield http


async def test_a_link_logs_in_once(house: Stack, key: str) -> None:
    token = await link_of(house, key)
    async with client(house) as http:
        for _ in range(2):  # to look at it uses nothing up
            page = await http.get("/login", params={"token": token})
            assert page.status_code == 200
            assert token in page.text
            assert page.headers["cache-control"] == "no-store"
            assert not http.cookies
        answer = await http.post("/login", data={"token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        assert (await http.get(LIST)).status_code == 200
    async with client(house) as http:
        again = await http.post("/login", data={"token": token})
        assert again.status_code == 401
        assert "used before" in again.text
        assert not http.cookies


async def test_of_many_who_use_a_link_at_once_one_gets_in(house: Stack, key: str) -> None:
    token = await link_of(house, key)
    async with client(house) as http:
        answers = await asyncio.gather(*(http.post("/login", data={"token": token}) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [303] + 9 * [401]


@pytest.mark.parametrize("token", ["", "vpl_", "x" * 199, "vpl_" + 40 * "0", "<script>alert(1)</script>"])
async def test_what_is_no_link_logs_nobody_in(house: Stack, token: str) -> None:
    async with client(house) as http:
        answer = await http.post("/login", data={"token": token})
        assert answer.status_code == 401
        page = await http.get("/login", params={"token": token})
        assert "<script>alert" not in answer.text + page.text
        problem_of(await http.get(LIST), 401, "unauthenticated")


async def test_a_session_or_a_ticket_is_no_login_link(house: Stack, browser: httpx.AsyncClient) -> None:
    session = next(iter(browser.cookies.values()))
    ticket = (await browser.post("/v1/tickets", json={})).json()["ticket"]
    async with client(house) as http:
        for token in (session, ticket):
            assert (await http.post("/login", data={"token": token})).status_code == 401
        for token in (session, await link_of(house, (await new_key(house))[1])):
            answer = await http.get(f"{LIST}/gen_x/events", params={"ticket": token})
            problem_of(answer, 401, "invalid_key")


async def test_a_browser_may_do_what_the_key_may(house: Stack) -> None:
    _, key = await new_key(house, Scope.READ, user="ann")
    async with logged_in(house, key) as http:
        me = (await http.get("/v1/me")).json()
        assert (me["user_id"], me["scopes"], me["via"]) == ("ann", ["read"], "session")
        answer = await http.post("/v1/queue/pause", headers={"Origin": house.api_url})
        problem_of(answer, 403, "missing_scope")


async def test_a_session_makes_no_links_that_outlive_it(browser: httpx.AsyncClient) -> None:
    problem_of(await browser.post("/v1/login-links"), 403, "missing_scope")


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://127.0.0.1:1"}, False),
    ],
)
async def test_other_sites_change_nothing_with_a_visitors_cookie(
    house: Stack, key: str, made: dict[str, Any], headers: dict[str, str], is_ours: bool
) -> None:
    async with logged_in(house, key) as http:
        path = f"{LIST}/{made['id']}/takes/1/keep"
        for method in ("POST", "DELETE"):
            answer = await http.request(method, path, headers=headers)
            if is_ours:
                assert answer.status_code == 200, answer.text
            else:
                problem_of(answer, 403, "cross_site")
        assert (await http.get(path.partition("/takes")[0], headers=headers)).status_code == 200


async def test_another_site_cannot_log_a_visitor_in_or_out(house: Stack, key: str) -> None:
    async with logged_in(house, key) as http:
        problem_of(await http.post("/logout", headers=FOREIGN), 403, "cross_site")
        token = await link_of(house, key)
        problem_of(await http.post("/login", data={"token": token}, headers=FOREIGN), 403, "cross_site")
        assert (await http.get(LIST)).status_code == 200
        assert (await http.post("/login", data={"token": token})).status_code == 303


async def test_streams_polls_and_files_work_with_the_cookie(
    browser: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    url = f"{LIST}/{made['id']}"
    events = await browser.get(f"{url}/events", headers={"Accept": "text/event-stream"})
    assert "event: generation.completed" in events.text
    assert (await browser.get(url, params={"wait": 1})).json()["status"] == "completed"
    video = await browser.get(f"{url}/video", headers={"Range": "bytes=4-7"})
    assert (video.status_code, video.content) == (206, b"ftyp")
    assert (await browser.get(f"{url}/poster")).content[:2] == b"\xff\xd8"


async def test_logging_out_ends_the_session_for_good(house: Stack, browser: httpx.AsyncClient) -> None:
    session = dict(browser.cookies)
    answer = await browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert not browser.cookies
    async with client(house) as http:
        http.cookies.update(session)
        problem_of(await http.get(LIST), 401, "invalid_key")


async def test_a_session_and_a_link_end_with_their_key(house: Stack) -> None:
    key, text = await new_key(house)
    unused = await link_of(house, text)
    async with logged_in(house, text) as http:
        assert (await http.get(LIST)).status_code == 200
        assert (await house.http.delete(f"/v1/keys/{key.id}")).status_code == 204

        async def out() -> bool:
            return (await http.get(LIST)).status_code == 401

        await eventually(out, within=2, what="the session is over")
        assert (await http.post("/login", data={"token": unused})).status_code == 401


async def test_behind_https_the_cookie_is_for_https_only(tmp_path: Path) -> None:
    async with only(tmp_path) as some:
        await some.start_part("api", VIDEOPLANET_PUBLIC_URL="https://videos.example.com")
        _, key = await new_key(some)
        async with client(some, key) as http:
            url = (await http.post("/v1/login-links")).json()["url"]
            assert url.startswith("https://videos.example.com/login?token=")
            answer = await http.post("/login", data={"token": url.partition("token=")[2]})
            assert "Secure" in answer.headers["set-cookie"]
