"""What every worker process does beside its work: hear unheard wishes, erase what is deleted, let go of what is old.

Files that belong to nobody are swept here, each hour, and not by the reconciler's rounds: a file counts as nobody's
only after an hour, and looking for them walks the whole store, which only those who have it on their disk can do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import structlog
from temporalio.client import Client

from runtime.housekeeping.erase import Eraser
from runtime.housekeeping.reconcile import Reconciler
from runtime.housekeeping.retention import Retention
from runtime.housekeeping.schedule import keep_schedule
from runtime.settings import Settings
from storage.database import Database
from storage.files import orphans
from storage.files.asset_store import AssetStore

_OFTEN_SECONDS = 2.0
_HOURLY_SECONDS = 3600.0
_SWEEP_AFTER_SECONDS = 24 * 3600.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def upkeep(
    settings: Settings, database: Database, client: Client, assets: AssetStore
) -> AsyncIterator[None]:
    """Keep the loops running as long as the block does; several processes may run them at once."""
    reconciler, eraser = Reconciler.of(settings, database, client), Eraser(database, client, assets)
    retention = Retention(database, settings.keep_for)
    loops = [
        asyncio.create_task(loop)
        for loop in (
            keep_schedule(client, timedelta(seconds=settings.reconcile_seconds)),
            _repeat(reconciler.look, _OFTEN_SECONDS, "cannot look for unheard wishes now"),
            _repeat(eraser.look, _OFTEN_SECONDS, "cannot erase now"),
            _repeat(lambda: _sweep(database, assets), _HOURLY_SECONDS, "cannot sweep now"),
            _repeat(
                lambda: retention.sweep(datetime.now(UTC)),
                _HOURLY_SECONDS,
                "cannot let go of what is old now",
            ),
        )
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _repeat(look: Callable[[], Awaitable[object]], every_seconds: float, trouble: str) -> NoReturn:
    """Do something now and again and again until cancelled."""
    while True:
        try:
            await look()
        except Exception:  # whatever it is, the next look must still come
            log.warning(trouble, exc_info=True)
        await asyncio.sleep(every_seconds)


async def _sweep(database: Database, assets: AssetStore) -> None:
    """Remove what killed processes left half done, and whole files that nothing uses."""
    await assets.sweep(_SWEEP_AFTER_SECONDS)
    removed = await orphans.remove(database, assets)
    if removed:
        log.info("removed files that nothing uses", files=removed)
