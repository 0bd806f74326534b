"""Cancelling a generation, and what a cancel would do before it is asked for."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.door import audit
from api.door.scopes import needs
from api.generations.finding import find, find_to_change
from api.generations.paths import GenerationId, path_of
from api.generations.take_schemas import Money
from api.idempotency import IdempotencyKey, once, respond
from api.problems import Problem
from api.service import Here, now
from domain.attempts.cancel_preview import Foresight, NothingToCancel, Preview, preview
from domain.attempts.outcomes import CancelOutcome
from domain.names import Signal
from domain.orders.request import CancelRequest
from domain.people.callers import Scope
from storage import catalog
from storage.idempotency import Reply
from storage.people.audit import Action
from storage.takes import wishes

router = APIRouter(prefix="/v1/generations", tags=["generations"])


class CancelOut(BaseModel):
    """What became of a cancel so far."""

    generation_id: str
    take: int
    outcome: CancelOutcome
    billed: bool | None
    cost: Money


class CancelPreviewOut(BaseModel):
    """What a cancel would do now; the cancel itself looks once more, and tells what it did."""

    generation_id: str
    take: int
    outcome: Foresight
    billed: bool | None = Field(description="Null where that is not known.")
    cost: Money = Field(description="As it would be right after the cancel.")
    message: str = Field(examples=["Runway would stop the job, and bills it in full."])

    @classmethod
    def of(cls, generation_id: str, foreseen: Preview) -> "CancelPreviewOut":
        """Return a preview as JSON."""
        return cls(
            generation_id=generation_id,
            take=foreseen.take,
            outcome=foreseen.outcome,
            billed=foreseen.billed,
            cost=Money.of(foreseen.cost),
            message=foreseen.message,
        )


@router.get("/{generation_id}/cancel-preview", summary="What a cancel would do")
async def cancel_preview(service: Here, generation_id: GenerationId) -> CancelPreviewOut:
    """Tell whether the newest take could be stopped, and what it would cost; changes nothing.

    After a cancel it tells what that one has done; a generation that is over without one is refused, as a cancel is.
    """
    generation = await find(service, generation_id)
    try:
        foreseen = preview(generation)
    except NothingToCancel as over:
        detail = f"The generation is {generation.status} already; there is nothing to cancel."
        raise Problem("already_over", detail) from over
    return CancelPreviewOut.of(generation_id, foreseen)


@router.post("/{generation_id}/cancel", status_code=202, response_model=CancelOut, summary="Cancel")
@needs(Scope.GENERATE)
async def cancel(
    service: Here,
    generation_id: GenerationId,
    key: IdempotencyKey,
    body: CancelRequest | None = None,
) -> JSONResponse:
    """Cancel the current take. The outcome is final at once where nothing was sent yet, else it follows.

    A second cancel is the same 202, with the outcome as it stands by then.
    """
    is_new = False

    async def work(connection: AsyncConnection) -> Reply:
        generation = await find_to_change(service, connection, generation_id)
        nonlocal is_new
        is_new = generation.current.cancel_requested_at is None
        reason = body.reason if body else None
        take = await wishes.cancel(connection, generation, now(), by="user", reason=reason)
        if is_new and audit.is_somebody_elses(service, generation):
            await audit.note(service, connection, Action.GENERATION_CANCELLED, generation_id)
        after = await catalog.load(connection, generation_id)
        answer = CancelOut(
            generation_id=generation_id,
            take=take.number,
            outcome=take.cancel_outcome or CancelOutcome.REQUESTED,
            billed=take.cancel_billed,
            cost=Money.of(after.cost),
        )
        return Reply(202, answer.model_dump(mode="json"), {"Location": path_of(generation_id)}, generation_id)

    try:
        reply = await once(service, key, work)
    except wishes.AlreadyOver as over:
        raise Problem(
            "already_over", f"The generation is {over.status} already; nothing was cancelled."
        ) from over
    if is_new:
        service.nudge_soon(generation_id, Signal.CANCEL, reply.body["take"])
    return respond(reply)
