"""An empty database in a real SQLite file; made once by the migrations, then copied for each test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import schema
from storage.database import Database
from tests.storage.steps import database_at


@pytest.fixture(scope="session")
async def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    async with database_at(path) as database:
        await schema.upgrade(database)
    return path  # closed, so that nothing is left in the write-ahead log


@pytest.fixture
async def database(_migrated: Path, tmp_path: Path) -> AsyncIterator[Database]:
    path = tmp_path / "videoplanet.db"
    shutil.copyfile(_migrated, path)
    async with database_at(path) as opened:
        yield opened
