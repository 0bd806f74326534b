"""The reconciler's work as its activities call it: everything that needs SQL and Temporal, and no provider."""

from temporalio.client import Client

from domain.messages import Reconciled
from runtime.housekeeping.books import Books
from runtime.housekeeping.gate_check import GateCheck
from runtime.housekeeping.handover import hand_over
from runtime.housekeeping.reconcile import Reconciler
from runtime.settings import Settings
from storage.database import Database


class Keeper:
    """Puts a deployment's generations and gates right; see `activities.reconciling`."""

    def __init__(self, settings: Settings, database: Database, client: Client) -> None:
        self._database = database
        self._client = client
        self._reconciler = Reconciler.of(settings, database, client)
        self._books = Books(database)
        self._gate_check = GateCheck.of(settings, database, client)

    async def put_generations_right(self) -> Reconciled:
        """Hand over, hear, close and follow what nobody serves; and see whether the books agree."""
        done = Reconciled(handed_over=await hand_over(self._client, self._database))
        done += await self._reconciler.look()
        done += await self._reconciler.follow_late_jobs()
        return done + Reconciled(drift_micros=(await self._books.look()).micros)

    async def put_gates_right(self) -> Reconciled:
        """Free slots that nobody uses, and let lost tickets join again."""
        return await self._gate_check.look()
