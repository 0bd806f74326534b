"""The queue as its owner sees it: how the accounts stand, what is in the making, what waits, and for what."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from api import pages
from api.gates.accounts import ask_gates, standings
from api.gates.queue_schemas import AccountOut, PlaceOut
from api.generations.paths import path_of
from api.generations.schemas import Progress, eta_seconds, retry_at
from api.generations.showing import ticket_of
from api.service import Here, Service, now
from domain.gate.status import GateStatus
from domain.gate.tickets import Priority
from domain.generation import Generation
from domain.status import Stage
from storage.gate import gates, queue

router = APIRouter(prefix="/v1/queue", tags=["queue"])

PROCESSING_MAX = 100


class QueuedOut(BaseModel):
    """A generation that waits, or is in the making."""

    id: str = Field(examples=["gen_01k9zq3v5x7b8c9d0e1f2g3h4j"])
    prompt: str
    project_id: str | None
    take: int
    stage: Stage
    priority: Priority
    provider: str
    model: str
    progress: Progress
    eta_seconds: int | None = Field(description="Until it is done, once its progress tells.")
    queue: PlaceOut | None = Field(description="Its place while it is `queued`; null where nobody can tell.")
    retry_at: AwareDatetime | None = Field(description="When the next attempt may begin.")
    created_at: AwareDatetime
    url: str = Field(examples=["/v1/generations/gen_01k9zq3v5x7b8c9d0e1f2g3h4j"])

    @classmethod
    def of(cls, generation: Generation, place: PlaceOut | None, moment: datetime) -> "QueuedOut":
        """Return a generation as JSON."""
        take = generation.current
        return cls(
            id=generation.id,
            prompt=take.request.prompt,
            project_id=generation.project_id,
            take=take.number,
            stage=generation.stage,
            priority=take.request.priority,
            provider=take.plan.provider,
            model=take.plan.model,
            progress=Progress.of(generation),
            eta_seconds=eta_seconds(generation, moment),
            queue=place,
            retry_at=retry_at(generation),
            created_at=generation.created_at,
            url=path_of(generation.id),
        )


class QueuePage(BaseModel):
    """The accounts, and the caller's own part of the queue; strangers are only counted, with the accounts."""

    paused: bool = Field(description="Whether the caller has paused its own tickets.")
    accounts: list[AccountOut]
    processing: list[QueuedOut] = Field(description=f"The oldest first, {PROCESSING_MAX} at most.")
    processing_count: int
    waiting: list[QueuedOut] = Field(description="A page, the oldest first; each says its position.")
    waiting_count: int
    has_more: bool
    next: str | None = Field(description="Pass it as `cursor` for the next page of those who wait.")


@router.get("", summary="The queue")
async def show(service: Here, query: Annotated[pages.PageQuery, Query()]) -> QueuePage:
    """Return how the accounts stand, and what the caller has in the making and waiting."""
    return await page_of(service, after_id=query.behind(pages.generation), limit=query.limit)


async def page_of(service: Service, *, after_id: str | None = None, limit: int = 20) -> QueuePage:
    """Return one page of the queue.

    Args:
        service: The parts of this process.
        after_id: Only those that wait and are younger than this one.
        limit: How many that wait.
    """
    owner = queue.Owner(
        tenant_id=service.tenant, mode=service.settings.mode, only_user=service.caller.only_user
    )
    async with service.database.read() as connection:
        found = await queue.own(connection, owner, waiting=True, after_id=after_id, limit=limit + 1)
        processing = await queue.own(connection, owner, waiting=False, limit=PROCESSING_MAX)
        waiting_count = await queue.count(connection, owner, waiting=True)
        processing_count = await queue.count(connection, owner, waiting=False)
        paused = await gates.is_paused(connection, service.tenant)
    waiting = found[:limit]
    has_more = len(found) > limit
    statuses = await ask_gates(service, _refs(waiting))
    places = _places(statuses)
    moment = now()
    return QueuePage(
        paused=paused,
        accounts=[one.shown for one in (await standings(service, statuses)).values()],
        processing=[QueuedOut.of(generation, None, moment) for generation in processing],
        processing_count=processing_count,
        waiting=[QueuedOut.of(generation, places.get(generation.id), moment) for generation in waiting],
        waiting_count=waiting_count,
        has_more=has_more,
        next=pages.cursor(waiting[-1].id) if has_more else None,
    )


def _refs(waiting: Sequence[Generation]) -> Mapping[str, Sequence[str]]:
    """Return the tickets of generations, by account."""
    refs = defaultdict(list)
    for ticket in map(ticket_of, waiting):
        if ticket is not None:
            refs[ticket[0]].append(ticket[1])
    return refs


def _places(statuses: Mapping[str, GateStatus | None]) -> dict[str, PlaceOut]:
    """Return the places that the gates have told, by generation."""
    moment = now()
    return {
        waiting.ticket.generation_id: PlaceOut.of_ticket(status, waiting, moment)
        for status in statuses.values()
        if status is not None
        for waiting in status.waiting
    }
