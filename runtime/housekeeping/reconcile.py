"""Wishes and jobs that nobody serves: found in the rows, and put right by nudges that may be repeated by anyone.

Two ears hear them. Every worker process looks for unheard wishes every two seconds, so that a nudge lost with a
process or with Temporal costs seconds. The Schedule's rounds (`workflows.reconcile`) do the same and more, once a
minute, in one place that operators can see, pause and trigger in Temporal, and whoever runs the workers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client

from domain.generation import DeploymentMode
from domain.limits import Limits
from domain.messages import Reconciled
from domain.names import Signal
from runtime.gates import Gates
from runtime.housekeeping.closing import Closer
from runtime.housekeeping.pauses import Pauses
from runtime.housekeeping.runs import Runs
from runtime.nudge import Nudger
from runtime.settings import Settings
from storage.attempts.unfollowed import with_late_jobs
from storage.database import Database
from storage.takes.unheard import Unheard, unheard_wishes

_PAGE = 200
_REMEMBERED = timedelta(minutes=30)
"""Far longer than any pause: what was not tried for so long is served, or begins anew."""

log = structlog.get_logger(__name__)


class Reconciler:
    """Repeats nudges with growing pauses; several may run at once, since nudges are harmless."""

    def __init__(
        self,
        database: Database,
        nudger: Nudger,
        runs: Runs,
        closer: Closer,
        *,
        mode: DeploymentMode,
        limits: Limits,
        older_than: timedelta,
        quiet_for: timedelta,
        page: int = _PAGE,
    ) -> None:
        """Do nothing yet.

        Args:
            database: Where the wishes are.
            nudger: How they are made heard.
            runs: What Temporal knows of the runs.
            closer: Closes what terminated runs have left.
            mode: Only this mode's wishes and jobs are looked at.
            limits: How long a job is followed.
            older_than: The age from which a wish counts as unheard.
            quiet_for: Silence after which a run is doubted.
            page: How many are looked at together.
        """
        self._database = database
        self._nudger = nudger
        self._runs = runs
        self._closer = closer
        self._mode = mode
        self._limits = limits
        self._older_than = older_than
        self._quiet_for = quiet_for
        self._pauses: Pauses[Unheard] = Pauses(older_than)
        self._told: Pauses[str] = Pauses(quiet_for)
        self._page_size = page
        self._page_after: Unheard | None = None
        self._late_after: str | None = None

    @classmethod
    def of(cls, settings: Settings, database: Database, client: Client) -> "Reconciler":
        """Return the reconciler of a deployment."""
        runs = Runs(client)
        return cls(
            database,
            Nudger(client, database),
            runs,
            Closer(database, runs, Gates(client)),
            mode=settings.mode,
            limits=settings.limits,
            older_than=timedelta(seconds=settings.nudge_after_seconds),
            quiet_for=timedelta(seconds=settings.reconcile_seconds),
        )

    async def look(self) -> Reconciled:
        """Hear what is due: nudge it, or close it where its run was terminated; return what was done.

        The first page is looked at each time, and one of the others in turn, so that each has its turn however
        many there are.

        Raises:
            SQLAlchemyError: The database is away.
            RPCError: Temporal does not answer.
        """
        now = datetime.now(UTC)
        self._pauses.forget_before(now - _REMEMBERED)
        done = Reconciled()
        for wish in await self._unheard(now):
            if self._pauses.is_due(wish, now):
                self._pauses.note(wish, now)
                done += await self._hear(wish)
        return done

    async def _unheard(self, now: datetime) -> Sequence[Unheard]:
        first = await self._page(now, None)
        if len(first) < self._page_size:
            self._page_after = None
            self._pauses.forget_all_but(first)
            return first
        other = await self._page(now, self._page_after or first[-1])
        self._page_after = other[-1] if len(other) == self._page_size else None
        return [*first, *other]

    async def _page(self, now: datetime, after: Unheard | None) -> Sequence[Unheard]:
        async with self._database.read() as connection:
            return await unheard_wishes(
                connection,
                now,
                mode=self._mode,
                older_than=self._older_than,
                quiet_for=self._quiet_for,
                after=after,
                limit=self._page_size,
            )

    async def _hear(self, wish: Unheard) -> Reconciled:
        if not wish.certain:
            run = await self._runs.newest(wish.generation_id)
            if run is not None and run.serves:
                return Reconciled()
            if run is not None and run.was_terminated:
                closed = await self._closer.close(wish.generation_id, run)
                if closed:
                    return Reconciled(closed=closed)
        log.info("nudging again", generation=wish.generation_id, take=wish.take, signal=wish.signal)
        await self._nudger.nudge(wish.generation_id, wish.signal, wish.take)
        return Reconciled(nudged=1)

    async def follow_late_jobs(self) -> Reconciled:
        """See to it that every late job has a run that follows it; return how many generations were nudged.

        Whether a run that is open follows a job, nobody but the run knows: it is told, with growing pauses.

        Raises:
            SQLAlchemyError: The database is away.
            RPCError: Temporal does not answer.
        """
        now = datetime.now(UTC)
        self._told.forget_before(now - _REMEMBERED)
        async with self._database.read() as connection:
            page = await with_late_jobs(
                connection,
                now,
                mode=self._mode,
                limits=self._limits,
                after=self._late_after,
                limit=self._page_size,
            )
        self._late_after = page.goes_on_after
        nudged = 0
        for generation_id, take in page.late:
            run = await self._runs.newest(generation_id)
            if run is not None and run.serves:
                if not self._told.is_due(generation_id, now):
                    continue
                self._told.note(generation_id, now)
            log.info("a late job is to be followed", generation=generation_id, take=take)
            await self._nudger.nudge(generation_id, Signal.REGENERATE, take)
            nudged += 1
        return Reconciled(followed=nudged)
