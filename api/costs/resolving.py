"""Saying what became of money that is at risk, where nobody can be asked: an operator has looked at the bill."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from api.door import audit
from api.door.scopes import needs
from api.generations.finding import find_to_change
from api.generations.paths import AttemptNumber, GenerationId, TakeNumber
from api.generations.schemas import GenerationOut
from api.generations.showing import reply
from api.idempotency import IdempotencyKey, once, respond
from api.problems import Problem, not_found
from api.service import Here, now
from domain.generation import Attempt, Generation
from domain.model import Frozen
from domain.money import from_usd, to_usd
from domain.people.callers import Scope
from storage import catalog
from storage.idempotency import Reply
from storage.money import resolving
from storage.people.audit import Action

router = APIRouter(prefix="/v1/generations", tags=["operators"])


class Resolution(Frozen):
    """What the provider's bill says.

    Attributes:
        amount_usd: What was billed, where that is not all that is at risk.
    """

    billed: bool
    amount_usd: Annotated[Decimal, Field(gt=0, le=1000)] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "Resolution":
        if self.amount_usd is not None and not self.billed:
            raise ValueError("amount_usd is given, so billed must be true")
        return self

    @property
    def bill(self) -> int | None:
        """In micro-dollars; None: all that is at risk."""
        if not self.billed:
            return 0
        return None if self.amount_usd is None else from_usd(self.amount_usd)


@router.post(
    "/{generation_id}/takes/{number}/attempts/{attempt}/resolve",
    response_model=GenerationOut,
    summary="Say whether an attempt was billed",
)
@needs(Scope.OPERATE)
async def resolve(
    service: Here,
    generation_id: GenerationId,
    number: TakeNumber,
    attempt: AttemptNumber,
    body: Resolution,
    key: IdempotencyKey,
) -> JSONResponse:
    """Settle what is at risk, or give it back. What the provider says of the job later counts more."""

    async def work(connection: AsyncConnection) -> Reply:
        generation = await find_to_change(service, connection, generation_id)
        found = _attempt(generation, number, attempt)
        try:
            await resolving.resolve(connection, found, body.bill, now())
        except resolving.StillLooking as error:
            raise Problem("still_looking", "The attempt is not over: its provider is still asked.") from error
        except resolving.NothingAtRisk as error:
            raise Problem("nothing_at_risk", "Nothing of this attempt is at risk.") from error
        told = {"billed": body.billed, "at_risk_usd": to_usd(found.cost.at_risk)}
        if body.amount_usd is not None:
            told["amount_usd"] = str(body.amount_usd)
        await audit.note(service, connection, Action.MONEY_RESOLVED, found.ref, told)
        return reply(service, await catalog.load(connection, generation_id), 200)

    return respond(await once(service, key, work))


def _attempt(generation: Generation, take: int, number: int) -> Attempt:
    for one in generation.takes:
        for attempt in one.attempts:
            if (one.number, attempt.number) == (take, number):
                return attempt
    raise not_found("attempt")
