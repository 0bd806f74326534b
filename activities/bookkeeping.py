"""Claiming work, writing down wishes that came as signals, and giving up attempts that nobody else gave up."""

import secrets
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.service import Service, now
from domain.attempts.routing import route
from domain.generation import Generation
from domain.messages import Claim, Claimed, GiveUp, Wish, Wished
from domain.names import ActivityName, Signal
from domain.orders.params import SEED_MAX
from domain.orders.planning import Wanted, plans
from domain.orders.plans import Plan
from domain.orders.refusals import RequestRefused
from domain.orders.regeneration import next_request
from domain.orders.request import GenerationRequest, RegenerateRequest
from domain.people.quotas import Ask, Refused
from domain.people.tenants import Entitlement
from storage import catalog, events
from storage.attempts import jobs
from storage.database import Database, uninterrupted
from storage.files import images
from storage.money import quotas
from storage.takes import claims, wishes


class Bookkeeping:
    """The activities `claim`, `wish` and `give_up`: SQL only, repeated until the database answers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._database: Database = service.database

    @activity.defn(name=ActivityName.CLAIM)
    async def claim(self, wanted: Claim) -> Claimed:
        """Give the run its work, or nothing, and put the attempt into its account's queue where it has to wait.

        Raises:
            RPCError: The gate could not be reached; to be retried.
        """
        claimed = await self._claim(wanted)
        order = claimed.order
        if order is not None and order.ticket is not None and order.not_before is None:
            await self._service.gates.join(order.attempt.account, order.ticket)
        return claimed

    @uninterrupted
    async def _claim(self, wanted: Claim) -> Claimed:
        moment = now()
        async with self._database.read() as connection:
            healths = await self._service.healths.look(connection, moment)
        terms = claims.Terms(
            self._service.accounts.mode, self._service.limits, healths, self._service.tenants
        )
        async with self._database.write(wanted.generation_id) as connection:
            return await claims.claim(connection, wanted, terms, moment)

    @activity.defn(name=ActivityName.GIVE_UP)
    @uninterrupted
    async def give_up(self, lost: GiveUp) -> None:
        """Write that an attempt will give its take no video."""
        async with self._database.write(lost.job.generation_id) as connection:
            await jobs.given_up(connection, lost.job, lost.failure, now())

    @activity.defn(name=ActivityName.WISH)
    @uninterrupted
    async def wish(self, wish: Wish) -> Wished:
        """Write down what a person asked for by a bare signal."""
        async with self._database.write(wish.generation_id) as connection:
            generation = await catalog.find(connection, wish.generation_id)
            if (
                generation is None
                or generation.deleted_at
                or generation.mode is not self._service.accounts.mode
            ):
                return Wished()
            match wish.kind:
                case Signal.CANCEL:
                    return await self._cancel(connection, generation, wish.key)
                case Signal.REGENERATE:
                    return await self._regenerate(connection, generation, wish.key)

    async def _cancel(self, connection: AsyncConnection, generation: Generation, key: str) -> Wished:
        told = await events.told(connection, generation.id, key)
        if told is not None:
            return Wished(take=told.take)
        if generation.status.is_terminal:
            return Wished()
        reason = "Asked for in Temporal."
        take = await wishes.cancel(connection, generation, now(), by="operator", reason=reason, wish_key=key)
        return Wished(take=take.number)

    async def _regenerate(self, connection: AsyncConnection, generation: Generation, key: str) -> Wished:
        if await wishes.was_granted(connection, generation.id, key) or not generation.status.is_terminal:
            return Wished()
        entitlement = self._service.tenants.entitlement(generation.tenant_id, generation.user_id)
        moment = now()
        try:
            request = entitlement.eased(next_request(generation.current.request, RegenerateRequest()))
            chosen = await self._route(connection, generation, request, entitlement, moment)
        except (RequestRefused, ValidationError):
            activity.logger.warning("What was asked for once can no longer be served.", exc_info=True)
            return Wished()
        ask = Ask(price=chosen[0].price)
        decision = await quotas.admit(connection, entitlement, generation.mode, ask, moment)
        if isinstance(decision, Refused):
            await quotas.tell_refusal(connection, generation, decision, moment, wish_key=key)
            return Wished()
        after = await wishes.regenerate(connection, generation, request, chosen, moment, wish_key=key)
        after = await quotas.tell(connection, after, decision.notices, moment)
        return Wished(take=after.current.number)

    async def _route(
        self,
        connection: AsyncConnection,
        generation: Generation,
        request: GenerationRequest,
        entitlement: Entitlement,
        moment: datetime,
    ) -> tuple[Plan, ...]:
        frame = await images.first_frame(connection, generation.tenant_id, request)
        wanted = Wanted(request=request, seed=secrets.randbelow(SEED_MAX + 1), first_frame=frame)
        healths = await self._service.healths.look(connection, moment)
        allowed = [facts for facts in self._service.providers if entitlement.allows(facts.id)]
        return route(request, plans(wanted, allowed), healths, moment)
