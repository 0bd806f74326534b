"""Showing a generation: as JSON, with its place in the queue, and as what a request is answered."""

from api.gates.queue_schemas import PlaceOut
from api.generations.paths import path_of
from api.generations.schemas import GenerationOut
from api.service import Service, now
from domain.attempts.outcomes import AttemptState
from domain.generation import Generation
from domain.status import Stage
from storage.idempotency import Reply


def shown(service: Service, generation: Generation, place: PlaceOut | None = None) -> GenerationOut:
    """Return a generation as JSON, with its place in the queue where that was asked."""
    namespace = f"{service.settings.effective_temporal_ui_url}/namespaces/{service.client.namespace}"
    return GenerationOut.of(generation, namespace, place)


async def shown_in_queue(service: Service, generation: Generation) -> GenerationOut:
    """Return a generation as JSON, and ask its account's gate for its place while it is queued."""
    ticket = ticket_of(generation)
    found = None if ticket is None else await service.hub.place(*ticket)
    return shown(service, generation, None if found is None else PlaceOut.of_ticket(*found, now()))


def reply(service: Service, generation: Generation, status: int) -> Reply:
    """Return a generation as what a request that changed it is answered."""
    body = shown(service, generation).model_dump(mode="json")
    return Reply(status, body, {"Location": path_of(generation.id)}, generation.id)


def ticket_of(generation: Generation) -> tuple[str, str] | None:
    """Return the account and the ref of the ticket with which a generation is queued; None where it is not."""
    attempts = generation.current.attempts
    if generation.stage is not Stage.QUEUED or not attempts or attempts[-1].state is not AttemptState.QUEUED:
        return None
    return attempts[-1].account, attempts[-1].ref
