"""The whole service as real processes on loopback: Temporal, the sandbox, a worker and an API.

Each stack has its own data folder and its own ports, so that several run side by side and any part can be killed.
"""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

import httpx

from cli.running.environment import PROVIDER_KEYS
from domain.names import GENERATION_WORKFLOW, TaskQueue
from domain.orders.line_up import SPACING
from failpoints import Point
from runtime.settings import Settings
from runtime.temporal_server import command
from storage.database import Database
from storage.schema import upgrade
from tests.eventually import eventually
from tests.nursery import Forked, nursery

ROOT = Path(__file__).parent.parent
Part = Literal["temporal", "sandbox", "worker", "api"]
Process = subprocess.Popen[bytes] | Forked
_OURS = ("VIDEOPLANET_", "VIDEO_QUEUE_", "TEMPORAL_")

QUICK = {
    "VIDEOPLANET_SANDBOX_SECONDS": "1",
    "VIDEOPLANET_POLL_SECONDS": "0.2",
    "VIDEOPLANET_SEND_SECONDS": "3",
    "VIDEOPLANET_ANSWER_SECONDS": "3",
    "VIDEOPLANET_HEARTBEAT_SECONDS": "3",
    "VIDEOPLANET_NUDGE_AFTER_SECONDS": "2",
    "VIDEO_QUEUE_RETRY_DELAY": "500",
    "VIDEO_QUEUE_MAX_CONCURRENT": "50",
    "VIDEOPLANET_SPACING_SECONDS": "0",
    "VIDEOPLANET_DUPLICATE_SECONDS": "0",
    "VIDEOPLANET_RATE_READS": "1000000/minute",
    "VIDEOPLANET_RATE_WRITES": "1000000/minute",
    "VIDEOPLANET_RATE_WRONG_KEYS": "1000000/minute",
}
"""Settings that make the service as impatient as tests are."""


def freeze_at(point: Point, folder: Path) -> dict[str, str]:
    """Return the settings that freeze the first process that reaches a point."""
    return {"VIDEOPLANET_FREEZE_AT": point, "VIDEOPLANET_FREEZE_MARKER": str(folder / f"frozen-{point}")}


_PATIENCE = 60.0
_PATIENCE_WITH_FROZEN = 150.0
"""Seconds. What Temporal hands to the open polls of a stopped worker is lost until its time-outs: a minute and more."""

