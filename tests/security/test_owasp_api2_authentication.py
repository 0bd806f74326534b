"""OWASP API2:2023, broken authentication: nobody comes in without a good key, and keys cannot be guessed or kept."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain.people.callers import Scope
from domain.people.keys import WrittenKey
from runtime.secret import Purpose, Seal
from tests.api.keyholders import client, new_key
from tests.api.refusals import problem_of
from tests.eventually import eventually
from tests.security.doors import bearer
from tests.security.town import Hers, Town, another_api
from tests.stack import Stack

PUBLIC = {"/healthz", "/readyz"}
WRONG_KEYS = 5
LIST = "/v1/generations"


@pytest.fixture(scope="module")
async def https(town: Town) -> AsyncIterator[Stack]:
    """An API process that is reached by https, and bears few wrong keys."""
    settings = {
        "VIDEOPLANET_RATE_WRONG_KEYS": f"{WRONG_KEYS}/5 seconds",
        "VIDEOPLANET_PUBLIC_URL": "https://videos.example.com",
    }
    async with another_api(town, "api-https", **settings) as other:
        yield other


@asynccontextmanager
async def browser_of(town: Town, http: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody has logged in."""
    link = await login_token(http)
    async with client(town.stack) as browser:
        assert (await browser.post("/login", data={"token": link})).status_code == 303
        yield browser


async def login_token(http: httpx.AsyncClient) -> str:
    """What is in a new login link."""
    made = await http.post("/v1/login-links")
    return str(made.json()["url"].split("token=")[1])


async def test_every_operation_asks_for_a_key_and_takes_no_wrong_one(town: Town, hers: Hers) -> None:
    good = town.keys["ann"]
    wrong = [str(WrittenKey.new()), good[:-1] + ("0" if good[-1] != "0" else "1"), good[:-1], "vp_", "null"]
    mixed = "_".join([*good.split("_")[:2], town.keys["ben"].split("_")[2]])
    asked = 0
    for method, path, _ in await town.operations():
        if path in PUBLIC:
            continue
        problem_of(await town.nobody.request(method, hers.fill(path)), 401, "unauthenticated")
        for key in (*wrong, mixed):
            answer = await town.nobody.request(method, hers.fill(path), headers=bearer(key))
            problem_of(answer, 401, "invalid_key")
            assert key not in answer.text or key in {"vp_", "null"}
        asked += 1
    assert asked > 30


async def test_a_known_id_with_a_wrong_secret_looks_like_no_key_at_all(town: Town) -> None:
    known = f"vp_{town.keys['ann'].split('_')[1]}_{'0' * 40}"
    answers = [await town.nobody.get(LIST, headers=bearer(key)) for key in (known, str(WrittenKey.new()))]
    assert len({answer.json()["detail"] for answer in answers}) == 1


class Telltale(bytes):
    """Bytes that tell when they are compared in a way that stops at the first difference."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a secret is compared with ==, whose time tells how much of it is right")

    __hash__ = bytes.__hash__


class TelltaleText(str):
    """The same, as text."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return Telltale(super().encode(encoding, errors))

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a secret is compared with ==, whose time tells how much of it is right")

    __hash__ = str.__hash__


def test_secrets_are_compared_in_constant_time() -> None:
    seal = Seal(b"x" * 32)
    right = seal.of(Purpose.KEY, "id", "secret")
    assert seal.fits(TelltaleText(right), Purpose.KEY, "id", "secret")
    assert not seal.fits(TelltaleText("0" * 64), Purpose.KEY, "id", "secret")


async def test_guessing_is_bounded_for_keys_tickets_and_login_links_together(
    town: Town, https: Stack
) -> None:
    http = https.http
    assert (await http.get(LIST, headers=bearer(town.keys["ann"]))).status_code == 200
    guesses = [
        http.build_request("GET", LIST, headers=bearer(str(WrittenKey.new()))),
        http.build_request("GET", LIST, headers=bearer("nonsense")),
        http.build_request("GET", f"{LIST}/gen_{'0' * 26}/video", params={"ticket": "vpt_guessed"}),
        http.build_request("POST", "/login", data={"token": "vpl_guessed"}),
        http.build_request("GET", LIST, headers=bearer(str(WrittenKey.new()))),
    ]
    assert len(guesses) == WRONG_KEYS
    for guess in guesses:
        assert (await http.send(guess)).status_code == 401
    for key in (str(WrittenKey.new()), town.keys["ann"]):
        refused = await http.get(LIST, headers=bearer(key))
        problem_of(refused, 429, "too_many_requests")
        assert int(refused.headers["retry-after"]) > 0
    assert (await http.post("/login", data={"token": "vpl_guessed"})).status_code == 429

    async def listened_to() -> bool:
        return (await http.get(LIST, headers=bearer(town.keys["ann"]))).status_code == 200

    await eventually(listened_to, within=8, what="the good key counts again")


