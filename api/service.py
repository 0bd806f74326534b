"""What the routes work with: the parts of this process, and on whose behalf a request is made."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from api.door.doorkeeper import Doorkeeper
from api.door.rates import Rates
from api.door.scopes import caller_of
from api.gates.queueing import Hub
from api.pictures.bounds import Fetches, Uploads
from domain.gate.tickets import AccountLimits
from domain.names import Signal
from domain.orders.capabilities import ProviderFacts
from domain.people.callers import Caller
from domain.people.tenants import Tenants
from runtime.gates import Gates
from runtime.nudge import Nudger
from runtime.settings import Settings
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.gate.healths import Healths

log = structlog.get_logger(__name__)


@dataclass
class LastMetrics:
    """The metrics as they were counted last, and when."""

    text: bytes = b""
    at: float = float("-inf")


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
    last_metrics: LastMetrics = field(default_factory=LastMetrics)
    fetches: Fetches
    nudges: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(kw_only=True)
class Service(Parts):
    """The parts, at work for one caller.

    Attributes:
        caller: On whose behalf the request is made.
        request_id: Of the request; the log and the audit know it.
        look_again: Raises a Problem where the caller is not let in any more, for answers that take long.
    """

    caller: Caller
    request_id: str
    look_again: Callable[[], Awaitable[object]]

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


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def _service(request: Request) -> Service:
    parts: Parts = request.app.state.parts
    state = request.state
    return Service(
        **{part.name: getattr(parts, part.name) for part in fields(parts)},
        caller=caller_of(request),
        request_id=state.request_id,
        look_again=state.look_again,
    )


Here = Annotated[Service, Depends(_service)]
