"""Claiming work, writing down wishes that came as signals, and closing takes that end without a video."""

import secrets

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.service import Service, now
from domain.generation import Generation
from domain.messages import ActivityName, Claim, Claimed, CloseTake, Ending, Signal, Wish, Wished
from domain.params import SEED_MAX
from domain.planning import Wanted, plan
from domain.refusals import RequestRefused
from domain.regeneration import next_request
from domain.request import RegenerateRequest
from storage import catalog, claims, endings, events, images, wishes
from storage.database import Database, uninterrupted


class Bookkeeping:
    """The activities `claim`, `wish` and `close_take`: SQL only, repeated until the database answers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._database: Database = service.database

    @activity.defn(name=ActivityName.CLAIM)
    @uninterrupted
    async def claim(self, wanted: Claim) -> Claimed:
        """Give the run its work, or nothing; see `storage.claims.claim`."""
        async with self._database.write(wanted.generation_id) as connection:
            order = await claims.claim(
                connection, wanted, self._service.accounts.mode, self._service.limits, now()
            )
            if order is not None:
                return Claimed(order=order)
            generation = await catalog.find(connection, wanted.generation_id)
        if generation is None or not generation.status.is_terminal:
            return Claimed()
        current = generation.current
        ending = Ending(status=generation.status, cost=generation.cost, failure=current.failure)
        return Claimed(ending=ending)

    @activity.defn(name=ActivityName.CLOSE)
    @uninterrupted
    async def close_take(self, close: CloseTake) -> Ending:
        """Write that a take ends without a video."""
        async with self._database.write(close.generation_id) as connection:
            return await endings.close_failed(connection, close, now())

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
        seed = secrets.randbelow(SEED_MAX + 1)
        try:
            request = next_request(generation.current.request, RegenerateRequest())
            frame = await images.first_frame(connection, generation.tenant_id, request)
            wanted = Wanted(request=request, seed=seed, first_frame=frame)
            planned = plan(wanted, self._service.providers)
        except (RequestRefused, ValidationError):
            activity.logger.warning("What was asked for once can no longer be served.", exc_info=True)
            return Wished()
        after = await wishes.regenerate(connection, generation, request, planned, now(), wish_key=key)
        return Wished(take=after.current.number)
