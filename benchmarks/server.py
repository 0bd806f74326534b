"""A Temporal server of one's own for a measurement, as `videoplanet up` starts it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from temporalio.client import Client
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from runtime.settings import Settings
from runtime.temporal import connect
from runtime.temporal_server import command, find_binary

RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "domain", "pydantic", "pydantic_core", "ulid", "benchmarks", "runtime", "storage", "activities"
    )
)
_TRIES = 100


@asynccontextmanager
async def temporal_server(folder: Path) -> AsyncIterator[Client]:
    """Start a server on loopback, and end it with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    binary = find_binary()
    if binary is None:
        raise RuntimeError("the `temporal` command is missing: install the requirements again")
    line = command(binary, port=port, ui_port=0, db_file=folder / "temporal.db", headless=True)
    process = await asyncio.create_subprocess_exec(*line, stdout=asyncio.subprocess.DEVNULL)
    try:
        yield await _connected(Settings(temporal_port=port))
    finally:
        process.terminate()
        await process.wait()


async def _connected(settings: Settings) -> Client:
    for _ in range(_TRIES):
        with suppress(RuntimeError):
            return await connect(settings)
        await asyncio.sleep(0.1)
    raise RuntimeError("the Temporal server does not answer")
