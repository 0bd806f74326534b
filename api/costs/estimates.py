"""What a video would cost, and when it would be there, before anything is ordered."""

from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.costs.quotas import as_allowed
from api.door.scopes import needs
from api.door.users import user_of
from api.problems import FieldError, field_errors
from api.service import Here, Service, now
from domain.attempts.routing import Door
from domain.costs.estimates import Cheaper, Estimate, Offer, estimates, fits, in_time
from domain.money import to_usd
from domain.orders.line_up import name_of
from domain.orders.planning import Wanted
from domain.orders.plans import Adjustment, FirstFrame
from domain.orders.refusals import Problem, RequestRefused
from domain.orders.request import GenerationRequest, Prompt
from domain.people.callers import Scope
from storage.files import images

router = APIRouter(tags=["estimates"])

_ANY_PROMPT = "A video"
_ASSUMED_PICTURE = FirstFrame(image_id="assumed", sha256="0" * 64, width=1280, height=720)
_ASSUMED = "The picture at image_url is not fetched for an estimate: it is taken for one of 16:9."


class EstimateRequest(GenerationRequest):
    """An order that nobody has made up their mind about; even the prompt may be left out."""

    prompt: Prompt = Field(default=_ANY_PROMPT)


class TimeSource(StrEnum):
    """Where an expected time comes from."""

    MEASURED = "measured"
    GUESSED = "guessed"


class ExpectedOut(BaseModel):
    """How long making the video should take, once it is begun."""

    value: float
    is_measured: bool
    source: TimeSource = Field(description="`measured` with the last jobs there, or `guessed`.")


class DoorOut(StrEnum):
    """Whether orders are sent to an account now."""

    OPEN = "open"
    BREAKER_OPEN = "breaker_open"
    PAUSED = "paused"


class CheaperOut(BaseModel):
    """The same video for less."""

    params: dict[str, Any] = Field(
        description="What to change in `params`.", examples=[{"resolution": "480p"}]
    )
    price_usd: str

    @classmethod
    def of(cls, cheaper: Cheaper) -> "CheaperOut":
        """Return a cheaper video as JSON."""
        return cls(params=dict(cheaper.params), price_usd=to_usd(cheaper.price))


class OfferOut(BaseModel):
    """What a model would make, for how much, and how soon."""

    price_usd: str = Field(examples=["0.60"])
    price_is_certain: bool = Field(
        description="False where the price was not found with the provider itself."
    )
    fits_max_cost: bool | None = Field(description="Null without `max_cost_usd`.")
    expected_seconds: ExpectedOut
    wait_seconds: float | None = Field(
        description="In the queue before it is begun; null while the account is paused: nobody can tell."
    )
    total_seconds: float | None = Field(description="Waiting and making.")
    fits_deadline: bool | None = Field(
        description="Null without `deadline_seconds`, or where nobody can tell."
    )
    takes_orders: DoorOut
    duration_seconds: int
    size: str = Field(examples=["1280x720"])
    adjustments: list[Adjustment] = Field(description="In what it would differ from what is asked for.")
    cheaper: list[CheaperOut] = Field(description="The same for less, the cheapest first.")

    @classmethod
    def of(cls, wanted: Wanted, offer: Offer) -> "OfferOut":
        """Return an offer as JSON."""
        plan, wait = offer.plan, offer.wait_seconds
        return cls(
            price_usd=to_usd(plan.price),
            price_is_certain=offer.price_is_certain,
            fits_max_cost=fits(wanted, offer),
            expected_seconds=ExpectedOut(
                value=round(offer.making_seconds, 1),
                is_measured=offer.is_measured,
                source=TimeSource.MEASURED if offer.is_measured else TimeSource.GUESSED,
            ),
            wait_seconds=None if wait is None else round(wait, 1),
            total_seconds=None if wait is None else round(wait + offer.making_seconds, 1),
            fits_deadline=in_time(wanted, offer),
            takes_orders=_DOORS[offer.door],
            duration_seconds=plan.duration_seconds,
            size=f"{plan.width}x{plan.height}",
            adjustments=[
                one for one in plan.adjustments if wanted.first_frame != _ASSUMED_PICTURE or _holds(one)
            ],
            cheaper=[CheaperOut.of(one) for one in offer.cheaper],
        )


