"""What the accounts' gates ask of SQL: where to begin anew, which leases are still in use, and news to be kept."""

from temporalio import activity

from activities.service import Service, now
from domain.gate.rows import GateNews, GateRows, LeasesToJudge, TicketsWanted, Verdicts
from domain.gate.tickets import AccountLimits
from domain.names import ActivityName
from storage.database import uninterrupted
from storage.gate import gates, slots


class Gatekeeping:
    """The activities `read_gate`, `judge_leases` and `write_gate`: SQL only, repeated until the database answers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @activity.defn(name=ActivityName.READ_GATE)
    @uninterrupted
    async def read_gate(self, wanted: TicketsWanted) -> GateRows:
        """Return what is under way at an account, and a page of what waits there."""
        service, moment = self._service, now()
        limits = service.account_limits.get(wanted.account, AccountLimits())
        async with service.database.write() as connection:
            rows = await gates.read(
                connection, wanted, limits, service.limits, moment, mode=service.accounts.mode
            )
            health = (await service.healths.look(connection, moment)).get(wanted.account)
        measured = health.job_seconds if health is not None and health.is_measured else None
        return rows.model_copy(update={"job_seconds": measured})

    @activity.defn(name=ActivityName.JUDGE_LEASES)
    @uninterrupted
    async def judge_leases(self, asked: LeasesToJudge) -> Verdicts:
        """Say which leases are still in use, by their attempts' rows."""
        async with self._service.database.read() as connection:
            return Verdicts(verdicts=await slots.judge(connection, asked.refs, self._service.limits, now()))

    @activity.defn(name=ActivityName.WRITE_GATE)
    @uninterrupted
    async def write_gate(self, news: GateNews) -> None:
        """Keep how a gate stands, for those who choose an account without asking it."""
        async with self._service.database.write() as connection:
            await gates.write(connection, news, now())