_NEVER_LENT = range(15_000, 32_000)
"""Ports that no system lends to a connection that goes out: one that a killed part leaves stays free for the next."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    while True:
        port = random.SystemRandom().choice(_NEVER_LENT)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Stack:
    """The processes of one deployment."""

    def __init__(
        self,
        data_dir: Path,
        settings: Mapping[str, str] | None = None,
        *,
        database_url: str | None = None,
        breaker_seconds: float = 0.5,
        tenants: str = "",
    ) -> None:
        """Start nothing yet.

        Args:
            data_dir: Of this deployment.
            settings: Environment variables of every process.
            database_url: A PostgreSQL database, migrated or not; SQLite in the data folder if None.
            breaker_seconds: How long a breaker stays open; faults that count never open it, a wrong key does at once.
            tenants: What tenants may do, as TOML; nobody has limits if empty.
        """
        self.data_dir = data_dir
        self.database_url = Settings(data_dir=data_dir, database_url=database_url).effective_database_url
        self.processes: dict[str, Process] = {}
        self._patience = _PATIENCE
        self._ports = {name: free_port() for name in ("temporal", "temporal_ui", "sandbox", "api")}
        self.api_url = f"http://127.0.0.1:{self._ports['api']}"
        self.sandbox_url = f"http://127.0.0.1:{self._ports['sandbox']}"
        self.temporal_address = f"127.0.0.1:{self._ports['temporal']}"
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in PROVIDER_KEYS and not name.startswith(_OURS)
        }
        self.environment = {
            **clean,
            "PYTHONUNBUFFERED": "1",
            "VIDEOPLANET_DATA_DIR": str(data_dir),
            "VIDEOPLANET_API_PORT": str(self._ports["api"]),
            "VIDEOPLANET_SANDBOX_PORT": str(self._ports["sandbox"]),
            "VIDEOPLANET_TEMPORAL_PORT": str(self._ports["temporal"]),
            "VIDEOPLANET_TEMPORAL_UI_PORT": str(self._ports["temporal_ui"]),
            "TEMPORAL_ADDRESS": self.temporal_address,
            **({"VIDEOPLANET_DATABASE_URL": database_url} if database_url else {}),
            "VIDEOPLANET_PROVIDERS_FILE": str(data_dir / "providers.toml"),
            "VIDEOPLANET_TENANTS_FILE": str(data_dir / "tenants.toml"),
            **QUICK,
            **(settings or {}),
        }
        # Tests of many faults share a stack: no breaker opens there, unless a test wants one.
        lenient = f"in_a_row = 10000\nwindow = 10000\nopen_seconds = {breaker_seconds}\n"
        breakers = [f"[accounts.{account}.breaker]\n{lenient}" for account in SPACING]
        (data_dir / "providers.toml").write_text("".join(breakers))
        (data_dir / "tenants.toml").write_text(tenants)
        self.http = httpx.AsyncClient(base_url=self.api_url, timeout=70, trust_env=False)

    async def start(self) -> Self:
        """Start every part and wait until the service is ready."""
        await self.migrate()
        await asyncio.gather(self.start_part("temporal"), self.start_part("sandbox"), self.start_part("api"))
        await self.start_part("worker")
        return self

    async def migrate(self) -> None:
        """Make the tables, as `videoplanet migrate` does; the search attributes came with the server's start."""
        async with Database(self.database_url) as database:
            await upgrade(database)

    async def start_part(self, part: Part, *, name: str | None = None, **settings: str) -> int:
        """Start one part and wait until it answers; return its pid.

        Args:
            part: Which.
            name: Another name, for a second worker or API.
            **settings: Environment variables of this process only; a second API needs a port of its own.
        """
        log = self.data_dir / f"{name or part}.log"
        environment = {**self.environment, **settings}
        process = self._start_temporal(log) if part == "temporal" else self._fork(part, environment, log)
        self.processes[name or part] = process
        api_port = environment["VIDEOPLANET_API_PORT"]
        await eventually(lambda: self._answers(part, process, log, api_port), within=40, what=f"{part} is up")
        return process.pid

    def _start_temporal(self, log: Path) -> Process:
        line = command(
            Path(sys.executable).parent / "temporal",
            port=self._ports["temporal"],
            ui_port=self._ports["temporal_ui"],
            db_file=self.data_dir / "temporal.db",
            headless=True,
        )
        with log.open("ab") as said:
            return subprocess.Popen(_tied(line), stdout=said, stderr=said, start_new_session=True)

    def _fork(self, part: Part, environment: Mapping[str, str], log: Path) -> Process:
        extra = ["--data-dir", str(self.data_dir / "sandbox")] if part == "sandbox" else []
        return nursery().start([part, *extra], environment=environment, log=log)

    async def _answers(self, part: Part, process: Process, log: Path, api_port: str) -> bool:
        said = await asyncio.to_thread(log.read_text, errors="replace") if log.exists() else ""
        assert process.poll() is None, f"{part} ended with status {process.returncode}:\n{said[-2000:]}"
        match part:
            case "temporal":
                return await self._temporal_answers()
            case "worker":
                return f"pid={process.pid}" in said or is_stopped(process.pid)
            case "sandbox":
                return await self._is_ok(f"{self.sandbox_url}/healthz")
            case "api":
                return is_stopped(process.pid) or await self._is_ok(f"http://127.0.0.1:{api_port}/healthz")

    async def _temporal_answers(self) -> bool:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._ports["temporal"])
            writer.close()
            await writer.wait_closed()
            return True
        return False

    async def _is_ok(self, url: str) -> bool:
        with suppress(httpx.HTTPError):
            return (await self.http.get(url, timeout=2)).status_code == httpx.codes.OK
        return False

    async def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a part; wait for its end where the signal ends it."""
        process = self.processes[name]
        process.send_signal(number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            await asyncio.to_thread(process.wait, 30)

    async def close(self) -> None:
        """End every process."""
        await self.http.aclose()
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            await asyncio.to_thread(process.wait, 30)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # What a user does.

    async def order(self, prompt: str = "A red fox in the snow", **fields: Any) -> dict[str, Any]:
        """POST a generation and return its JSON."""
        body = {"prompt": prompt, "provider": "runway", "fallback_providers": [], **fields}
        body.setdefault("params", {"duration_seconds": 2})
        answer = await self.http.post("/v1/generations", json=body)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return dict(answer.json())

    async def look(self, generation_id: str) -> dict[str, Any]:
        """GET a generation."""
        answer = await self.http.get(f"/v1/generations/{generation_id}")
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())

    async def end_of(self, generation_id: str, *, within: float = 0) -> dict[str, Any]:
        """Wait until a generation is over, and return it; the API may be away meanwhile."""

        async def ended() -> dict[str, Any] | None:
            with suppress(httpx.HTTPError):
                generation = await self.look(generation_id)
                if generation["status"] in {"completed", "failed", "cancelled"}:
                    return generation
            return None

        return await eventually(ended, within=max(within, self._patience), what=f"the end of {generation_id}")

    async def reaches(self, generation_id: str, stage: str, *, within: float = 30) -> dict[str, Any]:
        """Wait until a generation is at a stage."""

        async def there() -> dict[str, Any] | None:
            generation = await self.look(generation_id)
            return generation if generation["stage"] == stage else None

        return await eventually(there, within=within, what=f"stage {stage} of {generation_id}")

    async def events(self, generation_id: str) -> list[dict[str, Any]]:
        """GET the events of a generation."""
        answer = await self.http.get(f"/v1/generations/{generation_id}/events")
        return list(answer.json()["data"])

    async def is_frozen(self, name: str) -> bool:
        """Tell whether a part has frozen itself at the point that was asked for."""
        return is_stopped(self.processes[name].pid)

    async def freezes(self, name: str, *, within: float = 30) -> None:
        """Wait until a part has frozen itself at the point that was asked for."""
        await eventually(lambda: self.is_frozen(name), within=within, what=f"{name} freezes")
        self._patience = _PATIENCE_WITH_FROZEN

    async def jobs(self, generation_id: str | None = None) -> list[dict[str, Any]]:
        """Return the provider's jobs, as the provider counts them."""
        answer = await self.http.get(f"{self.sandbox_url}/_sandbox/jobs")
        jobs = list(answer.json()["jobs"])
        if generation_id is None:
            return jobs
        return [job for job in jobs if (job["client_reference"] or "").startswith(generation_id)]

    async def fault(self, operation: str, fault: str, times: int = 1, **more: Any) -> None:
        """Make the provider misbehave."""
        body = {"provider": "runway", "operation": operation, "fault": fault, "times": times, **more}
        answer = await self.http.post(f"{self.sandbox_url}/_sandbox/faults", json=body)
        assert answer.is_success, answer.text

    async def temporal(self, *arguments: str) -> str:
        """Run the `temporal` command line against this stack."""
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "temporal"),
            *arguments,
            "--address",
            self.temporal_address,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    async def signal_with_start(self, workflow_id: str, signal_name: str) -> None:
        """Signal a workflow by hand, without arguments, as an operator would."""
        await self.temporal(
            "workflow", "signal-with-start",
            "--workflow-id", workflow_id,
            "--type", GENERATION_WORKFLOW,
            "--task-queue", TaskQueue.GENERATIONS,
            "--signal-name", signal_name,
        )  # fmt: skip

    async def run_ends(self, workflow_id: str) -> None:
        """Wait until no run of a workflow is open."""

        async def ended() -> bool:
            described = await self.temporal("workflow", "describe", "-w", workflow_id, "-o", "json")
            return "RUNNING" not in json.loads(described)["workflowExecutionInfo"]["status"]

        await eventually(ended, what=f"the last run of {workflow_id} ends")


def _tied(line: list[str]) -> list[str]:
    """Return the command line that ends with the tests, however those end."""
    return [sys.executable, "-I", "-S", str(ROOT / "cli" / "running" / "tied.py"), str(os.getpid()), *line]


def is_stopped(pid: int) -> bool:
    """Tell whether a process is frozen by SIGSTOP."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rsplit(")", 1)[1].split()[0] == "T"
