"""`videoplanet doctor`: looks for what keeps the service from running on this machine, and says what to do."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url

from cli import console
from cli.address import api_url
from cli.asking.orders import print_json
from cli.client import Client, Refused, Unreachable
from cli.exits import Exit
from cli.running import lock, ports, provider_keys, stack
from domain.generation import DeploymentMode
from runtime.accounts import access_of
from runtime.misconfigured import Misconfigured
from runtime.providers_file import prices_of
from runtime.settings import Settings

_PYTHON_LEAST = (3, 11)
_DISK_LEAST_BYTES = 1_000_000_000
_BINARY_SECONDS = 20
_API_SECONDS = 5
_SQLITE_PREFIX = "sqlite"


class State(StrEnum):
    """How a check ended; `off` is what does not run and need not."""

    OK = "ok"
    OFF = "off"
    PROBLEM = "problem"


class Check(BaseModel):
    """One thing that was looked at.

    Attributes:
        found: What is there.
        advice: What to do about it; empty where nothing is to be done.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    state: State
    found: str
    advice: str = ""


def run(settings: Settings, environ: Mapping[str, str], *, as_json: bool) -> Exit:
    """Look at everything and print it; FAILED where there is a problem."""
    checks = list(examine(settings, environ))
    healthy = all(check.state is not State.PROBLEM for check in checks)
    if as_json:
        print_json({"ok": healthy, "checks": [check.model_dump(mode="json") for check in checks]})
    else:
        _print(checks)
    return Exit.OK if healthy else Exit.FAILED


