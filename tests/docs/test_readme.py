"""The README's walk-through works line by line, and its tables say what the code says."""

import asyncio
import re
from pathlib import Path

from typer.testing import CliRunner

from api.problems import CODES
from cli.main import app
from cli.running.provider_keys import VARIABLES
from domain.orders.line_up import ENTRIES
from runtime.provider_doors import variables_of
from tests.stack import ROOT, Stack

README = (ROOT / "README.md").read_text()


def walk_through() -> str:
    found = re.search(r"<!-- walk-through:.*?-->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found, "the README has lost its walk-through"
    return found[1]


async def test_every_line_of_the_walk_through_works(stack: Stack, tmp_path: Path) -> None:
    script = walk_through().replace("http://127.0.0.1:8000", stack.api_url)
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    said = output.decode()
    assert process.returncode == 0, said
    assert "urn:videoplanet:problem" not in said, said
    assert (tmp_path / "fox.mp4").read_bytes()[4:8] == b"ftyp"
    assert (tmp_path / "fox.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert "event: generation.completed" in said


def test_every_problem_code_is_in_the_table() -> None:
    told = re.findall(r"^\| (\d{3}) \| `(\w+)` \| (.*) \|$", README, re.MULTILINE)
    assert {(code, int(status), title) for status, code, title in told} == {
        (code, status, title) for code, (status, title) in CODES.items()
    }


def test_every_setting_that_is_named_exists() -> None:
    known = (ROOT / "runtime" / "settings.py").read_text() + (ROOT / "sandbox" / "settings.py").read_text()
    doors = {variable for entry in ENTRIES for variable in variables_of(entry.door).values()}
    for name in set(re.findall(r"VIDEOPLANET_([A-Z_]+)\b", README)):
        if f"VIDEOPLANET_{name}" in doors:
            continue
        assert re.search(rf"\b(sandbox_)?{name.lower().removeprefix('sandbox_')}\b", known), name


def test_every_key_of_a_provider_is_named() -> None:
    assert all(f"`{variable}`" in README for variable in VARIABLES.values())


_GROUPS = frozenset({"keys"})
"""Commands whose first word is an action with options of its own."""


def test_every_command_that_is_shown_exists_with_its_options() -> None:
    shown = re.findall(r"^videoplanet (\w+) ?(.*?)(?:  +#|$)", README, re.MULTILINE)
    assert len(shown) > 4
    for command, arguments in shown:
        action = arguments.partition(" ")[0] if command in _GROUPS else ""
        path = [command, action] if action else [command]
        described = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
        assert described.exit_code == 0, command
        for option in re.findall(r"(?<= )--[\w-]+", f" {arguments}"):
            assert option in described.stdout, f"{command} {option}"
