"""What the routes work with: the stores, the nudges, and the settings of this process."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from api.problems import not_found
from api.schemas import GenerationOut
from domain.capabilities import ProviderFacts
from domain.generation import Generation
from domain.ids import is_generation_id
from domain.messages import Signal
from runtime.nudge import Nudger
from runtime.settings import Settings
from storage import catalog
from storage.assets import LocalAssets
from storage.database import Database

TENANT = "default"

log = structlog.get_logger(__name__)


@dataclass
class Service:
    """The parts of one API process."""

    settings: Settings
    database: Database
    assets: LocalAssets
    client: Client
    nudger: Nudger
    providers: tuple[ProviderFacts, ...]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # Each decoding child may take a gigabyte and a core.
    decoding: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    uploads_waiting: int = 0
    _nudges: set[asyncio.Task[None]] = field(default_factory=set)

    def nudge_soon(self, generation_id: str, signal: Signal, take: int) -> None:
        """Nudge without making the user wait; a nudge that is lost is repeated by a worker."""
        task = asyncio.create_task(self._nudge(generation_id, signal, take))
        self._nudges.add(task)
        task.add_done_callback(self._nudges.discard)

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
        if generation is None or generation.deleted_at is not None:
            raise not_found("generation")
        return generation

    def show(self, generation: Generation) -> GenerationOut:
        """Return a generation as JSON."""
        namespace = f"{self.settings.effective_temporal_ui_url}/namespaces/{self.client.namespace}"
        return GenerationOut.of(generation, namespace)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Here = Annotated[Service, Depends(_service)]
