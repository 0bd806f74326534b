"""Looking whether the books agree, each minute at what was written lately and each hour at everything."""

import time
from datetime import UTC, datetime, timedelta

import structlog

from storage.database import Database
from storage.money.drift import Drift, drift

_LATELY = timedelta(minutes=15)
_EVERYTHING_EVERY_SECONDS = 3600.0

log = structlog.get_logger(__name__)


class Books:
    """Compares the ledger with the rows; what differs is said loudly, and never put right by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._all_looked_at = float("-inf")

    async def look(self) -> Drift:
        """Return how far the books disagree."""
        is_full = time.monotonic() - self._all_looked_at > _EVERYTHING_EVERY_SECONDS
        since = None if is_full else datetime.now(UTC) - _LATELY
        async with self._database.read() as connection:
            found = await drift(connection, since)
        if is_full:
            self._all_looked_at = time.monotonic()
        if found:
            log.error("the books disagree", micros=found.micros, attempts=found.refs, sums=found.sums)
        return found