def examine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Make every check, one after the other."""
    is_up = lock.running(settings.data_dir)
    remembered = ports.load(settings.data_dir) if is_up else None
    yield _python()
    yield _disk(settings.data_dir)
    yield _temporal_binary(environ)
    yield _database(settings)
    for account in provider_keys.looked_at(settings):
        yield _key(account)
    prices = _prices(settings)
    yield prices
    if settings.mode is DeploymentMode.LIVE and prices.state is State.OK:
        yield _live(settings)
    for part in stack.listening_parts(settings, environ):
        yield _port(part, settings, remembered)
    yield asyncio.run(_api(settings, named="VIDEOPLANET_URL" in environ, is_up=is_up))
    external = environ.get("TEMPORAL_ADDRESS")
    port = remembered.temporal if remembered else settings.temporal_port
    yield asyncio.run(_temporal(external or f"127.0.0.1:{port}", must=is_up or external is not None))


def _python() -> Check:
    found = sys.version.split()[0]
    if sys.version_info[:2] < _PYTHON_LEAST:
        return Check(name="Python", state=State.PROBLEM, found=found, advice="install Python 3.11 or newer")
    return Check(name="Python", state=State.OK, found=found)


def _disk(data_dir: Path) -> Check:
    folder = _existing(data_dir)
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free for {data_dir.absolute()}"
    if free < _DISK_LEAST_BYTES:
        advice = "make room, or set VIDEOPLANET_DATA_DIR to a folder on a larger disk"
        return Check(name="disk", state=State.PROBLEM, found=found, advice=advice)
    return Check(name="disk", state=State.OK, found=found)


def _temporal_binary(environ: Mapping[str, str]) -> Check:
    name = "temporal binary"
    binary = stack.temporal_binary()
    advice = "run `make install`, or set TEMPORAL_ADDRESS to a server elsewhere"
    needed = State.OFF if environ.get("TEMPORAL_ADDRESS") else State.PROBLEM
    if binary is None:
        return Check(name=name, state=needed, found="missing", advice=advice)
    try:
        version = subprocess.run(  # noqa: S603 - the binary that `up` itself starts
            [str(binary), "--version"], capture_output=True, text=True, timeout=_BINARY_SECONDS, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        return Check(name=name, state=needed, found=f"{binary} does not run: {error}", advice=advice)
    return Check(name=name, state=State.OK, found=version)


def _database(settings: Settings) -> Check:
    name = "database"
    url = make_url(settings.effective_database_url)
    if not url.drivername.startswith(_SQLITE_PREFIX):
        reached = asyncio.run(stack.listens(f"{url.host or '127.0.0.1'}:{url.port or 5432}"))
        found = f"{url.drivername} at {url.host}:{url.port or 5432}"
        if reached:
            return Check(name=name, state=State.OK, found=found)
        advice = "start the database, or correct VIDEOPLANET_DATABASE_URL"
        return Check(name=name, state=State.PROBLEM, found=f"{found} cannot be reached", advice=advice)
    file = Path(url.database or "")
    try:
        _try_to_write(file)
    except (OSError, sqlite3.Error) as error:
        advice = f"make {file.parent} writable, or set VIDEOPLANET_DATA_DIR to another folder"
        return Check(name=name, state=State.PROBLEM, found=f"{file}: {error}", advice=advice)
    return Check(name=name, state=State.OK, found=f"{file} can be written")


def _try_to_write(file: Path) -> None:
    """Write, and take it back: into the database if there is one, else where it will be made."""
    if not file.exists():
        with tempfile.TemporaryFile(dir=_existing(file.parent)):
            return
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=5, isolation_level=None
    )
    try:
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version = {int(version)}")
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _key(account: provider_keys.Account) -> Check:
    name = f"key of {account.name}"
    if account.is_retired:
        return Check(
            name=name,
            state=State.OFF,
            found=f"{account.variable} is set; {provider_keys.RETIRED}",
            advice=provider_keys.INSTEAD,
        )
    if account.server:
        found = (
            f"{account.variable} {'is set' if account.has_key else 'is not set'}; server at {account.server}"
        )
        return Check(name=name, state=State.OK, found=found)
    if account.has_key:
        return Check(name=name, state=State.OK, found=f"{account.variable} is set")
    advice = (
        f"{provider_keys.RETIRED}: {provider_keys.INSTEAD}"
        if account.was_hosted
        else f"for live mode, set {account.variable}"
    )
    return Check(name=name, state=State.OFF, found=f"{account.variable} is not set", advice=advice)


def _prices(settings: Settings) -> Check:
    name = "prices"
    try:
        told = prices_of(settings)
        access_of(settings)
    except Misconfigured as error:
        advice = "correct it; no part of the service starts before"
        return Check(name=name, state=State.PROBLEM, found=str(error), advice=advice)
    models = [model for prices in told.values() for model in prices]
    found = f"built in, but for {', '.join(models)}" if models else "built in"
    return Check(name=name, state=State.OK, found=found)


def _live(settings: Settings) -> Check:
    usable = provider_keys.usable(settings)
    if usable:
        return Check(name="live mode", state=State.OK, found=f"can use {', '.join(usable)}")
    advice = f"set {provider_keys.choice()}, or leave live mode"
    return Check(name="live mode", state=State.PROBLEM, found="no key can be used", advice=advice)


def _port(part: str, settings: Settings, remembered: ports.Ports | None) -> Check:
    name = f"port of {part.replace('_', ' ')}"
    if remembered is not None:
        return Check(name=name, state=State.OK, found=f"{getattr(remembered, part)}, ours")
    setting = f"{part}_port"
    port: int = getattr(settings, setting)
    if port == 0 or ports.is_free(port, settings.api_host if part == "api" else "127.0.0.1"):
        return Check(name=name, state=State.OK, found=f"{port or 'any'}, free")
    variable = f"VIDEOPLANET_{part.upper()}_PORT"
    if setting in settings.model_fields_set:
        advice = f"end the program that has it, or change {variable}"
        return Check(name=name, state=State.PROBLEM, found=f"{port}, taken", advice=advice)
    found = f"{port}, taken by another program; `up` will take the next free one"
    return Check(name=name, state=State.OK, found=found)


async def _api(settings: Settings, *, named: bool, is_up: bool) -> Check:
    url = api_url(settings)
    try:
        async with asyncio.timeout(_API_SECONDS), Client(url) as client:
            await client.get("/readyz")
    except (Refused, Unreachable, TimeoutError) as error:
        if named or is_up:
            advice = f"look into {settings.data_dir / 'logs' / 'api.log'}, or correct VIDEOPLANET_URL"
            return Check(
                name="API", state=State.PROBLEM, found=str(error) or f"no answer from {url}", advice=advice
            )
        return Check(
            name="API", state=State.OFF, found=f"not running at {url}", advice="start `videoplanet up`"
        )
    return Check(name="API", state=State.OK, found=f"ready at {url}")


async def _temporal(address: str, *, must: bool) -> Check:
    if await stack.listens(address):
        return Check(name="Temporal", state=State.OK, found=f"listens at {address}")
    state = State.PROBLEM if must else State.OFF
    advice = "start it, or correct TEMPORAL_ADDRESS" if must else "start `videoplanet up`"
    return Check(name="Temporal", state=state, found=f"nothing at {address}", advice=advice)


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def _print(checks: list[Check]) -> None:
    output = console.output()
    table = Table(box=None, pad_edge=False)
    for column in ("", "check", "found", "what to do"):
        table.add_column(column, overflow="fold")
    styles = {State.OK: "green", State.OFF: "dim", State.PROBLEM: "red"}
    for check in checks:
        style = styles[check.state]
        table.add_row(Text(check.state.value, style=style), check.name, Text(check.found), Text(check.advice))
    console.print_table(output, table)
