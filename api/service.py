"""What the routes work with: the parts of this process, and on whose behalf a request is made."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Annotated, Self

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from api.door.doorkeeper import Doorkeeper
from api.door.rates import Rates
from api.door.scopes import caller_of
from api.gates.queue_schemas import PlaceOut
from api.gates.queueing import Hub
from api.generations.schemas import GenerationOut
from api.pictures.fetches import Fetches
from api.problems import not_found
from domain.attempts.outcomes import AttemptState
from domain.gate.tickets import AccountLimits
from domain.generation import Generation
from domain.ids import is_generation_id
from domain.messages import Signal
from domain.orders.capabilities import ProviderFacts
from domain.people.callers import Caller
from domain.people.tenants import Tenants
from domain.status import Stage
from runtime.gates import Gates
from runtime.nudge import Nudger
from runtime.settings import Settings
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.gate.healths import Healths
from storage.takes import catalog

log = structlog.get_logger(__name__)


@dataclass
class Counted:
    """The metrics as they were counted last, and when."""

    text: bytes = b""
    at: float = float("-inf")


@dataclass
class Uploads:
    """How many pictures wait to be taken in."""

    waiting: int = 0


@dataclass(kw_only=True)
class Parts:
    """The parts of one API process: every request works with the same ones."""

    settings: Settings
    database: Database
    doorkeeper: Doorkeeper
    assets: LocalAssets
    client: Client
    nudger: Nudger
    providers: tuple[ProviderFacts, ...]
    gates: Gates
    hub: Hub
    healths: Healths
    account_limits: Mapping[str, AccountLimits]
    tenants: Tenants
    rates: Rates
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # Each decoding child may take a gigabyte and a core.
    decoding: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    uploads: Uploads = field(default_factory=Uploads)
    counted: Counted = field(default_factory=Counted)
    fetches: Fetches
    nudges: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(kw_only=True)
class Service(Parts):
    """The parts, at work for one caller.

    Attributes:
        caller: On whose behalf the request is made.
        look_again: Raises a Problem where the caller is not let in any more, for answers that take long.
    """

    caller: Caller
    look_again: Callable[[], Awaitable[object]]

    @classmethod
    def of(cls, parts: Parts, caller: Caller, look_again: Callable[[], Awaitable[object]]) -> Self:
        """Return the parts of the process, at work for a caller."""
        shared = {part.name: getattr(parts, part.name) for part in fields(parts)}
        return cls(**shared, caller=caller, look_again=look_again)

    @property
    def tenant(self) -> str:
        """Whose generations are taken and shown."""
        return self.caller.tenant_id

    def nudge_soon(self, generation_id: str, signal: Signal, take: int) -> None:
        """Nudge without making the user wait; a nudge that is lost is repeated by a worker."""
        task = asyncio.create_task(self._nudge(generation_id, signal, take))
        self.nudges.add(task)
        task.add_done_callback(self.nudges.discard)

    async def _nudge(self, generation_id: str, signal: Signal, take: int) -> None:
        try:
            await self.nudger.nudge(generation_id, signal, take)
        except (RPCError, RuntimeError, SQLAlchemyError) as error:
            log.warning("the nudge is left to the reconciler", generation=generation_id, error=str(error))

    async def find(self, generation_id: str) -> Generation:
        """Return a generation of the caller.

        Raises:
            Problem: There is none of that id.
        """
        if not is_generation_id(generation_id):
            raise not_found("generation")
        async with self.database.read() as connection:
            generation = await catalog.find(connection, generation_id)
        if generation is None or not self.is_shown(generation):
            raise not_found("generation")
        return generation

    def is_shown(self, generation: Generation) -> bool:
        """Tell whether a generation is one of the caller's, and there; of others nobody learns that they exist."""
        if generation.tenant_id != self.tenant or generation.deleted_at is not None:
            return False
        return self.caller.only_user in {None, generation.user_id}

    def show(self, generation: Generation, place: PlaceOut | None = None) -> GenerationOut:
        """Return a generation as JSON, with its place in the queue where that was asked."""
        namespace = f"{self.settings.effective_temporal_ui_url}/namespaces/{self.client.namespace}"
        return GenerationOut.of(generation, namespace, place)

    async def show_in_queue(self, generation: Generation) -> GenerationOut:
        """Return a generation as JSON, and ask its account's gate for its place while it is queued."""
        ticket = ticket_of(generation)
        found = None if ticket is None else await self.hub.place(*ticket)
        return self.show(generation, None if found is None else PlaceOut.of_ticket(*found, now()))


def ticket_of(generation: Generation) -> tuple[str, str] | None:
    """Return the account and the ref of the ticket with which a generation is queued; None where it is not."""
    attempts = generation.current.attempts
    if generation.stage is not Stage.QUEUED or not attempts or attempts[-1].state is not AttemptState.QUEUED:
        return None
    return attempts[-1].account, attempts[-1].ref


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def _service(request: Request) -> Service:
    return Service.of(request.app.state.parts, caller_of(request), request.state.look_again)


Here = Annotated[Service, Depends(_service)]
