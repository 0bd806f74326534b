"""One round of the reconciler, in three parts; each is harmless to repeat, and cheap where all is well."""

import time
from collections.abc import Sequence
from itertools import count
from typing import Protocol

from temporalio import activity

from activities.service import Service, heartbeating, now
from domain.attempts.outcomes import Accepted
from domain.messages import Reconciled
from domain.names import ActivityName
from domain.orders.line_up import LINE_UP, can_list
from providers.base import CannotAsk, JobOrder, NotYetClear, Provider, ProviderError
from providers.registry import UnknownAccount
from storage.attempts import answers, lost
from storage.database import uninterrupted

_LOOKS_FOR_SECONDS = 40.0
"""For how long one round asks providers; what it did not get to has its turn in a later one."""


class Keeper(Protocol):
    """What needs SQL and Temporal, and no provider; see `runtime.housekeeping.keeper`."""

    async def put_generations_right(self) -> Reconciled:
        """Hand over, hear, close and follow what nobody serves."""
        ...

    async def put_gates_right(self) -> Reconciled:
        """Free slots that nobody uses, and let lost tickets join again."""
        ...


class Reconciling:
    """The activities `look_again`, `reconcile` and `reconcile_gates`."""

    def __init__(self, service: Service, keeper: Keeper) -> None:
        self._service = service
        self._keeper = keeper
        self._turns = count()

    @activity.defn(name=ActivityName.RECONCILE)
    async def reconcile(self) -> Reconciled:
        """Put generations right that nobody serves.

        Raises:
            SQLAlchemyError: The database is away; the next round does it.
            RPCError: Temporal does not answer; the next round does it.
        """
        async with heartbeating():
            return await self._keeper.put_generations_right()

    @activity.defn(name=ActivityName.RECONCILE_GATES)
    async def reconcile_gates(self) -> Reconciled:
        """Put gates right that disagree with the rows; raises as `reconcile` does."""
        async with heartbeating():
            return await self._keeper.put_gates_right()

    @activity.defn(name=ActivityName.LOOK_AGAIN)
    async def look_again(self) -> Reconciled:
        """Look once more for the jobs of orders whose answer was lost, where the provider lists its jobs.

        What is found is adopted as a fact. What is not found stays unknown: a list forgets, and proves nothing now.
        """
        found, until = 0, time.monotonic() + _LOOKS_FOR_SECONDS
        async with heartbeating():
            for facts in LINE_UP:
                if can_list(facts.id):
                    found += await self._look_at(facts.id, until)
        return Reconciled(found=found)

    async def _look_at(self, account: str, until: float) -> int:
        accounts = self._service.accounts
        try:
            provider = accounts.get(account, accounts.mode)
        except UnknownAccount:
            return 0
        found = 0
        for one in await self._lost(account):
            if time.monotonic() >= until:
                break
            try:
                found += await self._find(provider, one)
            except (ProviderError, CannotAsk) as error:
                activity.logger.warning("Lost orders cannot be looked for at %s now: %s", account, error)
                break
        return found

    async def _find(self, provider: Provider, one: lost.Lost) -> bool:
        order = one.order
        asked = JobOrder(plan=order.plan, client_reference=order.attempt.ref, attempt=order.attempt.number)
        try:
            job_id = await provider.find(asked, one.sent_at)
        except NotYetClear as error:
            activity.logger.info("Still not clear: %s", error)
            return False
        return job_id is not None and await self._adopt(one, job_id)

    async def _lost(self, account: str) -> Sequence[lost.Lost]:
        moment, limits = now(), self._service.limits
        async with self._service.database.read() as connection:
            return await lost.given_up(
                connection,
                account,
                moment,
                mode=self._service.accounts.mode,
                limits=limits,
                turn=next(self._turns),
            )

    @uninterrupted
    async def _adopt(self, one: lost.Lost, job_id: str) -> bool:
        async with self._service.database.write(one.order.generation_id) as connection:
            submitted = await answers.accepted_unless_taken(connection, one.order, job_id, now())
        is_ours = isinstance(submitted.result, Accepted)
        if is_ours:
            activity.logger.info("The job of %s was found after all: %s", one.order.attempt.ref, job_id)
        return is_ours
