"""The migrations lead from nothing to what the code expects."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect

from storage import schema
from storage.database import Database
from storage.tables import metadata
from tests.storage.steps import created, database_at, shown


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    return list(compare_metadata(context, metadata))


def uniques(connection: Connection) -> set[tuple[str, ...]]:
    inspector = inspect(connection)
    return {
        (table, *sorted(one["column_names"]))
        for table in metadata.tables
        for one in inspector.get_unique_constraints(table)
    }


async def test_an_empty_file_becomes_what_the_code_expects(tmp_path: Path) -> None:
    async with database_at(tmp_path / "new.db") as database:
        await schema.upgrade(database)
        async with database.read() as connection:
            assert await connection.run_sync(differences) == []


async def test_the_comparison_would_notice_a_missing_column(database: Database) -> None:
    async with database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE takes DROP COLUMN cancel_reason")
        assert await connection.run_sync(differences) != []


async def test_the_constraints_that_carry_promises_are_there(database: Database) -> None:
    async with database.read() as connection:
        found = await connection.run_sync(uniques)
    assert ("attempts", "account", "job_id") in found
    assert ("events", "generation_id", "key") in found
    assert ("takes", "generation_id", "wish_key") in found
    assert ("attempts", "generation_id", "number", "take") in found


async def test_an_upgrade_of_what_is_new_already_changes_nothing(database: Database) -> None:
    generation_id = await created(database)
    await schema.upgrade(database)
    assert (await shown(database, generation_id)).id == generation_id


async def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    async with database_at(tmp_path / "new.db") as database:
        with pytest.raises(Exception, match="nowhere"):
            await schema.upgrade(database, "nowhere")
        async with database.read() as connection:
            found = MetaData()
            await connection.run_sync(found.reflect)
            assert not found.tables


def test_there_is_one_line_of_revisions() -> None:
    script = ScriptDirectory.from_config(schema.config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
