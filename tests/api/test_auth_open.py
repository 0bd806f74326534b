"""A house without keys: open to whoever sits at its machine, to nobody else, and closed with the first key."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.conftest import only
from tests.api.keyholders import new_key
from tests.api.refusals import problem_of
from tests.eventually import eventually
from tests.stack import ROOT, Stack, free_port

LIST = "/v1/generations"
FRIEND = "https://friend.example"


@pytest.fixture(scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API without keys."""
    async with only(tmp_path_factory.mktemp("alone")) as some:
        await some.start_part("api", VIDEOPLANET_CORS_ORIGINS=f"{FRIEND}, http://localhost:3000")
        yield some


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:8000", "[::1]:8000", "127.1.2.3:80"])
async def test_it_is_open_under_its_own_names(alone: Stack, host: str) -> None:
    assert (await alone.http.get(LIST, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "localhost.evil", "[", ""],
)
async def test_a_foreign_name_that_leads_here_opens_nothing(alone: Stack, host: str) -> None:
    problem_of(await alone.http.get(LIST, headers={"Host": host}), 403, "host_not_allowed")


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}, True),
    ],
)
async def test_other_sites_pages_change_nothing_in_it(
    alone: Stack, headers: dict[str, str], is_ours: bool
) -> None:
    made = await alone.order()
    answer = await alone.http.post(f"{LIST}/{made['id']}/cancel", headers=headers)
    if is_ours:
        assert answer.status_code == 202
    else:
        problem_of(answer, 403, "cross_site")


async def test_only_pages_that_are_named_may_read(alone: Stack) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for origin, is_named in (
        (FRIEND, True),
        ("http://localhost:3000", True),
        ("https://evil.example", False),
    ):
        preflight = await alone.http.options(LIST, headers={"Origin": origin, **asked})
        assert (preflight.headers.get("access-control-allow-origin") == origin) == is_named
        answer = await alone.http.get(LIST, headers={"Origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) == is_named
        assert "access-control-allow-credentials" not in answer.headers


async def test_the_first_key_closes_it(tmp_path: Path) -> None:
    async with only(tmp_path, "api") as some:
        assert (await some.http.get(LIST)).status_code == 200
        body = {"name": "first", "scopes": ["read", "admin"]}
        key = (await some.http.post("/v1/keys", json=body)).json()["key"]
        problem_of(await some.http.get(LIST), 401, "unauthenticated")
        assert (await some.http.get(LIST, headers={"Authorization": f"Bearer {key}"})).status_code == 200


async def test_a_key_that_another_process_makes_closes_it_too(tmp_path: Path) -> None:
    async with only(tmp_path, "api") as some:
        assert (await some.http.get(LIST)).status_code == 200
        await new_key(some)

        async def closed() -> bool:
            return (await some.http.get(LIST)).status_code == 401

        await eventually(closed, within=2, what="the house is closed")


async def test_it_is_not_opened_to_other_machines_without_a_key(tmp_path: Path) -> None:
    async with only(tmp_path) as some:
        environment = some.environment | {"VIDEOPLANET_API_HOST": "0.0.0.0"}  # noqa: S104 - that is refused
        refused = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", "api"),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(refused.communicate(), 30)
        assert refused.returncode == 2
        assert "there is no key" in said.decode()
        assert "videoplanet keys create" in said.decode()
        assert "Traceback" not in said.decode()
        await new_key(some)
        await some.start_part("api", VIDEOPLANET_API_HOST="0.0.0.0")  # noqa: S104 - now it may
        problem_of(await some.http.get(LIST), 401, "unauthenticated")


async def test_two_who_start_together_have_one_secret(tmp_path: Path) -> None:
    async with only(tmp_path) as some:
        ports = [str(free_port()) for _ in range(3)]
        await asyncio.gather(
            *(some.start_part("api", name=f"api-{port}", VIDEOPLANET_API_PORT=port) for port in ports)
        )
        _, key = await new_key(some)
        for port in ports:
            url = f"http://127.0.0.1:{port}{LIST}"
            answer = await some.http.get(url, headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 200, answer.text
        assert (some.data_dir / "secret.key").stat().st_mode & 0o777 == 0o600
