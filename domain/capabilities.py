"""What each model can do, per mode, and how a request is fitted to it or refused with what would work.

The facts are data, read from the providers' own documentation on the date given. Nothing here guesses: a size
or a length that a model does not list is refused, with `allowed`.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

from domain.model import Frozen, Message
from domain.money import Micros
from domain.request import RESOLUTION_NAMES, GenerationRequest, Params, pixels_of, ratio_of

Allowed = Sequence[str | int]


class Mode(StrEnum):
    """What a video is made from."""

    TEXT = "text_to_video"
    IMAGE = "image_to_video"


class Problem(Frozen):
    """One thing that is wrong with a request.

    Attributes:
        pointer: JSON pointer to the field.
        code: A stable word for programs.
        message: A sentence for a person.
        allowed: What would be right here.
        served_by: Providers that can serve it as asked.
    """

    pointer: str
    code: str
    message: str
    allowed: tuple[str | int, ...] = ()
    served_by: tuple[str, ...] = ()


class RequestRefused(ValueError):
    """A request that cannot be served as asked; nothing was created."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.pointer}: {problem.message}" for problem in self.problems))


class Size(Frozen):
    """The pixels of a picture."""

    width: int
    height: int

    @property
    def short_side(self) -> int:
        """The shorter side in pixels: what names such as 720p speak of."""
        return min(self.width, self.height)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Capability(Frozen):
    """What one model can do in one mode.

    Attributes:
        durations: Whole seconds that can be asked for.
        default_duration: Used when the request names none.
        sizes: Exact sizes; the first is the default.
        price_per_second: Micro-dollars for one second.
        prompt_units: The longest prompt, in UTF-16 units: a picture sign counts as two.
    """

    mode: Mode
    durations: tuple[int, ...]
    default_duration: int
    sizes: tuple[Size, ...]
    price_per_second: Micros
    prompt_units: int


