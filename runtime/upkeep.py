"""What every worker process does beside its work: hear unheard wishes, erase what is deleted, sweep what was left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

import structlog
from temporalio.client import Client

from runtime.erase import Eraser
from runtime.nudge import Nudger
from runtime.reconcile import Reconciler
from runtime.settings import Settings
from storage.asset_store import AssetStore
from storage.database import Database

_SWEEP_AFTER_SECONDS = 24 * 3600.0
_SWEEP_EVERY_SECONDS = 3600.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def upkeep(
    settings: Settings, database: Database, client: Client, assets: AssetStore
) -> AsyncIterator[None]:
    """Keep the loops running as long as the block does; several processes may run them at once."""
    reconciler = Reconciler(
        database,
        Nudger(client, database),
        mode=settings.mode,
        older_than=timedelta(seconds=settings.nudge_after_seconds),
    )
    loops = [
        asyncio.create_task(reconciler.run()),
        asyncio.create_task(Eraser(database, client, assets).run()),
        asyncio.create_task(_sweep(assets)),
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _sweep(assets: AssetStore) -> NoReturn:
    """Remove what killed processes left half done, now and each hour."""
    while True:
        try:
            await assets.sweep(_SWEEP_AFTER_SECONDS)
        except OSError:
            log.warning("cannot sweep now", exc_info=True)
        await asyncio.sleep(_SWEEP_EVERY_SECONDS)
