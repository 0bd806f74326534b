"""The loop that hears unheard wishes: it repeats the nudges that were lost with a process or with Temporal."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import structlog

from domain.generation import DeploymentMode
from runtime.nudge import Nudger
from storage.database import Database
from storage.unheard import Unheard, unheard_wishes

_LOOK_EVERY_SECONDS = 2.0
_QUIET_FOR = timedelta(seconds=60)
_MAX_PAUSE = timedelta(minutes=5)

log = structlog.get_logger(__name__)


class Reconciler:
    """Repeats nudges with growing pauses; several may run at once, since nudges are harmless."""

    def __init__(
        self, database: Database, nudger: Nudger, *, mode: DeploymentMode, older_than: timedelta
    ) -> None:
        """Do nothing yet.

        Args:
            database: Where the wishes are.
            nudger: How they are made heard.
            mode: Only this mode's wishes are.
            older_than: The age from which a wish counts as unheard.
        """
        self._database = database
        self._nudger = nudger
        self._mode = mode
        self._older_than = older_than
        self._nudged: dict[Unheard, tuple[datetime, timedelta]] = {}

    async def run(self) -> NoReturn:
        """Look for unheard wishes until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # whatever it is, the wishes of the next minute must still be heard
                log.warning("cannot look for unheard wishes now", exc_info=True)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def look(self) -> int:
        """Nudge what is due; return how many were nudged.

        Raises:
            SQLAlchemyError: The database is away.
            RPCError: Temporal does not answer.
        """
        now = datetime.now(UTC)
        async with self._database.read() as connection:
            unheard = await unheard_wishes(
                connection, now, mode=self._mode, older_than=self._older_than, quiet_for=_QUIET_FOR
            )
        self._nudged = {wish: when for wish, when in self._nudged.items() if wish in set(unheard)}
        nudged = 0
        for wish in unheard:
            if not self._is_due(wish, now):
                continue
            self._note(wish, now)
            if wish.certain or not await self._nudger.is_running(wish.generation_id):
                log.info("nudging again", generation=wish.generation_id, take=wish.take, signal=wish.signal)
                await self._nudger.nudge(wish.generation_id, wish.signal, wish.take)
                nudged += 1
        return nudged

    def _is_due(self, wish: Unheard, now: datetime) -> bool:
        last = self._nudged.get(wish)
        return last is None or now - last[0] >= last[1]

    def _note(self, wish: Unheard, now: datetime) -> None:
        last = self._nudged.get(wish)
        pause = self._older_than if last is None else min(last[1] * 2, _MAX_PAUSE)
        self._nudged[wish] = (now, pause)
