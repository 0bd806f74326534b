"""Bringing a database to the newest revision, from whatever it is now."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, with the connection it is to use."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


async def upgrade(database: Database, revision: str = "head") -> None:
    """Apply the missing revisions in one transaction; harmless where none is missing, and by several at once."""
    async with database.change_schema() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), revision))


async def downgrade(database: Database, revision: str) -> None:
    """Undo the revisions after one, with what only they can keep."""
    async with database.change_schema() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(sync), revision))
