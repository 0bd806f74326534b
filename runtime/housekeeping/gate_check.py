"""Comparing each account's gate with the rows: slots that nobody uses are given back, lost tickets join again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client

from domain.gate.status import GateStatus, StatusWanted
from domain.gate.tickets import Ticket
from domain.generation import DeploymentMode
from domain.limits import Limits
from domain.messages import Reconciled
from domain.moments import moment_of
from runtime.gates import Gates
from runtime.settings import Settings
from storage.database import Database
from storage.gate import gates, slots, tickets

_ANSWERS_WITHIN = timedelta(seconds=10)
_PAGE = 500

log = structlog.get_logger(__name__)


class GateCheck:
    """Puts gates right that have missed something; harmless to repeat, and several may do it at once."""

    def __init__(
        self, database: Database, gates: Gates, *, mode: DeploymentMode, limits: Limits, quiet_for: timedelta
    ) -> None:
        """Do nothing yet.

        Args:
            database: Where the rows are.
            gates: How the gates are reached.
            mode: Only this mode's tickets join again.
            limits: How long a job without an end keeps its slot.
            quiet_for: How long rows and gate may differ before anything is done: what makes them agree may be under
                way.
        """
        self._database = database
        self._gates = gates
        self._mode = mode
        self._limits = limits
        self._quiet_for = quiet_for
        self._after: dict[str, str | None] = {}

    @classmethod
    def of(cls, settings: Settings, database: Database, client: Client) -> "GateCheck":
        """Return the check of a deployment."""
        return cls(
            database,
            Gates(client),
            mode=settings.mode,
            limits=settings.limits,
            quiet_for=timedelta(seconds=settings.reconcile_seconds),
        )

    async def look(self) -> Reconciled:
        """Put every account's gate right; return what was done.

        Raises:
            SQLAlchemyError: The database is away.
            RPCError: Temporal does not answer.
        """
        async with self._database.read() as connection:
            accounts = await gates.accounts(connection)
        done = Reconciled()
        for account in accounts:
            done += await self.check(account)
        return done

    async def check(self, account: str) -> Reconciled:
        """Put one account's gate right.

        A gate that does not run is started where a ticket waits for it: then it reads the rows by itself.
        """
        waiting = await self._tickets(account)
        wanted = StatusWanted(refs=tuple(ticket.ref for ticket in waiting))
        status = await self._gates.status(account, wanted, within=_ANSWERS_WITHIN)
        overdue = datetime.now(UTC) - self._quiet_for
        lost = waiting[:1] if status is None else _unknown(waiting, status, overdue)
        for ticket in lost:
            log.info("a ticket joins again", account=account, ref=ticket.ref)
            await self._gates.join(account, ticket)
        if status is not None:
            await self._compare_pauses(account, status)
        freed = 0 if status is None else await self._free(account, status)
        return Reconciled(joined=len(lost), freed=freed)

    async def _compare_pauses(self, account: str, status: GateStatus) -> None:
        """Say again what a gate has not heard: who is paused, by the rows, and who is not."""
        async with self._database.read() as connection:
            reason, tenants = await gates.pause_reason(connection, account), await gates.paused(connection)
        if reason is not None and status.pause_reason is None:
            await self._gates.pause(account, reason)
        elif reason is None and status.pause_reason is not None:
            await self._gates.resume(account)
        for tenant_id in sorted({*tenants} ^ {*status.paused_tenants}):
            await self._gates.pause_tenant(account, tenant_id, paused=tenant_id in tenants)

    async def _tickets(self, account: str) -> Sequence[Ticket]:
        async with self._database.read() as connection:
            found = await tickets.overdue(
                connection,
                account,
                datetime.now(UTC),
                mode=self._mode,
                older_than=self._quiet_for,
                after=self._after.get(account),
                limit=_PAGE,
            )
        self._after[account] = found[-1].ref if len(found) == _PAGE else None
        return found

    async def _free(self, account: str, status: GateStatus) -> int:
        async with self._database.read() as connection:
            releases = await slots.nobodys(
                connection, status.leases, self._limits, datetime.now(UTC), quiet_for=self._quiet_for
            )
        for release in releases:
            log.info("a slot that nobody uses is given back", account=account, ref=release.ref)
            await self._gates.release(account, release)
        return len(releases)


def _unknown(tickets: Sequence[Ticket], status: GateStatus, before: datetime) -> Sequence[Ticket]:
    """Return the tickets that neither wait nor have a slot whose order may still be written."""
    waiting = {one.ticket.ref for one in status.waiting}
    granted = {lease.ref for lease in status.leases if moment_of(lease.send_by) >= before}
    return [ticket for ticket in tickets if ticket.ref not in waiting | granted]
