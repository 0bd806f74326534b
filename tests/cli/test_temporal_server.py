"""The command line really starts a Temporal server with all that we need."""

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import httpx

from cli.running.ports import Claims, choose
from runtime.settings import Settings
from runtime.temporal_server import SEARCH_ATTRIBUTES, command, find_binary
from tests.eventually import wait_until


def test_the_command_line_starts_a_server_with_a_ui_our_search_attributes_and_a_file(tmp_path: Path) -> None:
    binary = find_binary()
    assert binary is not None
    claims = Claims()
    ports = choose(Settings(data_dir=tmp_path), claims)
    file = tmp_path / "temporal.db"
    line = command(binary, port=ports.temporal, ui_port=ports.temporal_ui, db_file=file)
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(line, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{ports.temporal_ui}/api/v1/namespaces/default"
        wait_until(lambda: _answers(url), within=60, what="the namespace can be used")
        address = f"127.0.0.1:{ports.temporal}"
        found = subprocess.run(
            [str(binary), "operator", "search-attribute", "list", "--address", address, "--output", "json"],
            capture_output=True,
            check=True,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )
        listed = json.loads(found.stdout)
        custom = listed.get("customAttributes", listed)
        for name, kind in SEARCH_ATTRIBUTES.items():
            assert kind.lower() in str(custom[name]).lower()
        with sqlite3.connect(file) as database:
            assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        database.close()
    finally:
        server.terminate()
        server.wait(30)
        claims.release()


def test_a_headless_server_has_no_ui() -> None:
    line = command(Path("temporal"), port=1, ui_port=2, db_file=Path("x.db"), headless=True)
    assert "--headless" in line
    assert "--ui-port" not in line


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False
