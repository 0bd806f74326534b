"""The database's URL as other programs write it, and a clear word where it is none of ours."""

import pytest
from pydantic import ValidationError

from runtime.settings import Settings
from storage.database import Database
from tests.postgres import PostgresServer


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u:p%40ss@db:5433/vp", "postgresql+asyncpg://u:p%40ss@db:5433/vp"),
        ("postgres://db/vp", "postgresql+asyncpg://db/vp"),
        (" postgresql+asyncpg://u@db/vp\n", "postgresql+asyncpg://u@db/vp"),
        ("PostgreSQL://u@db/VP", "postgresql+asyncpg://u@db/VP"),
        ("postgresql://db/vp?sslmode=require", "postgresql+asyncpg://db/vp?ssl=require"),
        ("postgresql://db/vp?a=b&sslmode=require", "postgresql+asyncpg://db/vp?a=b&ssl=require"),
        ("sqlite:////data/vp.db", "sqlite+aiosqlite:////data/vp.db"),
        ("sqlite+aiosqlite:///vp.db", "sqlite+aiosqlite:///vp.db"),
    ],
)
def test_a_url_gets_our_driver(given: str, used: str) -> None:
    assert Settings(database_url=given).effective_database_url == used


@pytest.mark.parametrize(
    "given", ["mysql://u:hidden@db/vp", "postgresql+psycopg://u:hidden@db/vp", "hidden", "postgresql:hidden"]
)
def test_another_database_is_refused_without_saying_the_password(given: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(database_url=given)
    (error,) = refused.value.errors()
    assert "postgresql:// or sqlite://" in error["msg"]
    assert "hidden" not in error["msg"]


def test_without_a_url_it_is_a_file_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIDEOPLANET_DATABASE_URL", raising=False)
    url = Settings().effective_database_url
    assert url.startswith("sqlite+aiosqlite:////")
    assert url.endswith("/.videoplanet/videoplanet.db")


async def test_a_server_is_reached_by_the_url_that_its_owner_has(postgres: PostgresServer) -> None:
    plain = postgres.url().replace("+asyncpg", "") + "?sslmode=prefer"
    url = Settings(database_url=plain).effective_database_url
    async with Database(url) as database, database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT 1")).scalar_one() == 1
