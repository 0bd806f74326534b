"""The connections: writers wait in line, readers never do, and a commit survives a power cut."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.database import Database
from tests.storage.steps import a_second, created, database_at

COUNT = text("SELECT count(*) FROM generations")


async def pragma(connection: AsyncConnection, name: str) -> object:
    return (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()


async def test_both_engines_are_set_up_as_promised(database: Database) -> None:
    for open_one in (database.write, database.read):
        async with open_one() as connection:
            assert await pragma(connection, "journal_mode") == "wal"
            assert await pragma(connection, "synchronous") == 2  # FULL
            assert await pragma(connection, "foreign_keys") == 1
            assert await pragma(connection, "busy_timeout") == 30_000


async def test_the_file_and_its_folders_are_made_when_needed(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "there.db"
    async with database_at(path) as database:
        await schema.upgrade(database)
    assert path.exists()


async def test_a_second_writer_waits_for_the_first_and_then_goes_on(database: Database) -> None:
    order: list[str] = []
    begun = asyncio.Event()
    finish = asyncio.Event()

    async def first() -> None:
        async with database.write() as connection:
            begun.set()
            await finish.wait()
            await connection.execute(COUNT)
            order.append("first")

    async def second(other: Database) -> None:
        await begun.wait()
        async with other.write() as connection:
            await connection.execute(COUNT)
            order.append("second")

    async with a_second(database) as other:
        async with (
            other.write() as connection
        ):  # connected before the race, so that only the lock is waited for
            await connection.execute(COUNT)
        both = asyncio.gather(first(), second(other))
        await begun.wait()
        async with database.read() as connection:  # a reader goes on meanwhile
            assert (await connection.execute(COUNT)).scalar_one() == 0
        assert order == []
        finish.set()
        await both
    assert order == ["first", "second"]


async def test_a_write_transaction_holds_the_lock_from_its_beginning(database: Database) -> None:
    async with a_second(database) as other, database.write(), other.reader.connect() as impatient:
        await impatient.exec_driver_sql("PRAGMA busy_timeout=0")
        with pytest.raises(OperationalError, match="database is locked"):
            await impatient.exec_driver_sql("DELETE FROM generations")


async def test_writers_who_first_read_and_then_write_never_fail_half_way(database: Database) -> None:
    async with a_second(database) as other:
        await asyncio.gather(*(created(one) for one in (database, other) * 20))
    async with database.read() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 40


async def test_a_new_file_can_be_opened_by_several_at_once(tmp_path: Path) -> None:
    several = [database_at(tmp_path / "new.db") for _ in range(4)]
    await asyncio.gather(*(schema.upgrade(one) for one in several))
    for one in several:
        async with one.read() as connection:
            assert (await connection.execute(COUNT)).scalar_one() == 0
        await one.close()


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
