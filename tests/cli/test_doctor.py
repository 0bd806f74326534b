"""`videoplanet doctor` finds what keeps the service from running and says what to do."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.running import operator_key
from cli.running.lock import FolderLock
from cli.running.provider_keys import VARIABLES
from runtime.settings import Settings
from storage.database import Database
from storage.schema import upgrade
from tests.cli.pretend_api import Answer, serving


def examined(tmp_path: Path, **environ: str) -> tuple[int, dict[str, Any]]:
    nobody = {"VIDEOPLANET_URL": None, "TEMPORAL_ADDRESS": None, "VIDEOPLANET_DATABASE_URL": None}
    nobody |= dict.fromkeys([*VARIABLES.values(), "VIDEOPLANET_MODE", "VIDEOPLANET_STABILITY_BASE_URL"])
    result = CliRunner().invoke(
        app, ["doctor", "--json"], env=nobody | {"VIDEOPLANET_DATA_DIR": str(tmp_path)} | environ
    )
    document = json.loads(result.stdout)
    return result.exit_code, {check["name"]: check for check in document["checks"]} | {"ok": document["ok"]}


def test_a_fresh_machine_is_healthy_though_nothing_runs(tmp_path: Path) -> None:
    code, checks = examined(tmp_path)
    assert code == 0
    assert checks["ok"] is True
    assert checks["Python"]["state"] == "ok"
    assert checks["temporal binary"]["found"].startswith("temporal version")
    assert checks["database"]["state"] == "ok"


def test_a_port_that_was_set_and_is_taken_is_a_problem_with_advice(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code, checks = examined(tmp_path, VIDEOPLANET_API_PORT=str(server.getsockname()[1]))
    assert code == 1
    assert checks["port of api"]["state"] == "problem"
    assert "VIDEOPLANET_API_PORT" in checks["port of api"]["advice"]


def test_a_database_file_that_is_no_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "videoplanet.db").write_bytes(b"not a database" * 100)
    code, checks = examined(tmp_path)
    assert code == 1
    assert checks["database"]["state"] == "problem"


def test_servers_that_were_named_must_be_there(tmp_path: Path) -> None:
    code, checks = examined(tmp_path, VIDEOPLANET_URL="http://127.0.0.1:9", TEMPORAL_ADDRESS="127.0.0.1:9")
    assert code == 1
    assert checks["API"]["state"] == checks["Temporal"]["state"] == "problem"


def test_a_ready_api_is_reported_as_ready(tmp_path: Path) -> None:
    with serving() as script:
        script.on("GET", "/readyz", Answer(200, {"status": "ok"}))
        code, checks = examined(tmp_path, VIDEOPLANET_URL=script.url)
    assert code == 0
    assert checks["API"] == {"name": "API", "state": "ok", "found": f"ready at {script.url}", "advice": ""}


def test_a_stack_that_runs_but_does_not_answer_is_a_problem(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.take_up()
    (tmp_path / "ports.json").write_text('{"api": 9, "sandbox": 10, "temporal": 11, "temporal_ui": 12}')
    code, checks = examined(tmp_path)
    lock.release()
    assert code == 1
    assert checks["port of api"]["found"] == "9, ours"
    assert checks["API"]["state"] == "problem"


def test_it_says_which_keys_are_set_and_never_a_key(tmp_path: Path) -> None:
    code, checks = examined(tmp_path, RUNWAY_API_KEY="sk-hidden", SEEDANCE_API_KEY=" ")
    assert code == 0
    assert "hidden" not in str(checks)
    runway, seedance = checks["key of Runway"], checks["key of Seedance"]
    assert (runway["state"], runway["found"]) == ("ok", "RUNWAY_API_KEY is set")
    assert (seedance["state"], seedance["found"]) == ("off", "SEEDANCE_API_KEY is not set")


def test_a_key_for_the_hosted_stable_video_is_said_to_be_retired_with_what_to_use(tmp_path: Path) -> None:
    code, checks = examined(tmp_path, STABILITY_API_KEY="sk-secret", VIDEOPLANET_MODE="live")
    assert code == 1
    assert "retired since 2025-07-24" in checks["key of Stable Video"]["found"]
    assert "VIDEOPLANET_STABILITY_BASE_URL" in checks["key of Stable Video"]["advice"]
    assert checks["live mode"]["state"] == "problem"
    for name in VARIABLES.values():
        assert name in checks["live mode"]["advice"]


@pytest.mark.parametrize(
    ("environ", "usable"),
    [
        ({"SEEDANCE_API_KEY": "k"}, "can use seedance"),
        ({"RUNWAY_API_KEY": "k", "STABILITY_API_KEY": "k"}, "can use runway"),
        (
            {
                "VIDEOPLANET_STABILITY_BASE_URL": "http://me:hidden@gpu.example:9/x",
                "VIDEOPLANET_STABILITY_PRICE_USD": "0",
            },
            "can use stable-video",
        ),
    ],
    ids=["seedance", "runway, and a retired one", "a server of one's own"],
)
def test_one_usable_key_is_enough_for_live_mode(tmp_path: Path, environ: dict[str, str], usable: str) -> None:
    code, checks = examined(tmp_path, VIDEOPLANET_MODE="live", **environ)
    assert code == 0
    assert checks["live mode"]["found"] == usable
    assert "hidden" not in str(checks)


def test_a_server_of_ones_own_without_a_price_is_a_problem_with_what_to_set(tmp_path: Path) -> None:
    code, checks = examined(
        tmp_path, VIDEOPLANET_MODE="live", VIDEOPLANET_STABILITY_BASE_URL="http://me:hidden@gpu.example:9/x"
    )
    assert code == 1
    assert checks["prices"]["state"] == "problem"
    assert "VIDEOPLANET_STABILITY_PRICE_USD is not set" in checks["prices"]["found"]
    assert "hidden" not in str(checks)


def test_prices_are_built_in_but_for_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    file.write_text('[accounts.runway.models."gen4.5"]\nunit = "second"\nusd = 1\nread_on = 2026-11-20\n')
    _, checks = examined(tmp_path, VIDEOPLANET_PROVIDERS_FILE=str(file))
    assert (checks["prices"]["state"], checks["prices"]["found"]) == ("ok", "built in, but for gen4.5")
    file.write_text("[accounts.sora]\n")
    code, checks = examined(tmp_path, VIDEOPLANET_PROVIDERS_FILE=str(file))
    assert code == 1
    assert checks["prices"]["state"] == "problem"
    assert "there are runway, seedance, stable-video" in checks["prices"]["found"]


@pytest.mark.parametrize("word", ["Python", "what to do", "free"])
def test_the_table_says_what_was_looked_at(tmp_path: Path, word: str) -> None:
    result = CliRunner().invoke(app, ["doctor"], env={"VIDEOPLANET_DATA_DIR": str(tmp_path)})
    assert word in result.stdout


def a_key_made_here(folder: Path) -> None:
    settings = Settings(data_dir=folder)

    async def make() -> None:
        async with Database(settings.effective_database_url) as database:
            await upgrade(database)
        await operator_key.ensure(settings)

    asyncio.run(make())


def test_a_secret_that_opens_the_operators_key_is_well(tmp_path: Path) -> None:
    assert examined(tmp_path)[1]["secret"]["found"].startswith("none yet")
    a_key_made_here(tmp_path)
    code, checks = examined(tmp_path)
    assert code == 0
    assert checks["secret"]["found"] == str(tmp_path / "secret.key")


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "is missing"), ("0" * 64, "is not what the keys were made with"), ("short", "holds no secret")],
    ids=["lost", "another", "none"],
)
def test_a_lost_secret_is_a_problem_and_it_is_said_what_follows(
    tmp_path: Path, text: str | None, words: str
) -> None:
    a_key_made_here(tmp_path)
    file = tmp_path / "secret.key"
    file.unlink()
    if text is not None:
        file.write_text(text)
    code, checks = examined(tmp_path)
    assert code == 1
    assert checks["secret"]["state"] == "problem"
    assert words in checks["secret"]["found"]
    assert "videoplanet keys create" in checks["secret"]["advice"]
    assert file.exists() is (text is not None), "the doctor makes nothing"


def test_a_secret_of_the_environment_that_the_keys_were_not_made_with_is_a_problem(tmp_path: Path) -> None:
    a_key_made_here(tmp_path)
    code, checks = examined(tmp_path, VIDEOPLANET_SECRET_KEY="0123456789abcdef" * 2)
    assert code == 1
    assert "VIDEOPLANET_SECRET_KEY is not what" in checks["secret"]["found"]
    assert "0123456789abcdef" not in str(checks)


@pytest.mark.parametrize(
    "command", [["list"], ["env"], ["keys", "list"], ["doctor"], ["worker"], ["api"], ["up"]]
)
def test_a_setting_that_nobody_can_work_with_is_named_by_every_command(
    tmp_path: Path, command: list[str]
) -> None:
    environ = {"VIDEOPLANET_DATA_DIR": str(tmp_path), "VIDEOPLANET_API_PORT": "eighty"}
    result = CliRunner().invoke(app, command, env=environ)
    assert result.exit_code == 2
    assert "VIDEOPLANET_API_PORT" in result.stderr
