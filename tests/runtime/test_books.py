"""The books are compared each minute, and what differs is said loudly."""

from pathlib import Path

import pytest
import structlog
from sqlalchemy import update

from runtime.housekeeping.books import Books
from storage.database import Database
from storage.schema import upgrade
from storage.tables import spending, takes
from tests.storage.steps import created, database_at


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    return database_at(tmp_path / "books.db")


async def test_books_that_agree_are_not_spoken_of(database: Database) -> None:
    async with database:
        await upgrade(database)
        await created(database)
        with structlog.testing.capture_logs() as said:
            assert not await Books(database).look()
    assert said == []


async def test_what_differs_is_an_error_that_names_the_attempt(database: Database) -> None:
    async with database:
        await upgrade(database)
        generation_id, books = await created(database), Books(database)
        await books.look()
        async with database.write() as connection:
            await connection.execute(update(takes).values(reserved_micros=1))
            await connection.execute(update(spending).values(reserved_micros=1))
        with structlog.testing.capture_logs() as said:
            assert (
                await books.look()
            ).refs == ()  # the order is of a day long gone: only everything shows it
            found = await Books(database).look()
    assert (found.refs, found.sums) == ((f"{generation_id}.1.1",), 1)
    assert [(one["log_level"], one["event"]) for one in said] == [("error", "the books disagree")]
