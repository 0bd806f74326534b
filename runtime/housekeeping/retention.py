"""Letting go of what was kept long enough, in portions, each hour; harmless to repeat, and several may do it at once.

`VIDEOPLANET_RETENTION_DAYS` says after how many days a finished generation is deleted; without it, none ever is. It
is deleted as its owner would delete it: texts at once, files and histories by `runtime.housekeeping.erase`, what it
cost stays.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import catalog, retention
from storage.database import Database, uninterrupted
from storage.files import images
from storage.files.images import Image
from storage.takes import erasing

_PORTION = 100

Forget = Callable[[AsyncConnection, datetime, int], Awaitable[int]]

log = structlog.get_logger(__name__)


class Retention:
    """Lets go of what is old.

    Args:
        database: Where it is.
        keep_for: How long finished generations and unused pictures are kept; None: for ever.
        portion: How many of a kind are looked at in one go.
    """

    def __init__(self, database: Database, keep_for: timedelta | None, portion: int = _PORTION) -> None:
        self._database = database
        self._keep_for = keep_for
        self._portion = portion

    async def sweep(self, now: datetime) -> None:
        """Let go of everything that is old by now.

        Raises:
            SQLAlchemyError: The database is away.
        """
        for forget in (retention.forget_passes, retention.forget_replies, retention.forget_keys):
            await self._forget(forget, now)
        if self._keep_for is not None:
            await self._delete_generations(now - self._keep_for, now)
            await self._delete_pictures(now - self._keep_for, now)

    async def _forget(self, forget: Forget, now: datetime) -> None:
        while await self._forget_some(forget, now) == self._portion:
            pass

    @uninterrupted
    async def _forget_some(self, forget: Forget, now: datetime) -> int:
        async with self._database.write() as connection:
            return await forget(connection, now, self._portion)

    async def _delete_generations(self, before: datetime, now: datetime) -> None:
        while True:
            async with self._database.read() as connection:
                old = await retention.finished_before(connection, before, self._portion)
            deleted = [one for one in old if await self._delete_generation(one, before, now)]
            if deleted:
                log.info("deleted generations that were kept long enough", count=len(deleted))
            if len(old) < self._portion or not deleted:
                return

    @uninterrupted
    async def _delete_generation(self, generation_id: str, before: datetime, now: datetime) -> bool:
        """Delete one, unless it has changed since it was found; a fault of one must not keep all others."""
        try:
            async with self._database.write(generation_id) as connection:
                generation = await catalog.load(connection, generation_id)
                if not retention.has_had_its_time(generation, before):
                    return False
                await erasing.delete(connection, generation, now)
                return True
        except (SQLAlchemyError, LookupError, ValueError):
            log.warning("cannot delete it now", generation=generation_id, exc_info=True)
            return False

    async def _delete_pictures(self, before: datetime, now: datetime) -> None:
        while True:
            async with self._database.read() as connection:
                old = await retention.unused_before(connection, before, self._portion)
            deleted = [one for one in old if await self._delete_picture(one, before, now)]
            if deleted:
                log.info("deleted pictures that nothing uses", count=len(deleted))
            if len(old) < self._portion or not deleted:
                return

    @uninterrupted
    async def _delete_picture(self, image: Image, before: datetime, now: datetime) -> bool:
        try:
            async with self._database.write() as connection:
                return await retention.remove_picture(connection, image, before, now)
        except (SQLAlchemyError, images.ImageInUse):
            log.warning("cannot delete the picture now", image=image.id, exc_info=True)
            return False
