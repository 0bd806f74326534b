"""One generation over HTTP: look, cancel, delete."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from api.changes import GenerationId, IdempotencyKey, load_to_change, location, once, respond
from api.door import audit
from api.door.scopes import needs
from api.generations.schemas import CancelOut, GenerationOut
from api.generations.take_schemas import Money
from api.generations.waiting import WAIT_MAX, wait_for_news
from api.problems import Problem
from api.service import Here, now
from domain.attempts.outcomes import CancelOutcome
from domain.messages import Signal
from domain.orders.request import CancelRequest
from domain.people.callers import Scope
from storage.idempotency import Reply
from storage.people.audit import Action
from storage.takes import catalog, erasing, wishes

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
    if wait:
        return await service.show_in_queue(await wait_for_news(service, generation_id, wait, after))
    return await service.show_in_queue(await service.find(generation_id))


@router.post("/{generation_id}/cancel", status_code=202, response_model=CancelOut, summary="Cancel")
@needs(Scope.GENERATE)
async def cancel(
    service: Here,
    request: Request,
    generation_id: GenerationId,
    body: CancelRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Cancel the current take. The outcome is final at once where nothing was sent yet, else it follows.

    A second cancel is the same 202, with the outcome as it stands by then.
    """
    is_new = False

    async def work(connection: AsyncConnection) -> Reply:
        generation = await load_to_change(service, connection, generation_id)
        nonlocal is_new
        is_new = generation.current.cancel_requested_at is None
        reason = body.reason if body else None
        take = await wishes.cancel(connection, generation, now(), by="user", reason=reason)
        if is_new and audit.is_somebody_elses(service, generation):
            await audit.note(service, request, connection, Action.GENERATION_CANCELLED, generation_id)
        after = await catalog.load(connection, generation_id)
        answer = CancelOut(
            generation_id=generation_id,
            take=take.number,
            outcome=take.cancel_outcome or CancelOutcome.REQUESTED,
            billed=take.cancel_billed,
            cost=Money.of(after.cost),
        )
        return Reply(202, answer.model_dump(mode="json"), location(generation_id), generation_id)

    try:
        reply = await once(service, request, idempotency_key, work)
    except wishes.AlreadyOver as over:
        raise Problem(
            "already_over", f"The generation is {over.status} already; nothing was cancelled."
        ) from over
    if is_new:
        service.nudge_soon(generation_id, Signal.CANCEL, reply.body["take"])
    return respond(reply)


@router.delete("/{generation_id}", status_code=204, response_class=Response, summary="Delete")
@needs(Scope.GENERATE)
async def delete(service: Here, request: Request, generation_id: GenerationId) -> Response:
    """Erase the prompt, the videos and everything else that was written; what it cost stays in the books.

    It is gone for everybody at once; files and workflow histories follow within seconds. An uploaded picture is a thing
    of its own: `DELETE /v1/images/{image_id}`.
    """
    async with service.database.write() as connection:
        generation = await load_to_change(service, connection, generation_id)
        try:
            await erasing.delete(connection, generation, now())
            await audit.note(service, request, connection, Action.GENERATION_DELETED, generation_id)
        except erasing.NotOver as error:
            raise Problem("still_running", "It is not over: cancel it first, then delete it.") from error
    return Response(status_code=204)
