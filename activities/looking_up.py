"""Finding out from the provider what became of an order whose answer was lost."""

import asyncio
import time
from datetime import datetime, timedelta

from temporalio import activity

from activities.releasing import release_after_look_up
from activities.service import Service, heartbeating, now
from domain.attempts.outcomes import Unknown
from domain.messages import Order, Submitted
from domain.names import ActivityName
from providers.base import CannotAsk, JobOrder, NotYetClear, Provider, ProviderError
from providers.registry import UnknownAccount
from storage.attempts import answers, lookups
from storage.database import uninterrupted

_MAX_PAUSE = timedelta(seconds=15)


class LookingUp:
    """The activity `look_up`: bounded in time, and cheap to resume anywhere."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @activity.defn(name=ActivityName.LOOK_UP)
    async def look_up(self, order: Order) -> Submitted:
        """Look for the job of an order that was sent and not answered, as long as its limits allow.

        Later nothing is concluded any more: a provider's list forgets, and what it has forgotten is not absent.

        Returns:
            Accepted where the job was found, NotSent where the provider's list surely has none, Unknown where nobody
            can tell. Only a list that was asked for after the order can no longer arrive, and after the time that
            a new job may be missing from it, shows that there is none.

        Raises:
            WrongMode: The deployment is in the other mode; to be retried.
        """
        async with heartbeating():
            submitted = await self._find_out(order)
            if isinstance(submitted.result, Unknown):
                await self._in_vain(order)
            await release_after_look_up(self._service, order, submitted)
            return submitted

    async def _find_out(self, order: Order) -> Submitted:
        lost = await self._lost(order)
        if lost.known is not None and not isinstance(lost.known.result, Unknown):
            return lost.known
        unknown = lost.known or lookups.still_unknown(order, "The order was sent and not answered.")
        if lost.sent_at is None:
            return unknown
        try:
            provider = self._service.accounts.get(order.attempt.account, order.mode)
        except UnknownAccount:
            return unknown
        return await self._look(provider, order, lost.sent_at) or unknown

    async def _look(self, provider: Provider, order: Order, sent_at: datetime) -> Submitted | None:
        asked = JobOrder(plan=order.plan, client_reference=order.attempt.ref, attempt=order.attempt.number)
        may_arrive_until = sent_at + order.limits.may_arrive
        give_up_at = may_arrive_until + order.limits.look_up
        pause, begun = provider.poll_interval, time.monotonic()
        while True:
            asked_at, looked_for = now(), timedelta(seconds=time.monotonic() - begun)
            try:
                job_id = await provider.find(asked, sent_at)
            except CannotAsk as error:
                activity.logger.warning("The job of %s cannot be looked up: %s", order.attempt.ref, error)
                return None
            except (NotYetClear, ProviderError) as error:
                activity.logger.warning("No usable answer about %s: %s", order.attempt.ref, error)
            else:
                if job_id is not None:
                    return await self._found(order, job_id)
                is_late = asked_at >= may_arrive_until + provider.listing_delay
                if is_late and looked_for >= provider.listing_delay and asked_at < give_up_at:
                    return await self._absent(order)
            if asked_at >= give_up_at:
                return None
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 2, max(_MAX_PAUSE, provider.poll_interval))
            lost = await self._lost(order)
            if lost.known is not None and not isinstance(lost.known.result, Unknown):
                return lost.known

    @uninterrupted
    async def _lost(self, order: Order) -> lookups.Lost:
        async with self._service.database.write(order.generation_id) as connection:
            await lookups.looking_up(connection, order, now())
            return await lookups.lost(connection, order, now())

    @uninterrupted
    async def _found(self, order: Order, job_id: str) -> Submitted:
        async with self._service.database.write(order.generation_id) as connection:
            return await answers.accepted_unless_taken(connection, order, job_id, now())

    @uninterrupted
    async def _absent(self, order: Order) -> Submitted:
        async with self._service.database.write(order.generation_id) as connection:
            return await lookups.absent(connection, order, now())

    @uninterrupted
    async def _in_vain(self, order: Order) -> None:
        async with self._service.database.write(order.generation_id) as connection:
            await lookups.in_vain(connection, order, now())
