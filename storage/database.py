"""The two connections to the database: one that writes, one that reads.

SQLite has one writer at a time by nature, so the writer engine holds a single connection and every write
transaction takes the lock at its beginning (BEGIN IMMEDIATE): a writer waits in line instead of failing half-way.
WAL lets readers go on meanwhile; `synchronous=FULL` makes a commit survive a power cut, as a 202 promises.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

BUSY_TIMEOUT_MS = 30_000


Given = ParamSpec("Given")
Result = TypeVar("Result")


def uninterrupted(
    work: Callable[Given, Coroutine[Any, Any, Result]],
) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """Let a transaction come to its end even if whoever waits for it is cancelled; then they are.

    A statement that is cancelled half-way takes its connection with it, and the writer has only one.
    """

    @wraps(work)
    async def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        task = asyncio.create_task(work(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise

    return run


class Database:
    """A writer and a reader engine over one database."""

    def __init__(self, url: str) -> None:
        """Open nothing yet; connections are made when needed.

        Args:
            url: An async SQLAlchemy URL: `sqlite+aiosqlite:///...` or `postgresql+asyncpg://...`.
        """
        self.url = url
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.writer = _sqlite_engine(url, pool_size=1, begin="BEGIN IMMEDIATE")
            self.reader = _sqlite_engine(url, pool_size=4, begin="BEGIN")
        else:
            self.writer = create_async_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True)
            self.reader = self.writer

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One write transaction: all of it is committed, or none."""
        async with self.writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent look."""
        async with self.reader.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self.writer.dispose()
        if self.reader is not self.writer:
            await self.reader.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _sqlite_engine(url: str, *, pool_size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=BUSY_TIMEOUT_MS / 1000
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: object) -> None:
        # The driver would begin transactions by itself, and late; the `begin` listener does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
