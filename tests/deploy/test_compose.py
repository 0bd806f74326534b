"""What someone relies on who starts the service with `docker compose up`.

There is no container engine here: the compose command line resolves the file as the engine would get
it, and hadolint reads the Dockerfile.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from domain.orders.line_up import ENTRIES

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
BIN = Path(sys.executable).parent
OURS = ("migrate", "sandbox", "api", "worker")
KEYS = tuple(entry.door.key_variable for entry in ENTRIES)


def compose(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the compose command line with this environment only, and no `.env` file."""
    command = [str(BIN / "docker-compose"), "--env-file", os.devnull, "--file", str(COMPOSE_FILE), *arguments]
    return subprocess.run(
        command, env={"PATH": os.defpath, **environment}, capture_output=True, text=True, check=False
    )


@cache
def resolved(**environment: str) -> dict[str, Any]:
    """The whole file as the engine would get it."""
    result = compose(
        "config", "--format", "json", **{"POSTGRES_PASSWORD": "secret-of-the-test"} | environment
    )
    assert result.returncode == 0, result.stderr
    config: dict[str, Any] = json.loads(result.stdout)
    return config


def services(**environment: str) -> dict[str, dict[str, Any]]:
    """The resolved services by name."""
    found: dict[str, dict[str, Any]] = resolved(**environment)["services"]
    return found


def waits_for(service: str) -> set[tuple[str, str]]:
    """What must be true before the service starts, directly or through others: (service, condition)."""
    direct = services()[service].get("depends_on", {})
    found = {(name, dependency["condition"]) for name, dependency in direct.items()}
    return found.union(*(waits_for(name) for name in direct))


def test_it_refuses_to_start_without_a_password_and_names_the_variable() -> None:
    result = compose("config", "--quiet")
    assert result.returncode != 0
    assert "POSTGRES_PASSWORD" in result.stderr


def test_no_secret_is_in_the_file() -> None:
    for name, service in services().items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|KEY|TOKEN|SECRET", variable):
                assert value in {None, "secret-of-the-test"}, f"{name}: {variable}"


def test_the_password_is_in_no_url() -> None:
    for name in OURS:
        url = services()[name].get("environment", {}).get("VIDEOPLANET_DATABASE_URL", "")
        assert "secret-of-the-test" not in url


def test_nothing_is_published_beyond_this_machine() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert set(published) == {"temporal", "temporal-ui", "api"}
    for ports in published.values():
        assert [port["host_ip"] for port in ports] == ["127.0.0.1"]


def test_the_published_ports_can_be_moved_and_the_containers_do_not_notice() -> None:
    moved = services(VIDEOPLANET_API_PORT="9000")["api"]
    assert [(port["published"], port["target"]) for port in moved["ports"]] == [("9000", 8000)]
    assert moved["environment"]["VIDEOPLANET_API_PORT"] == "8000"


@pytest.mark.parametrize("service", ["api", "worker"])
def test_everything_is_prepared_before_it_serves(service: str) -> None:
    prepared = {
        ("postgresql", "service_healthy"),
        ("temporal-schema", "service_completed_successfully"),
        ("temporal", "service_healthy"),
        ("temporal-namespace", "service_completed_successfully"),
        ("migrate", "service_completed_successfully"),
    }
    assert prepared <= waits_for(service)


def test_whatever_is_waited_for_can_become_true() -> None:
    for service in services():
        for name, condition in waits_for(service):
            dependency = services()[name]
            if condition == "service_healthy":
                assert "healthcheck" in dependency, name
            else:
                # Restarted after success as well, it would never count as completed.
                assert dependency["restart"].startswith("on-failure"), name


def test_what_serves_comes_back_after_a_crash() -> None:
    for name in ("postgresql", "temporal", "temporal-ui", "sandbox", "api", "worker"):
        assert services()[name]["restart"] == "unless-stopped", name


def test_a_worker_has_time_to_stop_and_hears_that_it_should() -> None:
    worker = services()["worker"]
    minutes, seconds = re.fullmatch(r"(?:(\d+)m)?(\d+)s", worker["stop_grace_period"]).groups("0")  # type: ignore[union-attr]  # no match fails the test
    assert int(minutes) * 60 + int(seconds) > 90
    assert all(services()[name]["init"] for name in OURS)


def test_the_api_reads_the_assets_that_the_worker_writes() -> None:
    api, worker = (
        {(volume["source"], volume["target"]) for volume in services()[name]["volumes"]}
        for name in ("api", "worker")
    )
    assert api == worker == {("data", services()["api"]["environment"]["VIDEOPLANET_DATA_DIR"])}
    assert {"data", "database"} <= set(resolved()["volumes"])


def test_it_is_a_pretence_unless_live_is_asked_for() -> None:
    assert services()["worker"]["environment"]["VIDEOPLANET_MODE"] == "sandbox"
    assert services(VIDEOPLANET_MODE="live")["worker"]["environment"]["VIDEOPLANET_MODE"] == "live"


def test_a_provider_key_reaches_only_those_who_use_it() -> None:
    given = services(RUNWAY_API_KEY="key-of-the-test")
    holders = {name for name, service in given.items() if "key-of-the-test" in json.dumps(service)}
    assert holders == {"api", "worker"}


def test_a_provider_key_that_is_not_set_is_not_an_empty_one() -> None:
    environment = services()["worker"]["environment"]
    assert {key: environment[key] for key in KEYS} == dict.fromkeys(KEYS)


def test_every_variable_is_explained_at_the_top_of_the_file() -> None:
    text = COMPOSE_FILE.read_text()
    explained = set(re.findall(r"[A-Z][A-Z_]+", text[: text.index("\nname:")]))
    asked_for = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    given = {variable for name in OURS for variable in services()[name].get("environment", {})}
    assert asked_for | given <= explained


def test_every_image_is_pinned() -> None:
    images = {service["image"] for name, service in services().items() if name not in OURS}
    bases = set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    for image in images | bases:
        assert re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", image), image
    assert (
        services()["temporal"]["image"].split(":")[1] == services()["temporal-schema"]["image"].split(":")[1]
    )


def test_every_mounted_file_is_in_the_repository() -> None:
    for name, service in services().items():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind":
                assert Path(volume["source"]).is_relative_to(ROOT), name
                for argument in (*(service.get("command") or []), *service["environment"].values()):
                    if str(argument).startswith(f"{volume['target']}/"):
                        assert (Path(volume["source"]) / Path(argument).name).is_file(), argument


@pytest.mark.parametrize("service", OURS)
def test_every_command_is_one_of_ours(service: str) -> None:
    command, *options = services()[service]["command"]
    result = subprocess.run(
        [sys.executable, "-m", "cli.main", command, "--help"],
        cwd=ROOT,
        env={"PATH": os.defpath, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    for option in (word for word in options if word.startswith("--")):
        assert option in result.stdout


def test_the_dockerfile_has_no_known_fault() -> None:
    result = subprocess.run(
        [BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_image_holds_the_package_and_nothing_else() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert rules.index("*") < min(number for number, rule in enumerate(rules) if rule.startswith("!"))
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    assert let_in == wheel | {"pyproject.toml", project["project"]["readme"], "requirements.lock"}


def test_every_file_that_is_copied_exists() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert set(copied) - {"."} <= let_in
    assert [name for name in sorted(let_in) if not (ROOT / name).exists()] == []


def test_the_image_does_not_run_as_root() -> None:
    final = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER (\d+):\1$", final, re.MULTILINE)
    assert 'ENTRYPOINT ["videoplanet"]' in final
