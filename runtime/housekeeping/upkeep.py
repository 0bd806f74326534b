"""What every worker process does beside its work: hear unheard wishes, erase what is deleted, let go of what is old.

Files that belong to nobody are swept here, each hour, and not by the reconciler's rounds: a file counts as nobody's
only after an hour, and looking for them walks the whole store, which only those who have it on their disk can do.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client

from runtime.housekeeping.erase import Eraser
from runtime.housekeeping.reconcile import Reconciler
from runtime.housekeeping.retention import Retention
from runtime.housekeeping.schedule import keep_schedule
from runtime.settings import Settings
from storage.database import Database
from storage.files import orphans
from storage.files.asset_store import AssetStore

_SWEEP_AFTER_SECONDS = 24 * 3600.0
_SWEEP_EVERY_SECONDS = 3600.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def upkeep(
    settings: Settings, database: Database, client: Client, assets: AssetStore
) -> AsyncIterator[None]:
    """Keep the loops running as long as the block does; several processes may run them at once."""
    loops = [
        asyncio.create_task(Reconciler.of(settings, database, client).run()),
        asyncio.create_task(keep_schedule(client, timedelta(seconds=settings.reconcile_seconds))),
        asyncio.create_task(Eraser(database, client, assets).run()),
        asyncio.create_task(_sweep(database, assets)),
        asyncio.create_task(Retention(database, settings.keep_for).run()),
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _sweep(database: Database, assets: AssetStore) -> NoReturn:
    """Remove what killed processes left half done, and whole files that nothing uses, now and each hour."""
    while True:
        try:
            await assets.sweep(_SWEEP_AFTER_SECONDS)
            removed = await orphans.remove(database, assets)
            if removed:
                log.info("removed files that nothing uses", files=removed)
        except (OSError, SQLAlchemyError):
            log.warning("cannot sweep now", exc_info=True)
        await asyncio.sleep(_SWEEP_EVERY_SECONDS)
