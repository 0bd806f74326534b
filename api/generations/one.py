"""One generation over HTTP: look at it, delete it."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.door import audit
from api.door.scopes import needs
from api.generations.finding import find_to_change
from api.generations.paths import GenerationId
from api.generations.schemas import GenerationOut
from api.generations.showing import shown_in_queue
from api.generations.waiting import WAIT_MAX, wait_for_news
from api.problems import Problem
from api.service import Here, now
from domain.people.callers import Scope
from storage.people.audit import Action
from storage.takes import erasing

router = APIRouter(prefix="/v1/generations", tags=["generations"])


@router.get("/{generation_id}", summary="Look at a generation")
async def show(
    service: Here,
    generation_id: GenerationId,
    wait: Annotated[int, Query(ge=0, le=WAIT_MAX, description="Seconds to wait for news, at most.")] = 0,
    after: Annotated[
        int | None,
        Query(ge=0, le=2**31 - 1, description="News is an event after this one; without it, the end."),
    ] = None,
) -> GenerationOut:
    """Return the generation as it stands, at once or when there is news."""
    return await shown_in_queue(service, await wait_for_news(service, generation_id, wait, after))


@router.delete("/{generation_id}", status_code=204, response_class=Response, summary="Delete")
@needs(Scope.GENERATE)
async def delete(service: Here, generation_id: GenerationId) -> Response:
    """Erase the prompt, the videos and everything else that was written; what it cost stays in the books.

    It is gone for everybody at once; files and workflow histories follow within seconds. An uploaded picture is a thing
    of its own: `DELETE /v1/images/{image_id}`.
    """
    async with service.database.write() as connection:
        generation = await find_to_change(service, connection, generation_id)
        try:
            await erasing.delete(connection, generation, now())
            await audit.note(service, connection, Action.GENERATION_DELETED, generation_id)
        except erasing.NotOver as error:
            raise Problem("still_running", "It is not over: cancel it first, then delete it.") from error
    return Response(status_code=204)