class EstimateOut(BaseModel):
    """What one model says to a request."""

    provider: str = Field(examples=["runway"])
    name: str = Field(description="Of the provider.", examples=["Runway"])
    model: str = Field(examples=["gen4.5"])
    is_possible: bool = Field(description="Whether it would serve the request as it is.")
    is_chosen: bool = Field(description="Whether an order would go to it first.")
    place: int | None = Field(
        description="Where an order would come to it, from 1; null where it would not go to it at all."
    )
    offer: OfferOut | None = Field(description="Null where it cannot serve the request.")
    problems: list[FieldError] = Field(
        description="Why it would not serve it, in the words of a refused order."
    )

    @classmethod
    def of(cls, wanted: Wanted, estimate: Estimate) -> "EstimateOut":
        """Return an estimate as JSON."""
        return cls(
            provider=estimate.provider,
            name=name_of(estimate.provider),
            model=estimate.model,
            is_possible=estimate.is_possible,
            is_chosen=estimate.place == 1,
            place=estimate.place,
            offer=None if estimate.offer is None else OfferOut.of(wanted, estimate.offer),
            problems=field_errors(estimate.problems),
        )


class EstimateList(BaseModel):
    """What every model says: those that an order would go to in its order, others that could serve it, and the rest."""

    mode: str = Field(description="`sandbox` or `live`: whether the money would be real.")
    assumed: list[str] = Field(description="What was taken for granted, in words.")
    data: list[EstimateOut]


@router.post(
    "/v1/estimates",
    summary="What a video would cost, and how long it would take",
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "examples": {
                        "shortest": {"value": {}},
                        "ten seconds": {
                            "value": {
                                "prompt": "A red fox runs over fresh snow",
                                "params": {"duration_seconds": 10, "resolution": "720p"},
                                "max_cost_usd": "1.00",
                            }
                        },
                    }
                }
            }
        }
    },
)
@needs(Scope.READ)
async def estimate(service: Here, body: EstimateRequest) -> EstimateList:
    """Tell for every model what the order would cost and when its video would be there, or why it cannot be made.

    Takes the body of an order and writes nothing, so it needs no Idempotency-Key. The prices are those at which an
    order reserves; what the provider bills is the truth.
    """
    entitlement = service.tenants.entitlement(service.tenant, user_of(service.caller, body.user_id))
    asked = as_allowed(entitlement, body)
    allowed = [facts for facts in service.providers if entitlement.allows(facts.id)]
    async with service.database.read() as connection:
        wanted = await _wanted(service, connection, asked)
        moment = now()
        healths = await service.healths.look(connection, moment)
    return EstimateList(
        mode=service.settings.mode,
        assumed=[_ASSUMED] if wanted.first_frame == _ASSUMED_PICTURE else [],
        data=[EstimateOut.of(wanted, one) for one in estimates(wanted, allowed, healths, moment)],
    )


async def _wanted(service: Service, connection: AsyncConnection, asked: GenerationRequest) -> Wanted:
    """Return what is asked for, with its picture; one that is somewhere else is only assumed.

    Raises:
        RequestRefused: It names a picture that is not there.
    """
    params = asked.params
    frame = None
    if params.image_id is not None:
        image = await images.find(connection, service.tenant, params.image_id, service.caller.only_user)
        if image is None:
            message = "there is no picture of this id: upload it with POST /v1/images"
            raise RequestRefused([Problem(pointer="/params/image_id", code="unknown_image", message=message)])
        frame = FirstFrame(image_id=image.id, sha256=image.sha256, width=image.width, height=image.height)
    elif params.image_url is not None:
        frame = _ASSUMED_PICTURE
        asked = asked.model_copy(update={"params": params.model_copy(update={"image_url": None})})
    # Seeds are drawn when something is ordered; none changes a price.
    return Wanted(request=asked, seed=0, first_frame=frame)


def _holds(adjustment: Adjustment) -> bool:
    """Tell whether an adjustment holds for every picture, so that it may be said of one that nobody has seen."""
    return adjustment.pointer != "/params/image_id"


_DOORS = {Door.OPEN: DoorOut.OPEN, Door.BROKEN: DoorOut.BREAKER_OPEN, Door.PAUSED: DoorOut.PAUSED}
