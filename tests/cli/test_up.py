"""`videoplanet up` for real: every part a process of its own, one video through all of them."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from cli.running.environment import PROVIDER_KEYS
from cli.running.operator_key import read
from cli.running.ports import load
from cli.running.provider_keys import VARIABLES
from cli.running.stack import PROCESSES_FILE
from tests.cli.alive import is_alive
from tests.eventually import wait_until

PARTS = {"temporal", "sandbox", "worker", "api"}


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("VIDEO", "TEMPORAL_"))}
    clean = {name: value for name, value in ours.items() if name not in PROVIDER_KEYS}
    return clean | {"VIDEOPLANET_DATA_DIR": str(data_dir), "VIDEOPLANET_SANDBOX_SECONDS": "1"} | more


class Up:
    """A running `videoplanet up`."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str], *options: str) -> None:
        self.data_dir = data_dir
        self.environ = environ
        self._output = data_dir.with_suffix(".txt")
        with self._output.open("wb") as file:
            line = [sys.executable, "-m", "cli.main", "up", *options]
            self.process = subprocess.Popen(line, env=environ, stdout=file, stderr=file)

    def said(self, words: str) -> bool:
        assert self.process.poll() is None, self.output()
        return words in self.output()

    def output(self) -> str:
        return self._output.read_text()

    def parts(self) -> dict[str, int]:
        with suppress(FileNotFoundError):
            found: dict[str, int] = json.loads((self.data_dir / PROCESSES_FILE).read_bytes())
            return found
        return {}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "cli.main", *arguments]
        return subprocess.run(
            line, env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )


@contextmanager
def up(data_dir: Path, *options: str, **more: str) -> Iterator[Up]:
    running = Up(data_dir, environment(data_dir, **more), *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()
        wait_until(lambda: not any(map(is_alive, running.parts().values())), what="its parts have ended")


@pytest.mark.smoke
def test_one_command_makes_one_video_says_where_it_is_and_leaves_nothing_running(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with up(data_dir, "--once", "--prompt", "a lighthouse in a storm") as running:
        code = running.process.wait(120)
        output = running.output()
        assert code == 0, output
        path = Path(next(line for line in output.splitlines() if line.startswith("video ")).split()[1])
        assert path.stat().st_size > 1000
        assert path.is_relative_to(data_dir)
        assert "a lighthouse in a storm" in output
        assert "sandbox, $0.00 real" in output
        assert "/namespaces/default/workflows/gen_" in output
        assert not (data_dir / "processes.json").exists()


@pytest.mark.chaos
def test_a_stack_survives_the_death_of_its_parts_and_of_itself(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with up(data_dir) as running:
        wait_until(lambda: running.said("serving until Ctrl-C"), within=120, what="it serves")
        before = running.parts()
        assert before.keys() == PARTS
        ports = load(data_dir)

        for part in ("api", "worker"):
            os.kill(before[part], signal.SIGKILL)
        wait_until(
            lambda: all(running.parts()[part] != before[part] for part in ("api", "worker")),
            what="both run again",
        )
        assert running.said("api was ended by SIGKILL; starting it again")
        ordered = running.command("generate", "after a crash", "--json")
        assert ordered.returncode == 0, ordered.stderr
        first = json.loads(ordered.stdout)
        assert first["status"] == "completed"

        second = Up(data_dir.with_name("second"), running.environ)
        assert second.process.wait(30) == 2
        assert "another `videoplanet up`" in second.output()

        parts = running.parts()
        running.process.kill()
        wait_until(lambda: not any(map(is_alive, parts.values())), what="its parts have ended with it")

    with up(data_dir) as running:
        wait_until(lambda: running.said("serving until Ctrl-C"), within=120, what="it serves again")
        assert load(data_dir) == ports
        shown = running.command("show", first["id"], "--json")
        assert json.loads(shown.stdout)["status"] == "completed"
        assert running.command("doctor").returncode == 0
        _is_closed_to_all_but_the_operator(running)

        parts = running.parts()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 0
        assert not any(map(is_alive, parts.values()))
        assert "Traceback" not in running.output()


def _is_closed_to_all_but_the_operator(running: Up) -> None:
    ports, key = load(running.data_dir), read(running.data_dir)
    assert ports
    assert key
    assert (running.data_dir / "operator.key").stat().st_mode & 0o777 == 0o600
    url = f"http://127.0.0.1:{ports.api}"
    with httpx.Client(base_url=url, trust_env=False) as http:
        assert http.get("/v1/me").status_code == 401
        link = re.search(r"log in, once, within an hour: (\S+)", running.output())
        assert link
        assert link[1].startswith(f"{url}/login?token=vpl_")
        assert http.post("/login", data={"token": link[1].partition("=")[2]}).status_code == 303
        assert len(http.get("/v1/me").json()["scopes"]) == 5
    said = running.command("env").stdout
    assert said.splitlines() == [f"export VIDEOPLANET_URL={url}", f"export VIDEOPLANET_KEY={key}"]
    assert running.command("login").stdout.startswith(f"{url}/login?token=vpl_")
    assert key not in running.output()


def test_a_part_that_cannot_start_ends_up_with_its_log(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    (tmp_path / "file").touch()
    database = f"sqlite+aiosqlite:///{tmp_path / 'file' / 'is_no_folder.db'}"
    with up(data_dir, "--once", VIDEOPLANET_DATABASE_URL=database) as running:
        assert running.process.wait(120) == 3
        assert "migrate ended with status 1" in running.output()
        assert "FileExistsError" in running.output()


@pytest.mark.parametrize("key", ["", "STABILITY_API_KEY"], ids=["no key", "the key of a retired door"])
def test_live_mode_without_a_usable_key_is_refused_before_anything_starts(tmp_path: Path, key: str) -> None:
    with up(tmp_path / "data", "--live", **({key: "sk-secret"} if key else {})) as running:
        assert running.process.wait(30) == 2
        for name in VARIABLES.values():
            assert name in running.output()
        assert ("retired since 2025-07-24" in running.output()) == bool(key)
        assert "secret" not in running.output()
    assert not (tmp_path / "data").exists()
