"""What can be made here: providers, models, limits, prices, the day on which each was read, and who takes orders."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.gates.accounts import Standing, ask_gates, standings
from api.gates.queue_schemas import AccountOut
from api.service import Here, now
from domain.attempts.routing import Door, Health, expected_wait
from domain.money import to_usd
from domain.orders.capabilities import Capability, Mode, ModelFacts, Option, ProviderFacts, Size, Support
from domain.orders.sizing import ratio_name

router = APIRouter(tags=["providers"])


class RateOut(BaseModel):
    """What a model asks at one resolution."""

    resolution: str = Field(examples=["720p"], description="In pixels where a size has no name.")
    usd: str = Field(description="For a unit.")
    silent_usd: str | None = Field(description="Without sound, where that is another price.")
    example_usd: str = Field(description="A video of the default length.")

    @classmethod
    def of(cls, capability: Capability, size: Size) -> "RateOut":
        """Return the price at a size as JSON."""
        price, name = capability.price, size.name or str(size)
        usd, silent = (price.rate(silent=silent, resolution=name) for silent in (False, True))
        return cls(
            resolution=name,
            usd=to_usd(usd),
            silent_usd=None if silent == usd else to_usd(silent),
            example_usd=to_usd(capability.price_of(capability.default_duration, size, silent=False)),
        )


class PriceOut(BaseModel):
    """What a model asks; an estimate from it is shown with every order, and what the provider bills is the truth."""

    unit: str = Field(examples=["second", "video", "million_tokens"])
    usd: str = Field(examples=["0.12"], description="For a unit, at the default size.")
    silent_usd: str | None = Field(description="Without sound, where that is another price.")
    by_resolution: list[RateOut] = Field(description="At each resolution, the default one first.")
    least_usd: str | None = Field(
        description="What even the shortest video costs, where there is such a rule."
    )
    step_usd: str | None = Field(description="What is billed are whole multiples of it, such as a credit.")
    example_usd: str = Field(description="A video of the default length and size.")
    example_seconds: int
    is_certain: bool = Field(description="False where the price was not found with the provider itself.")
    read_on: date = Field(description="The day on which the price was read.")

    @classmethod
    def of(cls, capability: Capability, facts_read: date) -> "PriceOut":
        """Return a price as JSON."""
        price = capability.price
        sizes = {size.name or str(size): size for size in reversed(capability.sizes)}
        rates = [RateOut.of(capability, sizes[name]) for name in reversed(sizes)]
        default = RateOut.of(capability, capability.sizes[0])
        return cls(
            unit=price.unit,
            usd=default.usd,
            silent_usd=default.silent_usd,
            by_resolution=rates,
            least_usd=to_usd(price.least) if price.least else None,
            step_usd=to_usd(price.step) if price.step > 1 else None,
            example_usd=default.example_usd,
            example_seconds=capability.default_duration,
            is_certain=capability.price_is_certain,
            read_on=capability.price_read or facts_read,
        )


class SizeOut(BaseModel):
    """One size that can be asked for."""

    pixels: str = Field(examples=["1280x720"])
    resolution: str | None = Field(examples=["720p"])
    aspect_ratio: str = Field(examples=["16:9"])

    @classmethod
    def of(cls, size: Size) -> "SizeOut":
        """Return a size as JSON."""
        return cls(pixels=str(size), resolution=size.name, aspect_ratio=ratio_name(size))


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
    def of(cls, capability: Capability, facts_read: date) -> "ModeOut":
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
            price=PriceOut.of(capability, facts_read),
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


class TimesOut(BaseModel):
    """How long a video takes here."""

    job_seconds: float = Field(
        description="To make it: as measured with the last jobs; else a guess, for five seconds of video."
    )
    is_measured: bool
    wait_seconds: float | None = Field(
        description="In the queue, for somebody who orders now; null while the account is paused."
    )

    @classmethod
    def of(cls, health: Health, moment: datetime) -> "TimesOut":
        """Return an account's times as JSON."""
        is_paused = health.door(moment) is Door.PAUSED
        return cls(
            job_seconds=round(health.job_seconds, 1),
            is_measured=health.is_measured,
            wait_seconds=None if is_paused else round(expected_wait(health, moment).total_seconds(), 1),
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
    times: TimesOut
    models: list[ModelOut]

    @classmethod
    def of(cls, facts: ProviderFacts, mode: str, standing: Standing, moment: datetime) -> "ProviderOut":
        """Return a provider as JSON."""
        return cls(
            id=facts.id,
            name=facts.name,
            mode=mode,
            retired=None if facts.retired is None else facts.retired.model_dump(mode="json"),
            health=standing.shown,
            times=TimesOut.of(standing.health, moment),
            models=[ModelOut.of(model) for model in facts.models],
        )


class ProviderList(BaseModel):
    """The providers of this deployment, the preferred one first."""

    data: list[ProviderOut]


@router.get("/v1/providers", summary="What can be made here, and what it costs")
async def providers(service: Here) -> ProviderList:
    """Return each provider's models with their limits and prices, its health, and how long a video takes there."""
    found, moment = await standings(service, await ask_gates(service)), now()
    return ProviderList(
        data=[
            ProviderOut.of(facts, service.settings.mode, found[facts.id], moment)
            for facts in service.providers
        ]
    )
