"""A configuration that nobody can work with ends every part at its start, with one line that says what is right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.running.provider_keys import VARIABLES
from tests.stack import ROOT

BAD_FILE = '[accounts.runway.models."gen9"]\nunit = "second"\nusd = 1\nread_on = 2026-11-20\n'
NO_MODEL = "Runway has no model 'gen9'; there are gen4.5, gen4_turbo"
OWN_SERVER = {"VIDEOPLANET_MODE": "live", "VIDEOPLANET_STABILITY_BASE_URL": "http://127.0.0.1:9"}
NO_PRICE = "VIDEOPLANET_STABILITY_PRICE_USD is not set"


def started(folder: Path, *command: str, **settings: str) -> tuple[int, str]:
    """Start a part and return how it ended, and what it said; nothing it needs is there."""
    ours = ("VIDEOPLANET_", "VIDEO_QUEUE_", "TEMPORAL_", *VARIABLES.values())
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    ended = subprocess.run(
        [sys.executable, "-m", "cli.main", *command],
        cwd=ROOT,
        env=clean | {"VIDEOPLANET_DATA_DIR": str(folder), "VIDEOPLANET_API_PORT": "0"} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(("part", "status"), [("api", 1), ("worker", 1), ("up", 2)])
def test_a_bad_file_is_refused_with_the_file_and_the_key(tmp_path: Path, part: str, status: int) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(BAD_FILE)
    code, said = started(tmp_path, part, VIDEOPLANET_PROVIDERS_FILE=str(file))
    assert code == status
    assert f"{file}: accounts.runway.models: {NO_MODEL}" in said.replace("\n", " ").replace("\\'", "'")
    assert "Traceback" not in said


@pytest.mark.parametrize(("part", "status"), [("api", 1), ("worker", 1), ("up", 2)])
def test_a_server_of_ones_own_without_a_price_is_refused(tmp_path: Path, part: str, status: int) -> None:
    code, said = started(tmp_path, part, **OWN_SERVER)
    assert code == status
    assert NO_PRICE in said
    assert "Traceback" not in said


def test_the_doctor_says_it_before_anything_is_started(tmp_path: Path) -> None:
    code, said = started(tmp_path, "doctor", **OWN_SERVER)
    assert code == 1
    assert NO_PRICE in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("RUNWAY_API_KEY", "two words", "a key has printable ASCII characters only"),
        ("VIDEOPLANET_STABILITY_PRICE_USD", "-1", "greater than or equal to 0"),
        ("VIDEOPLANET_API_PORT", "x", "valid integer"),
    ],
)
def test_a_setting_that_nobody_can_work_with_is_named_as_it_was_set(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    code, said = started(tmp_path, "api", **{variable: value})
    assert code == 2
    assert said.startswith(f"{variable}: ")
    assert words in said.replace("\n", " ")
    assert value not in said
    assert "Traceback" not in said
