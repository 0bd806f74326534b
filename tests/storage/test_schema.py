"""The migrations lead from nothing to what the code expects, on both databases, however many start them at once."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text

from storage import schema
from storage.database import Database
from storage.tables import asset_uses, metadata
from tests.factories import a_plan, a_request, a_video
from tests.postgres import PostgresServer
from tests.stack import ROOT
from tests.storage.steps import created, shown

COUNT = text("SELECT count(*) FROM generations")


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


async def is_what_the_code_expects(database: Database) -> bool:
    async with database.read() as connection:
        return await connection.run_sync(differences) == []


async def tables_of(database: Database) -> set[str]:
    async with database.read() as connection:
        found = MetaData()
        await connection.run_sync(found.reflect)
    return set(found.tables)


async def test_an_empty_database_becomes_what_the_code_expects(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await schema.upgrade(database)
        assert await is_what_the_code_expects(database)


async def test_the_comparison_would_notice_a_missing_column(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await schema.upgrade(database)
        async with database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE takes DROP COLUMN cancel_reason")
        assert not await is_what_the_code_expects(database)


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


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(empty_url: str) -> None:
    async with Database(empty_url) as database:
        with pytest.raises(Exception, match="nowhere"):
            await schema.upgrade(database, "nowhere")
        assert await tables_of(database) == set()


def test_there_is_one_line_of_revisions() -> None:
    script = ScriptDirectory.from_config(schema.config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


FILLED = {"done": a_video(), "failed": None}
ROWS = {
    "generations": """
        INSERT INTO generations (id, mode, tenant_id, status, stage, provider, prompt, current_take, last_seq, metadata,
            created_at, updated_at)
        VALUES (:id, 'sandbox', 'tenant', :status, 'done', 'runway', 'A fox', 1, 1, '{}', '2026-11-23 12:00:00',
            '2026-11-23 12:00:00')""",
    "takes": """
        INSERT INTO takes (generation_id, number, status, request, plan, video, created_at)
        VALUES (:id, 1, :status, :request, :plan, :video, '2026-11-23 12:00:00')""",
    "attempts": """
        INSERT INTO attempts (ref, generation_id, take, number, provider, account, model, state, reserved_micros,
            settled_micros, started_at, send_by)
        VALUES (:id || '.1.1', :id, 1, 1, 'runway', 'runway', 'gen4.5', 'accepted', 0, 600000, '2026-11-23 12:00:00',
            '2026-11-23 12:00:00')""",
    "events": """
        INSERT INTO events (generation_id, seq, type, take, at, message, data)
        VALUES (:id, 1, 'generation.accepted', 1, '2026-11-23 12:00:00', 'Accepted.', '{}')""",
    "idempotency": """
        INSERT INTO idempotency (scope, body_sha256, status, headers, body, created_at)
        VALUES (:id, 'b', 202, '{}', '{}', '2026-11-23 12:00:00')""",
}
"""What the first revision wrote, in its own words: today's code no longer can."""


async def fill_the_first_revision(database: Database) -> None:
    request = a_request().model_dump_json(exclude_none=True)
    plan = a_plan().model_dump_json()
    async with database.write() as connection:
        for name, video in FILLED.items():
            values = {
                "id": f"gen_{name}",
                "status": "completed" if video else "failed",
                "request": request,
                "plan": plan,
                "video": video.model_dump_json() if video else None,
            }
            for table, statement in ROWS.items():
                used = {key: value for key, value in values.items() if f":{key}" in statement}
                if not database.is_sqlite and table == "takes":
                    await connection.execute(text(statement.replace(":video", "CAST(:video AS json)")), used)
                else:
                    await connection.execute(text(statement), used)


async def dump(database: Database) -> dict[str, list[dict[str, object]]]:
    """Every row with every column, as the database has it."""
    async with database.read() as connection:
        return {
            table: [
                dict(row._mapping)  # noqa: SLF001 - the public name of a row's columns
                for row in await connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))  # noqa: S608 - ours
            ]
            for table in ROWS
        }


async def uses_in(database: Database) -> list[tuple[object, ...]]:
    async with database.read() as connection:
        rows = (await connection.execute(asset_uses.select().order_by(asset_uses.c.suffix))).all()
    return [tuple(row) for row in rows]


async def test_what_was_stored_before_goes_through_every_revision_and_back_unchanged(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await schema.upgrade(database, "0001")
        await fill_the_first_revision(database)
        before = await dump(database)
        await schema.upgrade(database)
        after = await dump(database)
        for table, rows in before.items():
            assert [
                {name: row[name] for name in old} for old, row in zip(rows, after[table], strict=True)
            ] == rows
        generation = await shown(database, "gen_done")
        assert (generation.current.video, generation.current.kept) == (a_video(), False)
        assert (generation.current.plan, generation.cost.settled) == (a_plan(), 600_000)
        assert await uses_in(database) == [
            (a_video().poster_sha256, ".jpg", "gen_done", 1),
            (a_video().sha256, ".mp4", "gen_done", 1),
        ]
        await schema.downgrade(database, "0001")
        assert await dump(database) == before
        assert await tables_of(database) == {*ROWS, "alembic_version"}
        await schema.upgrade(database)
        assert await dump(database) == after
        assert len(await uses_in(database)) == 2
        assert await is_what_the_code_expects(database)


async def test_what_was_made_with_every_revision_can_be_unmade(empty_url: str) -> None:
    async with Database(empty_url) as database:
        await schema.upgrade(database)
        await created(database)
        await schema.downgrade(database, "base")
        assert await tables_of(database) == {"alembic_version"}


MIGRATE = """
import asyncio, sys
from storage.database import Database
from storage.schema import upgrade

async def main():
    async with Database(sys.argv[1]) as database:
        async with database.read() as connection:
            await connection.exec_driver_sql("SELECT 1")
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await upgrade(database)

asyncio.run(main())
"""


async def test_several_processes_that_upgrade_at_once_do_it_once(postgres: PostgresServer) -> None:
    empty_url = await postgres.empty()
    starting = (
        asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            MIGRATE,
            empty_url,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    )
    several = await asyncio.gather(*starting)
    for process in several:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    said = await asyncio.gather(*(process.communicate(b"go\n") for process in several))
    assert [process.returncode for process in several] == [0, 0], said
    async with Database(empty_url) as database:
        assert await is_what_the_code_expects(database)


async def test_a_new_database_can_be_upgraded_by_several_connections_at_once(empty_url: str) -> None:
    several = [Database(empty_url) for _ in range(4)]
    await asyncio.gather(*(schema.upgrade(one) for one in several))
    for one in several:
        async with one.read() as connection:
            assert (await connection.execute(COUNT)).scalar_one() == 0
        await one.close()


async def test_a_new_file_that_another_process_is_turning_to_wal_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with Database(f"sqlite+aiosqlite:///{file}") as database:
            upgrading = asyncio.create_task(schema.upgrade(database))
            await asyncio.wait({upgrading}, timeout=0.2)
            other.execute("COMMIT")
            await upgrading
            async with database.read() as connection:
                assert (await connection.execute(COUNT)).scalar_one() == 0
