"""When creations knocked at each provider's door: what spacing is measured by, where the provider stands.

Kept beside the jobs, in the same database, so that a restarted sandbox goes on counting. The newest 10,000 of a
provider are kept one by one; how many there were, and the smallest gap between two, is known of all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.database import open_database

KEPT: Final = 10_000


@dataclass(frozen=True)
class Door:
    """What came to one provider's door.

    Attributes:
        creates: How many creations were asked for, accepted or refused.
        min_gap_seconds: The shortest time between two of them; None before the second.
        arrivals: When the newest of them came, oldest first, in unix seconds.
    """

    creates: int = 0
    min_gap_seconds: float | None = None
    arrivals: tuple[float, ...] = ()


class ArrivalBook:
    """The arrivals at all doors. Belongs to one thread.

    Args:
        data_dir: The folder of the database; None keeps it in memory.
        kept: How many arrivals of a provider are kept one by one.
    """

    def __init__(self, data_dir: Path | None, kept: int = KEPT) -> None:
        self._kept = kept
        self._db = open_database(data_dir)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS doors (provider TEXT PRIMARY KEY,"
            " creates INTEGER NOT NULL, min_gap REAL, last_at REAL NOT NULL)"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS arrivals (provider TEXT NOT NULL, number INTEGER NOT NULL,"
            " at REAL NOT NULL, PRIMARY KEY (provider, number)) WITHOUT ROWID"
        )

    def add(self, provider: str, at: float) -> None:
        """Notes that a creation was asked for; in the order in which they came."""
        with self._db:
            self._db.execute("BEGIN")
            ((number,),) = self._db.execute(
                "INSERT INTO doors (provider, creates, min_gap, last_at) VALUES (?, 1, NULL, ?)"
                " ON CONFLICT (provider) DO UPDATE SET creates = creates + 1, last_at = excluded.last_at,"
                " min_gap = min(coalesce(min_gap, 9e99), max(0.0, excluded.last_at - last_at))"
                " RETURNING creates",
                (provider, at),
            ).fetchall()
            self._db.execute("INSERT INTO arrivals VALUES (?, ?, ?)", (provider, number, at))
            self._db.execute(
                "DELETE FROM arrivals WHERE provider = ? AND number <= ?", (provider, number - self._kept)
            )

    def at(self, provider: str) -> Door:
        """What came to a provider's door so far."""
        row = self._db.execute(
            "SELECT creates, min_gap FROM doors WHERE provider = ?", (provider,)
        ).fetchone()
        if row is None:
            return Door()
        arrivals = self._db.execute("SELECT at FROM arrivals WHERE provider = ? ORDER BY number", (provider,))
        return Door(creates=row[0], min_gap_seconds=row[1], arrivals=tuple(at for (at,) in arrivals))

    def clear(self) -> None:
        """Forgets everything."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM doors")
            self._db.execute("DELETE FROM arrivals")

    def close(self) -> None:
        """Closes the database."""
        self._db.close()


def most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    """The largest number of spans that cover the same moment; one that ends as another begins does not meet it.

    Args:
        spans: Beginnings and ends; an end may be infinite.
    """
    changes = sorted(change for start, end in spans if start < end for change in ((start, 1), (end, -1)))
    most = at_once = 0
    for _, change in changes:
        at_once += change
        most = max(most, at_once)
    return most
