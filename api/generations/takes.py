"""Takes over HTTP: make the next one, keep one, say what one is worth."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.costs.quotas import REFUSALS, admit, refuse_providers
from api.door.scopes import needs
from api.generations.finding import find_to_change
from api.generations.paths import GenerationId, TakeNumber
from api.generations.routing import route_for
from api.generations.schemas import GenerationOut
from api.generations.showing import reply
from api.idempotency import IdempotencyKey, once, respond
from api.pictures.image_urls import change_with_picture
from api.problems import Problem, invalid
from api.service import Here, Service, now
from domain.generation import Feedback, Generation
from domain.names import Signal
from domain.orders.regeneration import next_request
from domain.orders.request import FeedbackRequest, IfRunning, RegenerateRequest
from domain.people.callers import Scope
from storage import catalog
from storage.idempotency import Reply
from storage.money.quotas import tell
from storage.takes import opinions, wishes

router = APIRouter(prefix="/v1/generations", tags=["takes"])


@router.post(
    "/{generation_id}/regenerate",
    status_code=202,
    response_model=GenerationOut,
    responses=REFUSALS,
    summary="Make the next take",
)
@needs(Scope.GENERATE)
async def regenerate(
    service: Here,
    generation_id: GenerationId,
    key: IdempotencyKey,
    body: RegenerateRequest | None = None,
) -> JSONResponse:
    """Make another take: what is not mentioned is kept, what is null is cleared, the seed is new unless given.

    While a take is running the answer is 409, unless `if_running` is `replace`: then that take is cancelled, with
    the true outcome in its `cancel`, and the next one begins.
    """
    change = body or RegenerateRequest()
    change = await change_with_picture(service, key, generation_id, change)
    replaced: int | None = None

    async def work(connection: AsyncConnection) -> Reply:
        nonlocal replaced
        generation = await find_to_change(service, connection, generation_id)
        try:
            asked = next_request(generation.current.request, change)
        except ValidationError as error:
            raise invalid(error.errors(include_url=False, include_input=False)) from error
        entitlement = service.tenants.entitlement(generation.tenant_id, generation.user_id)
        asked = entitlement.eased(asked)
        refuse_providers(entitlement, asked)
        route = await route_for(service, connection, asked, entitlement)
        is_over = generation.status.is_terminal
        replaced = None if is_over else generation.current.number
        if not is_over and change.if_running is not IfRunning.REPLACE:
            raise wishes.StillRunning("the last take is not over")
        notices = await admit(service, connection, entitlement, route[0], joins=is_over)
        moment = now()
        after = await wishes.regenerate(
            connection, generation, asked, route, moment, if_running=change.if_running
        )
        return reply(service, await tell(connection, after, notices, moment), 202)

    try:
        answer = await once(service, key, work)
    except wishes.StillRunning as running:
        detail = "The last take is not over: wait for it, cancel it first, or send if_running: replace."
        raise Problem("still_running", detail) from running
    if replaced is not None:
        service.nudge_soon(generation_id, Signal.CANCEL, replaced)
    if not answer.replayed:
        service.nudge_soon(generation_id, Signal.REGENERATE, answer.body["takes"][-1]["number"])
    return respond(answer)


@router.post("/{generation_id}/takes/{number}/keep", response_model=GenerationOut, summary="Keep a take")
@needs(Scope.GENERATE)
async def keep(
    service: Here,
    generation_id: GenerationId,
    number: TakeNumber,
    key: IdempotencyKey,
) -> JSONResponse:
    """Mark a take as one to keep; several can be. Marking it again changes nothing."""

    async def work(connection: AsyncConnection) -> Reply:
        generation = await _with_take(service, connection, generation_id, number)
        await opinions.keep(connection, generation, number, now())
        return reply(service, await catalog.load(connection, generation_id), 200)

    try:
        return respond(await once(service, key, work))
    except opinions.NothingToSee as error:
        raise _no_video(number) from error


@router.delete("/{generation_id}/takes/{number}/keep", response_model=GenerationOut, summary="Let a take go")
@needs(Scope.GENERATE)
async def let_go(service: Here, generation_id: GenerationId, number: TakeNumber) -> JSONResponse:
    """Take the mark back; the take stays."""

    async def work(connection: AsyncConnection) -> Reply:
        generation = await _with_take(service, connection, generation_id, number)
        await opinions.let_go(connection, generation, number, now())
        return reply(service, await catalog.load(connection, generation_id), 200)

    return respond(await once(service, None, work))


@router.post("/{generation_id}/feedback", response_model=GenerationOut, summary="Say what a take is worth")
@needs(Scope.GENERATE)
async def feedback(
    service: Here,
    generation_id: GenerationId,
    body: FeedbackRequest,
    key: IdempotencyKey,
) -> JSONResponse:
    """Rate a take; feedback on the same take replaces what was said before, and both stay in the event log."""
    number = body.take

    async def work(connection: AsyncConnection) -> Reply:
        nonlocal number
        generation = await find_to_change(service, connection, generation_id)
        number = number or generation.current.number
        generation = await _with_take(service, connection, generation_id, number)
        moment = now()
        given = Feedback(rating=body.rating, comment=body.comment, reasons=body.reasons, at=moment)
        await opinions.rate(connection, generation, number, given, moment)
        return reply(service, await catalog.load(connection, generation_id), 200)

    try:
        return respond(await once(service, key, work))
    except opinions.NothingToSee as error:
        raise _no_video(number) from error


async def _with_take(
    service: Service, connection: AsyncConnection, generation_id: str, number: int
) -> Generation:
    generation = await find_to_change(service, connection, generation_id)
    if number > len(generation.takes):
        raise Problem("not_found", f"The generation has no take {number}; it has {len(generation.takes)}.")
    return generation


def _no_video(number: int | None) -> Problem:
    return Problem("no_video", f"Take {number} has no video that could be judged.")
