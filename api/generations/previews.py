"""What a cancel would do, before it is asked for."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.changes import GenerationId
from api.generations.take_schemas import Money
from api.problems import Problem
from api.service import Here
from domain.attempts.cancel_preview import Foresight, NothingToCancel, Preview, preview

router = APIRouter(prefix="/v1/generations", tags=["generations"])


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
    generation = await service.find(generation_id)
    try:
        foreseen = preview(generation)
    except NothingToCancel as over:
        detail = f"The generation is {generation.status} already; there is nothing to cancel."
        raise Problem("already_over", detail) from over
    return CancelPreviewOut.of(generation_id, foreseen)
