"""Finding the generation that a caller names: one of its own, and of others nobody learns that they exist."""

from sqlalchemy.ext.asyncio import AsyncConnection

from api.problems import Problem, not_found
from api.service import Service
from domain.generation import Generation
from domain.ids import is_generation_id
from storage import catalog
from storage.database import alone_with


async def find(service: Service, generation_id: str) -> Generation:
    """Return a generation of the caller.

    Raises:
        Problem: There is none of that id.
    """
    generation = None
    if is_generation_id(generation_id):
        async with service.database.read() as connection:
            generation = await catalog.find(connection, generation_id)
    return _shown(service, generation)


async def find_to_change(service: Service, connection: AsyncConnection, generation_id: str) -> Generation:
    """Return a generation of the caller that nobody else changes before the transaction ends.

    Raises:
        Problem: There is none of that id, or it belongs to the other mode.
    """
    found = None
    if is_generation_id(generation_id):
        await alone_with(connection, generation_id)
        found = await catalog.find(connection, generation_id)
    generation = _shown(service, found)
    if generation.mode is not service.settings.mode:
        detail = (
            f"It was ordered in {generation.mode} mode, and this service is in {service.settings.mode} mode."
        )
        raise Problem("other_mode", detail)
    return generation


def _shown(service: Service, found: Generation | None) -> Generation:
    """Return what was found, if the caller may see that it is there."""
    caller = service.caller
    if (
        found is None
        or found.deleted_at is not None
        or found.tenant_id != caller.tenant_id
        or caller.only_user not in {None, found.user_id}
    ):
        raise not_found("generation")
    return found
