"""The sandbox's one SQLite file, in which everything is that survives `kill -9`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

_FILE: Final = "sandbox.sqlite3"


def open_database(data_dir: Path | None) -> sqlite3.Connection:
    """A connection that commits each statement, unless told to begin a transaction; it belongs to one thread.

    Args:
        data_dir: The folder of the database; None gives one of its own in memory.
    """
    if data_dir is not None:
        data_dir.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(
        ":memory:" if data_dir is None else data_dir / _FILE, isolation_level=None, check_same_thread=False
    )
    database.execute("PRAGMA journal_mode = WAL")
    # A killed process loses nothing that was written; only a dead machine could, and it is a sandbox.
    database.execute("PRAGMA synchronous = NORMAL")
    return database
