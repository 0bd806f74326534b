"""What this machine gives: Python, disk, the `temporal` command, a database that can be written."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import make_url

from cli.doctor.checks import Check, State
from cli.running import stack
from runtime import temporal_server
from runtime.settings import Settings

_PYTHON_LEAST = (3, 11)
_DISK_LEAST_BYTES = 1_000_000_000
_BINARY_SECONDS = 20
_SQLITE_PREFIX = "sqlite"


def python() -> Check:
    """Look at this Python's version."""
    found = sys.version.split()[0]
    if sys.version_info[:2] < _PYTHON_LEAST:
        return Check(name="Python", state=State.PROBLEM, found=found, advice="install Python 3.11 or newer")
    return Check(name="Python", state=State.OK, found=found)


def disk(data_dir: Path) -> Check:
    """Look whether there is room for videos."""
    folder = _existing(data_dir)
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free for {data_dir.absolute()}"
    if free < _DISK_LEAST_BYTES:
        advice = "make room, or set VIDEOPLANET_DATA_DIR to a folder on a larger disk"
        return Check(name="disk", state=State.PROBLEM, found=found, advice=advice)
    return Check(name="disk", state=State.OK, found=found)


def temporal_binary(environ: Mapping[str, str]) -> Check:
    """Look for the `temporal` command, and whether it runs; needed unless a server elsewhere is named."""
    name = "temporal binary"
    binary = temporal_server.find_binary()
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


def database(settings: Settings) -> Check:
    """Look whether the database can be written, or reached where it is a server."""
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


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