async def test_an_expired_key_is_worth_nothing(town: Town) -> None:
    _, key = await new_key(town.stack, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    answer = await town.nobody.get(LIST, headers=bearer(key))
    assert "expired" in problem_of(answer, 401, "invalid_key")["detail"]


async def test_a_revoked_key_takes_its_sessions_tickets_and_links_with_it(town: Town) -> None:
    key, text = await new_key(town.stack, Scope.READ, Scope.GENERATE)
    path = f"/v1/generations/gen_{'0' * 26}/video"
    async with client(town.stack, text) as http, browser_of(town, http) as browser:
        ticket, link = (await http.post("/v1/tickets", json={})).json()["ticket"], await login_token(http)
        assert (await browser.get(LIST)).status_code == 200
        assert (await town.nobody.get(path, params={"ticket": ticket})).status_code == 404
        assert (await town.admin.delete(f"/v1/keys/{key.id}")).status_code == 204

        async def worthless() -> bool:
            answers = [await http.get(LIST), await browser.get(LIST)]
            answers.append(await town.nobody.get(path, params={"ticket": ticket}))
            return {answer.status_code for answer in answers} == {401}

        await eventually(worthless, within=3, what="what the key has made ends with it")
        assert (await town.nobody.post("/login", data={"token": link})).status_code == 401


async def test_a_login_link_works_once_and_looking_at_it_does_not_use_it_up(town: Town) -> None:
    token = await login_token(town.ann)
    assert (await town.nobody.get("/login", params={"token": token})).status_code == 200
    statuses = []
    for _ in range(2):
        async with client(town.stack) as browser:
            statuses.append((await browser.post("/login", data={"token": token})).status_code)
    assert statuses == [303, 401]


async def test_a_token_of_one_kind_is_none_of_another_also_while_it_is_just_in_use(
    town: Town, hers: Hers
) -> None:
    made = (await town.ann.post("/v1/tickets", json={"generation_id": hers.id})).json()
    ticket, link = made["ticket"], await login_token(town.ann)
    key_id = town.keys["ann"].split("_")[1]
    assert (await town.nobody.post("/login", data={"token": ticket})).status_code == 401
    async with browser_of(town, town.ann) as browser:
        [(name, session)] = dict(browser.cookies).items()
        for token in (ticket, link, town.keys["ann"], f"link/{key_id}", key_id):
            # Each is used as it should be, then at once as it should not be.
            assert (await town.nobody.get(f"/v1/generations/{hers.id}/video?ticket={ticket}")).is_success
            assert (await town.nobody.get(made["links"]["files"][0]["video"])).is_success
            assert (await town.ann.get(LIST)).is_success
            assert (await browser.get(LIST)).is_success
            answer = await town.nobody.get(LIST, headers={"Cookie": f"{name}={token}"})
            problem_of(answer, 401, "invalid_key")
            if token != ticket:
                answer = await town.nobody.get(f"/v1/generations/{hers.id}/events", params={"ticket": token})
                problem_of(answer, 401, "invalid_key")
        for token in (ticket, link, session):
            problem_of(await town.nobody.get(LIST, headers=bearer(token)), 401, "invalid_key")


async def test_the_session_s_cookie_is_for_our_own_pages_only(town: Town) -> None:
    link = await login_token(town.ann)
    async with client(town.stack) as browser:
        said = (await browser.post("/login", data={"token": link})).headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said
    assert "secure" not in said, "it is reached by http"
    assert re.search(r"max-age=\d+", said)
    assert "domain=" not in said


async def test_the_cookie_is_secure_where_the_service_is_reached_by_https(town: Town, https: Stack) -> None:
    answer = await https.http.post("/login", data={"token": await login_token(town.ann)})
    assert answer.status_code == 303
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_another_site_s_page_cannot_act_in_a_visitor_s_name(town: Town) -> None:
    ours, foreign = town.stack.api_url, "https://evil.example"
    async with browser_of(town, town.ann) as browser:
        for headers in (
            {"Origin": foreign},
            {"Origin": "null"},
            {"Origin": foreign, "Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {},
        ):
            answer = await browser.post("/v1/tickets", json={}, headers=headers)
            problem_of(answer, 403, "cross_site")
        for path, data in (("/login", {"token": await login_token(town.ann)}), ("/logout", {})):
            answer = await browser.post(path, data=data, headers={"Origin": foreign})
            problem_of(answer, 403, "cross_site")
        good = await browser.post("/v1/tickets", json={}, headers={"Origin": ours})
        assert good.status_code == 201, "our own page may"


async def test_neither_keys_nor_tokens_are_kept_in_the_database(town: Town) -> None:
    ticket = (await town.ann.post("/v1/tickets", json={})).json()["ticket"]
    async with browser_of(town, town.ann) as browser:
        [session] = dict(browser.cookies).values()
    with closing(sqlite3.connect(town.stack.data_dir / "videoplanet.db")) as database:
        kept = "\n".join(database.iterdump())
    assert town.keys["ann"].split("_")[1] in kept, "the id is"
    secrets = {key.split("_")[2] for key in town.keys.values()} | {session, ticket}
    assert not {secret for secret in secrets if secret in kept}
