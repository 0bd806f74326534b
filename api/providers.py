"""What can be made here: providers, models, limits, prices, the day on which each was read, and who takes orders."""

from datetime import date
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.accounts import accounts_of, ask_gates
from api.queue_schemas import AccountOut
from api.service import Here
from domain.capabilities import Capability, Mode, ModelFacts, Option, ProviderFacts, Size, Support
from domain.money import to_usd
from domain.prices import PerToken
from domain.sizing import ratio_name, resolution_name

router = APIRouter(tags=["providers"])


class PriceOut(BaseModel):
    """What a model asks; an estimate from it is shown with every order, and what the provider bills is the truth."""

    unit: str = Field(examples=["second", "video", "million_tokens"])
    usd: str = Field(examples=["0.12"])
    silent_usd: str | None = Field(description="Without sound, where that is another price.")
    example_usd: str = Field(description="A video of the default length and size.")
    example_seconds: int
    is_certain: bool = Field(description="False where the price was not found with the provider itself.")
    as_of: date

    @classmethod
    def of(cls, capability: Capability, as_of: date) -> "PriceOut":
        """Return a price as JSON."""
        price, size = capability.price, capability.sizes[0]
        seconds = capability.default_duration
        silent = price.silent_micros if isinstance(price, PerToken) else None
        return cls(
            unit=price.unit,
            usd=to_usd(price.micros),
            silent_usd=None if silent is None else to_usd(silent),
            example_usd=to_usd(price.of(seconds, size.width, size.height, silent=False)),
            example_seconds=seconds,
            is_certain=capability.price_is_certain,
            as_of=as_of,
        )


class SizeOut(BaseModel):
    """One size that can be asked for."""

    pixels: str = Field(examples=["1280x720"])
    resolution: str | None = Field(examples=["720p"])
    aspect_ratio: str = Field(examples=["16:9"])

    @classmethod
    def of(cls, size: Size) -> "SizeOut":
        """Return a size as JSON."""
        return cls(pixels=str(size), resolution=resolution_name(size), aspect_ratio=ratio_name(size))


class ModeOut(BaseModel):
    """What a model can do in one mode."""

    mode: Mode
    image_required: bool
    duration_seconds: list[int]
    default_duration_seconds: int
    sizes: list[SizeOut]
    max_prompt_units: int | None = Field(description="UTF-16 units; an emoji counts as two or more.")
    uses_prompt: bool
    negative_prompt: Support
    camera: Support
    camera_fixed: Support
    style: Support
    seed_range: tuple[int, int]
    options: list[Option] = Field(description="What `params.extra` may hold.")
    price: PriceOut

    @classmethod
    def of(cls, capability: Capability, as_of: date) -> "ModeOut":
        """Return a capability as JSON."""
        return cls(
            mode=capability.mode,
            image_required=capability.mode is Mode.IMAGE,
            duration_seconds=list(capability.durations),
            default_duration_seconds=capability.default_duration,
            sizes=[SizeOut.of(size) for size in capability.sizes],
            max_prompt_units=capability.prompt_units,
            uses_prompt=capability.uses_prompt,
            negative_prompt=capability.negative_prompt,
            camera=capability.camera,
            camera_fixed=capability.camera_fixed,
            style=capability.style,
            seed_range=(capability.least_seed, capability.most_seed),
            options=list(capability.options),
            price=PriceOut.of(capability, as_of),
        )


class ModelOut(BaseModel):
    """One model."""

    id: str
    needs_image: bool
    modes: list[ModeOut]
    facts_read: date

    @classmethod
    def of(cls, model: ModelFacts) -> "ModelOut":
        """Return a model as JSON."""
        return cls(
            id=model.id,
            needs_image=model.needs_image,
            modes=[ModeOut.of(capability, model.facts_read) for capability in model.capabilities],
            facts_read=model.facts_read,
        )


class ProviderOut(BaseModel):
    """One provider that this deployment has."""

    id: str
    name: str
    mode: str = Field(description="`sandbox` or `live`.")
    retired: dict[str, Any] | None = Field(
        description="Since when its door is closed, and what to use instead."
    )
    health: AccountOut = Field(description="Whether it takes orders now, and how many wait there.")
    models: list[ModelOut]

    @classmethod
    def of(cls, facts: ProviderFacts, mode: str, health: AccountOut) -> "ProviderOut":
        """Return a provider as JSON."""
        return cls(
            id=facts.id,
            name=facts.name,
            mode=mode,
            retired=None if facts.retired is None else facts.retired.model_dump(mode="json"),
            health=health,
            models=[ModelOut.of(model) for model in facts.models],
        )


class ProviderList(BaseModel):
    """The providers of this deployment, the preferred one first."""

    data: list[ProviderOut]


@router.get("/v1/providers", summary="What can be made here, and what it costs")
async def providers(service: Here) -> ProviderList:
    """Return each provider's models with their limits, price facts with the date they were read, and its health."""
    health = {one.account: one for one in await accounts_of(service, await ask_gates(service))}
    mode = service.settings.mode
    return ProviderList(data=[ProviderOut.of(facts, mode, health[facts.id]) for facts in service.providers])
