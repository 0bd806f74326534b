"""Nobody is asked more often than the service bears: requests of a key, wrong keys of an address."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from runtime.settings import Settings
from tests.api.conftest import only
from tests.api.refusals import problem_of
from tests.eventually import eventually
from tests.security.doors import bearer, make_key
from tests.stack import Stack

READS, WRITES, WRONG_KEYS = 6, 3, 4
STRICT = {
    "VIDEOPLANET_RATE_READS": f"{READS}/3 seconds",
    "VIDEOPLANET_RATE_WRITES": f"{WRITES}/3 seconds",
    "VIDEOPLANET_RATE_WRONG_KEYS": f"{WRONG_KEYS}/3 seconds",
}


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Stack]:
    """An API process that bears little."""
    async with only(tmp_path, "api", **STRICT) as alone:
        yield alone


def left(answer: httpx.Response) -> tuple[int, int]:
    """What an answer says is left, and in how many seconds all of it comes back."""
    said = re.fullmatch(r'"(?:reads|writes)";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert said, answer.headers["ratelimit"]
    return int(said[1]), int(said[2])


async def test_reads_are_counted_down_then_refused_then_given_back(strict: Stack) -> None:
    for number in range(READS):
        answer = await strict.http.get("/v1/generations")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == f'"reads";q={READS};w=3'
        assert left(answer)[0] == READS - 1 - number
    refused = await strict.http.get("/v1/generations")
    document = problem_of(refused, 429, "too_many_requests")
    assert f"{READS} requests in 3 s" in document["detail"]
    remaining, seconds = left(refused)
    assert (remaining, 1 <= seconds <= 3) == (0, True)
    assert refused.headers["retry-after"] == str(seconds)

    async def let_in() -> bool:
        return (await strict.http.get("/v1/generations")).status_code == 200

    await eventually(let_in, within=seconds + 2, what="all of it is given back")


async def test_changes_are_counted_by_themselves_and_refused_before_anything_is_done(strict: Stack) -> None:
    for _ in range(WRITES):
        await strict.order()
    refused = await strict.http.post("/v1/generations", json={"prompt": "one too many"})
    problem_of(refused, 429, "too_many_requests")
    assert refused.headers["ratelimit-policy"].startswith('"writes"')
    page = await strict.http.get("/v1/generations")
    assert page.status_code == 200, "looking is another matter"
    assert len(page.json()["data"]) == WRITES


async def test_each_key_has_its_own_count(strict: Stack) -> None:
    first = await make_key(strict, "first")
    second = await make_key(strict, "second", as_key=first)
    for _ in range(READS):
        assert (await strict.http.get("/v1/generations", headers=bearer(first))).status_code == 200
    refused = await strict.http.get("/v1/generations", headers=bearer(first))
    problem_of(refused, 429, "too_many_requests")
    assert (await strict.http.get("/v1/generations", headers=bearer(second))).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/docs", "/static/app.js"])
async def test_what_is_there_for_everybody_is_not_counted(strict: Stack, path: str) -> None:
    for _ in range(READS + 2):
        answer = await strict.http.get(path)
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


async def test_an_address_that_tries_wrong_keys_is_soon_not_listened_to(strict: Stack) -> None:
    good = await make_key(strict, "good")
    wrong = [good[:-4] + "AAAA", "vp_nobody_nothing", "nonsense", good + "x", good[:-1]]
    for key in wrong[:WRONG_KEYS]:
        refused = await strict.http.get("/v1/generations", headers=bearer(key))
        problem_of(refused, 401, "invalid_key")
    for key in (wrong[-1], good):
        refused = await strict.http.get("/v1/generations", headers=bearer(key))
        document = problem_of(refused, 429, "too_many_requests")
        assert "wrong keys" in document["detail"]
        assert 1 <= int(refused.headers["retry-after"]) <= 3
    nothing = await strict.http.get("/v1/generations")
    problem_of(nothing, 401, "unauthenticated")

    async def listened_to() -> bool:
        return (await strict.http.get("/v1/generations", headers=bearer(good))).status_code == 200

    await eventually(listened_to, within=5, what="the good key counts again")


async def test_who_shows_nothing_guesses_nothing(strict: Stack) -> None:
    good = await make_key(strict, "good")
    for _ in range(WRONG_KEYS + 2):
        problem_of(await strict.http.get("/v1/generations"), 401, "unauthenticated")
    assert (await strict.http.get("/v1/generations", headers=bearer(good))).status_code == 200


async def test_wrong_tickets_and_login_links_count_as_wrong_keys(strict: Stack) -> None:
    good = await make_key(strict, "good")
    for _ in range(WRONG_KEYS // 2):
        answer = await strict.http.get("/v1/generations/gen_0/video", params={"ticket": "vpt_guessed"})
        assert answer.status_code == 401
        assert (await strict.http.post("/login", data={"token": "vpl_guessed"})).status_code == 401
    refused = await strict.http.get("/v1/generations", headers=bearer(good))
    problem_of(refused, 429, "too_many_requests")
    refused = await strict.http.post("/login", data={"token": "vpl_guessed"})
    assert refused.status_code == 429


@pytest.mark.parametrize("rate", ["many", "600 per fortnight", "minute/600", ""])
def test_a_rate_that_is_none_is_refused_at_the_start(rate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOPLANET_RATE_READS", rate)
    if not rate:
        assert Settings().rate_reads == "600/minute"
        return
    with pytest.raises(ValueError, match="such as 600/minute"):
        Settings()
