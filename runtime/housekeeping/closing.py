"""Closing takes whose run was terminated in Temporal, by an operator and not by our own migration."""

from datetime import UTC, datetime

import structlog

from domain.gate.tickets import Release
from runtime.gates import Gates
from runtime.housekeeping.runs import HANDED_OVER, Run, Runs
from storage.database import Database, uninterrupted
from storage.takes import terminated

log = structlog.get_logger(__name__)


class Closer:
    """Closes what terminated runs have left open; harmless to repeat."""

    def __init__(self, database: Database, runs: Runs, gates: Gates) -> None:
        self._database = database
        self._runs = runs
        self._gates = gates

    async def close(self, generation_id: str, run: Run) -> int:
        """Close the takes that a run had claimed, with the operator's reason; return how many.

        None where the run was handed over by a migration, or its history is gone: then a new run goes on.

        Raises:
            SQLAlchemyError: The database is away.
            RPCError: Temporal does not answer.
        """
        reason = await self._runs.why_terminated(generation_id, run.run_id)
        if reason is None or reason == HANDED_OVER:
            return 0
        closed = await self._close(generation_id, run.run_id, reason)
        # A ticket that is not given back, since this process ends here, is found by its gate to be nobody's.
        for ticket in closed.withdrawn:
            await self._gates.release(ticket.account, Release(ref=ticket.ref, was_sent=False))
        if closed.takes:
            log.info("closed what a terminated run left", generation=generation_id, takes=closed.takes)
        return len(closed.takes)

    @uninterrupted
    async def _close(self, generation_id: str, run_id: str, reason: str) -> terminated.Closed:
        async with self._database.write(generation_id) as connection:
            return await terminated.close(connection, generation_id, run_id, reason, datetime.now(UTC))
