"""The connections: what SQLite gives by nature and PostgreSQL is asked for, and a commit that survives a power cut."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.database import Database, alone_with, one_at_a_time
from storage.tables import generations
from tests.eventually import eventually
from tests.postgres import PostgresServer
from tests.storage.steps import a_second, created, database_at

COUNT = text("SELECT count(*) FROM generations")
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


async def pragma(connection: AsyncConnection, name: str) -> object:
    return (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()


async def setting(connection: AsyncConnection, name: str) -> object:
    return (await connection.execute(text(f"SHOW {name}"))).scalar_one()


async def test_both_engines_of_sqlite_are_set_up_as_promised(sqlite: Database) -> None:
    for open_one in (sqlite.write, sqlite.read):
        async with open_one() as connection:
            assert await pragma(connection, "journal_mode") == "wal"
            assert await pragma(connection, "synchronous") == 2  # FULL
            assert await pragma(connection, "foreign_keys") == 1
            assert await pragma(connection, "busy_timeout") == 30_000


async def test_both_ways_into_postgresql_are_set_up_as_promised(postgresql: Database) -> None:
    for open_one, isolation, is_read_only in (
        (postgresql.write, "read committed", "off"),
        (postgresql.read, "repeatable read", "on"),
        (postgresql.write, "read committed", "off"),
    ):
        async with open_one() as connection:
            assert await setting(connection, "transaction_isolation") == isolation
            assert await setting(connection, "transaction_read_only") == is_read_only
            assert await setting(connection, "lock_timeout") == "30s"
            # Else a frozen process would hold a generation until it wakes.
            assert await setting(connection, "idle_in_transaction_session_timeout") == "30s"


async def test_the_file_and_its_folders_are_made_when_needed(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there.db"
    async with database_at(path) as database:
        await schema.upgrade(database)
    assert path.exists()


async def somebody_waits(database: Database) -> bool:
    async with database.read() as connection:
        return bool((await connection.execute(WAITING)).scalar_one())


async def test_who_changes_a_generation_is_alone_with_it_and_in_nobodys_way_elsewhere(
    postgresql: Database,
) -> None:
    one, other = await created(postgresql), await created(postgresql)
    order: list[str] = []

    async def second() -> None:
        async with postgresql.write(one) as connection:
            seen = (
                await connection.execute(select(generations.c.prompt).where(generations.c.id == one))
            ).scalar_one()
            order.append(seen)

    async with postgresql.write(one) as connection:
        waiting = asyncio.create_task(second())
        await eventually(lambda: somebody_waits(postgresql), what="the second writer waits")
        async with postgresql.write(other):
            order.append("elsewhere")
        await connection.execute(update(generations).where(generations.c.id == one).values(prompt="first"))
    await waiting
    assert order == ["elsewhere", "first"]


async def test_what_has_no_row_is_waited_for_by_its_name(postgresql: Database) -> None:
    order: list[str] = []

    async def second() -> None:
        async with postgresql.write() as connection:
            await one_at_a_time(connection, "a name")
            order.append("second")

    async with postgresql.write() as connection:
        await one_at_a_time(connection, "a name")
        waiting = asyncio.create_task(second())
        await eventually(lambda: somebody_waits(postgresql), what="the second writer waits")
        async with postgresql.write() as elsewhere:
            await one_at_a_time(elsewhere, "another name")
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_a_process_that_freezes_in_a_transaction_does_not_keep_its_generation(
    postgresql: Database,
) -> None:
    generation_id = await created(postgresql)
    async with postgresql.writer.connect() as frozen:
        await frozen.execute(text("SET LOCAL idle_in_transaction_session_timeout = 50"))
        await alone_with(frozen, generation_id)
        async with asyncio.timeout(20), postgresql.write(generation_id) as connection:
            await connection.execute(COUNT)
        with pytest.raises(DBAPIError):
            await frozen.execute(COUNT)
        await frozen.invalidate()


async def test_a_database_that_is_away_is_one_kind_of_error_and_comes_back_by_itself() -> None:
    async with PostgresServer() as server, Database(await server.fresh()) as database:
        generation_id = await created(database)
        await server.stop()
        for _ in range(2):
            with pytest.raises(SQLAlchemyError):
                await created(database)
        await server.start()
        async with database.read() as connection:
            assert (await connection.execute(select(generations.c.id))).scalar_one() == generation_id
        await created(database)


async def test_a_second_writer_of_a_file_waits_for_the_first_and_then_goes_on(sqlite: Database) -> None:
    order: list[str] = []
    begun = asyncio.Event()
    finish = asyncio.Event()

    async def first() -> None:
        async with sqlite.write() as connection:
            begun.set()
            await finish.wait()
            await connection.execute(COUNT)
            order.append("first")

    async def second(other: Database) -> None:
        await begun.wait()
        async with other.write() as connection:
            await connection.execute(COUNT)
            order.append("second")

    async with a_second(sqlite) as other:
        async with (
            other.write() as connection
        ):  # connected before the race, so that only the lock is waited for
            await connection.execute(COUNT)
        both = asyncio.gather(first(), second(other))
        await begun.wait()
        async with sqlite.read() as connection:  # a reader goes on meanwhile
            assert (await connection.execute(COUNT)).scalar_one() == 0
        assert order == []
        finish.set()
        await both
    assert order == ["first", "second"]


async def test_a_write_transaction_holds_the_lock_from_its_beginning(sqlite: Database) -> None:
    async with a_second(sqlite) as other, sqlite.write(), other.reader.connect() as impatient:
        await impatient.exec_driver_sql("PRAGMA busy_timeout=0")
        with pytest.raises(OperationalError, match="database is locked"):
            await impatient.exec_driver_sql("DELETE FROM generations")


async def test_writers_who_first_read_and_then_write_never_fail_half_way(database: Database) -> None:
    async with a_second(database) as other:
        await asyncio.gather(*(created(one) for one in (database, other) * 20))
    async with database.read() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 40


async def test_what_raises_inside_a_transaction_is_undone_and_frees_the_lock(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO events (generation_id, seq) VALUES ('x', 1)"))
    await created(database)
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM events"))).scalar_one() == 1


async def test_a_reader_sees_one_moment_until_it_looks_again(database: Database) -> None:
    async with database.read() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 0
        await created(database)
        assert (await connection.execute(COUNT)).scalar_one() == 0
    async with database.read() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 1