class ModelFacts(Frozen):
    """One model of a provider."""

    id: str
    capabilities: tuple[Capability, ...]
    facts_read: date

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that the model serves."""
        return tuple(capability.mode for capability in self.capabilities)


class ProviderFacts(Frozen):
    """One provider: its models, the first of which that serves a mode is the default."""

    id: str
    name: str
    models: tuple[ModelFacts, ...]


class Plan(Message):
    """A request fitted to a model: the effective request of one take.

    Attributes:
        price: What it should cost, in micro-dollars.
        seed: The seed that is sent; drawn at random when the user gave none.
    """

    provider: str
    model: str
    mode: Mode
    prompt: str
    duration_seconds: int
    width: int
    height: int
    seed: int
    image_url: str | None = None
    price: Micros


def plan(request: GenerationRequest, providers: Sequence[ProviderFacts], seed: int) -> Plan:
    """Fit a request to the first provider and model that can serve it.

    Args:
        request: A valid request.
        providers: The providers that this deployment has, the preferred one first.
        seed: A random seed, used unless the request gives one.

    Raises:
        RequestRefused: It names an unknown provider or model, or nothing can serve it; says what would work.
    """
    if request.provider != "auto":
        chosen = [facts for facts in providers if facts.id == request.provider]
        if not chosen:
            raise RequestRefused(
                [
                    Problem(
                        pointer="/provider",
                        code="unknown_provider",
                        message=f"there is no provider {request.provider!r} here",
                        allowed=("auto", *(facts.id for facts in providers)),
                    )
                ]
            )
    else:
        chosen = list(providers)
    refusals: list[RequestRefused] = []
    for facts in chosen:
        try:
            return _plan_at(request, facts, seed)
        except RequestRefused as refused:
            refusals.append(refused)
    raise (
        refusals[0]
        if refusals
        else RequestRefused(
            [Problem(pointer="/provider", code="no_provider", message="no provider is configured")]
        )
    )


def _plan_at(request: GenerationRequest, facts: ProviderFacts, seed: int) -> Plan:
    mode = Mode.IMAGE if request.params.image_url else Mode.TEXT
    model = _model_of(request, facts, mode)
    capability = next((known for known in model.capabilities if known.mode is mode), None)
    if capability is None:
        raise RequestRefused([_wrong_mode(model, mode, facts)])
    duration, duration_problems = _duration_of(request.params, capability, model)
    size, size_problems = _size_of(request.params, capability, model)
    price = duration * capability.price_per_second
    problems = [*_prompt_problems(request.prompt, capability, model), *duration_problems, *size_problems]
    if not problems and request.max_cost_usd is not None and price > request.max_cost_usd * 1_000_000:
        problems.append(
            Problem(
                pointer="/max_cost_usd",
                code="over_max_cost",
                message=f"{model.id} asks {price / 1_000_000:.2f} US dollars for {duration} seconds",
            )
        )
    if problems:
        raise RequestRefused(problems)
    return Plan(
        provider=facts.id,
        model=model.id,
        mode=mode,
        prompt=request.prompt,
        duration_seconds=duration,
        width=size.width,
        height=size.height,
        seed=request.params.seed if request.params.seed is not None else seed,
        image_url=request.params.image_url,
        price=price,
    )


def _model_of(request: GenerationRequest, facts: ProviderFacts, mode: Mode) -> ModelFacts:
    if request.model is None:
        return next((model for model in facts.models if mode in model.modes), facts.models[0])
    for model in facts.models:
        if model.id == request.model:
            return model
    raise RequestRefused(
        [
            Problem(
                pointer="/model",
                code="unknown_model",
                message=f"{facts.name} has no model {request.model!r} here",
                allowed=tuple(model.id for model in facts.models),
            )
        ]
    )


def _wrong_mode(model: ModelFacts, mode: Mode, facts: ProviderFacts) -> Problem:
    others = tuple(other.id for other in facts.models if mode in other.modes)
    if mode is Mode.TEXT:
        return Problem(
            pointer="/params/image_url",
            code="image_required",
            message=f"{model.id} makes videos from an image only: give one, or choose another model",
            served_by=others,
        )
    return Problem(
        pointer="/params/image_url",
        code="image_not_supported",
        message=f"{model.id} takes no image",
        served_by=others,
    )


def _prompt_problems(prompt: str, capability: Capability, model: ModelFacts) -> list[Problem]:
    units = len(prompt.encode("utf-16-le")) // 2
    if units <= capability.prompt_units:
        return []
    return [
        Problem(
            pointer="/prompt",
            code="prompt_too_long",
            message=(
                f"{model.id} takes prompts of {capability.prompt_units} UTF-16 units at most (an emoji counts as two "
                f"or more); this one has {units}"
            ),
        )
    ]


def _duration_of(params: Params, capability: Capability, model: ModelFacts) -> tuple[int, list[Problem]]:
    asked = params.duration_seconds
    if asked is None:
        return capability.default_duration, []
    if asked in capability.durations:
        return asked, []
    least, most = min(capability.durations), max(capability.durations)
    return asked, [
        Problem(
            pointer="/params/duration_seconds",
            code="duration_not_supported",
            message=f"{model.id} makes videos of {least} to {most} seconds",
            allowed=capability.durations,
        )
    ]


def _size_of(params: Params, capability: Capability, model: ModelFacts) -> tuple[Size, list[Problem]]:
    fitting = [size for size in capability.sizes if _fits(params, size)]
    if fitting:
        return fitting[0], []
    problems = []
    ratio, pixels = ratio_of(params.aspect_ratio), pixels_of(params.resolution)
    if ratio and not any(_has_ratio(size, ratio) for size in capability.sizes):
        problems.append(
            Problem(
                pointer="/params/aspect_ratio",
                code="aspect_ratio_not_supported",
                message=f"{model.id} has no size of {params.aspect_ratio}",
                allowed=tuple(dict.fromkeys(_ratio_name(size) for size in capability.sizes)),
            )
        )
    if not problems:
        candidates = [size for size in capability.sizes if pixels or not ratio or _has_ratio(size, ratio)]
        problems.append(
            Problem(
                pointer="/params/resolution",
                code="resolution_not_supported",
                message=f"{model.id} has no size of {params.resolution}",
                allowed=tuple(
                    dict.fromkeys([*_resolution_names(candidates), *(str(size) for size in candidates)])
                ),
            )
        )
    return capability.sizes[0], problems


def _fits(params: Params, size: Size) -> bool:
    ratio, pixels = ratio_of(params.aspect_ratio), pixels_of(params.resolution)
    if ratio and not _has_ratio(size, ratio):
        return False
    if pixels:
        return (size.width, size.height) == pixels
    return params.resolution is None or size.short_side == RESOLUTION_NAMES[params.resolution]


def _has_ratio(size: Size, ratio: tuple[int, int]) -> bool:
    """Sizes are rounded to what codecs like (1104x832 is sold as 4:3), so 2 % is the same ratio."""
    wanted = ratio[0] / ratio[1]
    return abs(size.width / size.height - wanted) <= 0.02 * wanted


_COMMON_RATIOS = ((16, 9), (9, 16), (4, 3), (3, 4), (1, 1), (21, 9), (9, 21), (3, 2), (2, 3))


def _ratio_name(size: Size) -> str:
    for ratio in _COMMON_RATIOS:
        if _has_ratio(size, ratio):
            return f"{ratio[0]}:{ratio[1]}"
    return f"{size.width}:{size.height}"


def _resolution_names(sizes: Iterable[Size]) -> list[str]:
    sides = {size.short_side for size in sizes}
    return [name for name, side in RESOLUTION_NAMES.items() if side in sides]
