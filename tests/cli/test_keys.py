"""`videoplanet keys`, `env` and `login`: the first key is made on the database itself, before anybody is let in."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.running import operator_key
from runtime.settings import Settings
from tests.api.conftest import only
from tests.api.keyholders import client
from tests.cli.real import Ended
from tests.eventually import eventually
from tests.stack import ROOT, Stack

LIST = "/v1/generations"


@pytest.fixture(scope="module")
async def closed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API in whose data folder is an operator's key."""
    async with only(tmp_path_factory.mktemp("closed")) as some:
        await operator_key.ensure(Settings(data_dir=some.data_dir))
        await some.start_part("api")
        yield some


async def run(stack: Stack, *arguments: str, **variables: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *arguments),
        cwd=ROOT,
        env=stack.environment | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, notes = await asyncio.wait_for(process.communicate(), 60)
    assert "Traceback" not in notes.decode()
    return Ended(process.returncode or 0, output.decode(), notes.decode())


async def test_a_key_is_made_used_listed_and_revoked(closed: Stack) -> None:
    made = await run(closed, "keys", "create", "web shop", "--scope", "read", "--user", "ann", "--days", "2")
    assert made.code == 0, made.notes
    key = made.output.strip()
    assert "shown this once" in made.notes
    async with client(closed, key) as http:
        me = (await http.get("/v1/me")).json()
        assert (me["tenant_id"], me["user_id"], me["scopes"]) == ("default", "ann", ["read"])
        listed = (await run(closed, "keys", "list", "--json")).document["data"]
        assert (listed[0]["name"], listed[0]["state"]) == ("web shop", "good")
        assert key.split("_")[2] not in json.dumps(listed)
        assert (await run(closed, "keys", "revoke", listed[0]["id"])).code == 0

        async def out() -> bool:
            return (await http.get(LIST)).status_code == 401

        await eventually(out, within=2, what="the key is revoked")
    assert "revoked" in (await run(closed, "keys", "list")).output


async def test_a_key_for_another_tenant_is_listed_and_revoked_there(closed: Stack) -> None:
    made = (await run(closed, "keys", "create", "a", "--tenant", "acme", "--json")).document
    assert (made["tenant_id"], made["scopes"]) == ("acme", ["read", "generate"])
    assert made["id"] not in (await run(closed, "keys", "list")).output
    refused = await run(closed, "keys", "revoke", made["id"])
    assert refused.code == 2
    assert "keys list" in refused.notes
    assert (await run(closed, "keys", "revoke", made["key"], "--tenant", "acme")).code == 0


@pytest.mark.parametrize(
    "wrong", [["--tenant", "No Slug"], ["--user", ""], ["--scope", "all"], ["--days", "0"]]
)
async def test_what_no_key_can_be_is_refused(closed: Stack, wrong: list[str]) -> None:
    refused = await run(closed, "keys", "create", "a", *wrong)
    assert refused.code == 2
    assert wrong[0] in refused.notes


async def test_without_tables_it_says_what_to_do(tmp_path: Path, closed: Stack) -> None:
    away = await run(closed, "keys", "create", "a", VIDEOPLANET_DATA_DIR=str(tmp_path))
    assert away.code == 3
    assert "videoplanet migrate" in away.notes


async def test_env_is_what_a_shell_needs(closed: Stack, tmp_path: Path) -> None:
    said = (await run(closed, "env")).output
    script = f'{said}\ncurl -sf -H "Authorization: Bearer $VIDEOPLANET_KEY" "$VIDEOPLANET_URL/v1/me"'
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert len(json.loads(output)["scopes"]) == 5
    nothing = await run(closed, "env", VIDEOPLANET_DATA_DIR=str(tmp_path))
    assert "VIDEOPLANET_KEY" not in nothing.output
    assert "videoplanet up" in nothing.notes


async def test_commands_show_the_operators_key_or_the_one_that_is_named(closed: Stack) -> None:
    assert (await run(closed, "list", "--json")).code == 0
    refused = await run(closed, "list", "--json", VIDEOPLANET_KEY="vp_nonsense")
    assert refused.code == 2
    assert "vp_nonsense" not in refused.notes + refused.output


async def test_the_operators_key_is_sent_to_no_other_machine(closed: Stack) -> None:
    said = (await run(closed, "env", VIDEOPLANET_URL="https://videos.example.com")).output
    assert "VIDEOPLANET_KEY" not in said


async def test_login_prints_a_link_that_works(closed: Stack) -> None:
    url = (await run(closed, "login")).output.strip()
    async with client(closed) as http:
        assert (await http.post("/login", data={"token": url.partition("token=")[2]})).status_code == 303
        assert (await http.get(LIST)).status_code == 200


async def test_the_operators_key_is_kept_while_it_is_good(closed: Stack) -> None:
    settings = Settings(data_dir=closed.data_dir)
    path = closed.data_dir / operator_key.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    key = operator_key.read(closed.data_dir)
    assert await operator_key.ensure(settings) == key
    assert key
    assert (await run(closed, "keys", "revoke", key)).code == 0
    fresh = await operator_key.ensure(settings)
    assert fresh not in {None, key}
    assert operator_key.read(closed.data_dir) == fresh
