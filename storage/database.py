"""The two connections to the database: one that writes, one that reads.

PostgreSQL has many writers at once. What SQLite gives by nature is asked for there: a change of a generation holds its
row from the beginning, so that every transaction takes its locks in one order, and a look is one snapshot.

SQLite has one writer at a time by nature, so the writer engine holds a single connection and every write
transaction takes the lock at its beginning (BEGIN IMMEDIATE): a writer waits in line instead of failing half-way.
WAL lets readers go on meanwhile; `synchronous=FULL` makes a commit survive a power cut, as a 202 promises.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import aiosqlite
from sqlalchemy import Connection, Dialect, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.tables import generations

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
            self.writer = _postgresql_engine(url)
            self.reader = self.writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @asynccontextmanager
    async def write(self, generation_id: str | None = None) -> AsyncIterator[AsyncConnection]:
        """One write transaction: all of it is committed, or none.

        Args:
            generation_id: The generation that it changes; nobody else changes it meanwhile.
        """
        async with self.writer.begin() as connection:
            if generation_id is not None:
                await alone_with(connection, generation_id)
            yield connection

    @asynccontextmanager
    async def change_schema(self) -> AsyncIterator[AsyncConnection]:
        """One write transaction that changes tables, while no other does.

        SQLite changes a table by making it anew. With foreign keys on, dropping the old one would delete the rows of
        every table that refers to it; so they are off meanwhile (which works before a transaction only), and checked
        at its end.

        Raises:
            RuntimeError: A reference would lead nowhere; nothing is changed.
        """
        if not self.is_sqlite:
            async with self.write() as connection:
                # Whoever comes second waits for the first, however long that takes.
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                await one_at_a_time(connection, "schema")
                yield connection
            return
        engine = _sqlite_engine(self.url, pool_size=1, begin="BEGIN IMMEDIATE", foreign_keys=False)
        try:
            async with engine.begin() as connection:
                yield connection
                if broken := (await connection.execute(text("PRAGMA foreign_key_check"))).all():
                    raise RuntimeError(f"the change leaves references that lead nowhere: {broken[:3]}")
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent look."""
        async with self.reader.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self.writer.dispose()
        if self.is_sqlite:
            await self.reader.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def alone_with(connection: AsyncConnection, generation_id: str) -> None:
    """Wait until nobody else changes a generation, and keep it so until the transaction ends.

    Args:
        connection: The transaction; on SQLite a write transaction is alone by nature.
        generation_id: Which.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(
            select(generations.c.id).where(generations.c.id == generation_id).with_for_update()
        )


async def one_at_a_time(connection: AsyncConnection, what: str) -> None:
    """Wait until no other transaction works on the same thing that has no row (yet), until this one ends.

    Args:
        connection: The transaction; on SQLite a write transaction is alone by nature.
        what: The thing's name.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))


def _postgresql_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_size=10,
        max_overflow=20,
        pool_pre_ping=True,
        # What `alone_with` is built on: each statement sees what was committed before it began.
        isolation_level="READ COMMITTED",
        connect_args={
            "server_settings": {
                "lock_timeout": str(BUSY_TIMEOUT_MS),
                # A process that was frozen in the middle of a transaction must not hold its rows until it wakes.
                "idle_in_transaction_session_timeout": str(BUSY_TIMEOUT_MS),
            }
        },
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(
        dialect: Dialect, _: object, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> DBAPIConnection:
        # A server that is away is an error of the operating system, which passes SQLAlchemy by.
        try:
            return dialect.connect(*arguments, **named)
        except OSError as error:
            raise OperationalError("connect", None, error) from error

    return engine


def _sqlite_engine(url: str, *, pool_size: int, begin: str, foreign_keys: bool = True) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,  # an error's text must not carry a prompt into logs and histories
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_MS / 1000,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: object) -> None:
        # The driver would begin transactions by itself, and late; the `begin` listener does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.run_async(_with_write_ahead_log)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


async def _with_write_ahead_log(connection: aiosqlite.Connection) -> None:
    """Turn the journal to WAL: the first to do it needs the file alone, and `busy_timeout` does not wait for that."""
    deadline = asyncio.get_running_loop().time() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            await connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.01)
        else:
            return
