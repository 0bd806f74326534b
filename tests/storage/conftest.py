"""An empty database: a real SQLite file, or a real PostgreSQL. What is true of one must be true of the other."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from storage import schema
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.tables import metadata
from tests.postgres import PostgresServer
from tests.storage.steps import database_at


@pytest.fixture(scope="session")
async def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    async with database_at(path) as database:
        await schema.upgrade(database)
    return path  # closed, so that nothing is left in the write-ahead log


@pytest.fixture
async def sqlite(_migrated: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A new SQLite file; the tables are made once by the migrations, then copied for each test."""
    path = tmp_path / "videoplanet.db"
    shutil.copyfile(_migrated, path)
    async with database_at(path) as opened:
        yield opened


@pytest.fixture(scope="session")
async def _connected(postgres: PostgresServer) -> AsyncIterator[Database]:
    async with Database(await postgres.fresh()) as opened:
        yield opened


@pytest.fixture
async def postgresql(_connected: Database) -> Database:
    """An emptied PostgreSQL database: to make and connect to a new one costs more than most of these tests."""
    async with _connected.write() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(delete(table))
    return _connected


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn."""
    opened: Database = request.getfixturevalue(request.param)
    return opened


@pytest.fixture
def assets(tmp_path: Path) -> LocalAssets:
    """An asset store with nothing in it."""
    return LocalAssets(tmp_path / "assets")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of each database in turn, a new one without any table."""
    if request.param == "sqlite":
        return database_at(tmp_path / "new.db").url
    url: str = request.getfixturevalue("_empty_postgresql")
    return url


@pytest.fixture
async def _empty_postgresql(postgres: PostgresServer) -> AsyncIterator[str]:
    url = await postgres.empty()
    yield url
    await postgres.drop(url)
