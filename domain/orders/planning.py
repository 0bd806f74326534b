"""Fitting a request to a provider and a model that can serve it, or refusing it with what would work."""

from collections.abc import Iterable, Sequence

from domain.model import Frozen
from domain.money import MICROS_PER_DOLLAR, Micros, to_usd
from domain.orders.capabilities import SILENT_OPTION, Capability, Mode, ModelFacts, ProviderFacts
from domain.orders.params import Params, Plain
from domain.orders.pictures import fitting
from domain.orders.plans import Adjustment, FirstFrame, Plan
from domain.orders.refusals import Problem, RequestRefused
from domain.orders.request import AUTO, GenerationRequest
from domain.orders.sizing import duration_of, size_of
from domain.orders.wording import word


class Wanted(Frozen):
    """Everything that a plan is made from.

    Attributes:
        request: A valid request.
        first_frame: The picture that its `image_id` names.
        seed: A random seed, used unless the request gives one.
    """

    request: GenerationRequest
    seed: int
    first_frame: FirstFrame | None = None

    @property
    def mode(self) -> Mode:
        """What the video is to be made from."""
        return Mode.TEXT if self.first_frame is None else Mode.IMAGE


def plans(wanted: Wanted, providers: Sequence[ProviderFacts]) -> tuple[Plan, ...]:
    """Fit a request to every provider that may serve it, one plan for each.

    Args:
        wanted: What is asked for.
        providers: The providers that this deployment has, the preferred one first.

    Returns:
        The plan of the provider that is asked for or, with `auto`, of each that can serve it, in their order; then
        those of the fallback providers that can, in the caller's order where there is one. A model that is named
        belongs to what is asked for: fallback providers serve by their own.

    Raises:
        RequestRefused: It names an unknown provider or model, or nothing can serve it; says what would work.
    """
    request = wanted.request
    if request.params.image_url is not None:
        raise RequestRefused([_image_url_problem()])
    unknown = _unknown_fallbacks(request, providers)
    try:
        asked = _made(_plan_at(wanted, facts) for facts in _candidates(request, providers))
    except RequestRefused as refused:
        raise RequestRefused([*_with_alternatives(refused.problems, wanted, providers), *unknown]) from None
    if unknown:
        raise RequestRefused(unknown)
    freely = _freely(wanted)
    taken = {made.provider for made in asked}
    others = [_plan_at(freely, facts) for facts in _fallbacks(request, providers) if facts.id not in taken]
    return (*asked, *(made for made in others if isinstance(made, Plan)))


def _freely(wanted: Wanted) -> Wanted:
    """Return the same wish with provider and model left to us."""
    return wanted.model_copy(
        update={"request": wanted.request.model_copy(update={"model": None, "provider": AUTO})}
    )


def _fallbacks(request: GenerationRequest, providers: Sequence[ProviderFacts]) -> list[ProviderFacts]:
    """Return the providers that may go on, in order."""
    if request.fallback_providers == AUTO:
        return list(providers)
    known = {facts.id: facts for facts in providers}
    return [known[named] for named in request.fallback_providers]


def _unknown_fallbacks(request: GenerationRequest, providers: Sequence[ProviderFacts]) -> list[Problem]:
    ids = tuple(facts.id for facts in providers)
    if request.fallback_providers == AUTO:
        return []
    return [
        Problem(
            pointer="/fallback_providers",
            code="unknown_provider",
            message=f"there is no provider {named!r} here",
            allowed=tuple(known for known in ids if known != request.provider),
        )
        for named in request.fallback_providers
        if named not in ids
    ]


def _candidates(request: GenerationRequest, providers: Sequence[ProviderFacts]) -> list[ProviderFacts]:
    if request.provider == AUTO:
        open_doors = [facts for facts in providers if facts.retired is None]
        if not open_doors:
            problem = Problem(pointer="/provider", code="no_provider", message="no provider is configured")
            raise RequestRefused([problem])
        # A model that is named belongs to the provider that has it; one that is gone says what to use instead.
        having = [facts for facts in providers if any(model.id == request.model for model in facts.models)]
        return [facts for facts in having if facts.retired is None] or having or open_doors
    chosen = [facts for facts in providers if facts.id == request.provider]
    if not chosen:
        problem = Problem(
            pointer="/provider",
            code="unknown_provider",
            message=f"there is no provider {request.provider!r} here",
            allowed=(AUTO, *(facts.id for facts in providers)),
        )
        raise RequestRefused([problem])
    return chosen


def _made(tried: Iterable[Plan | RequestRefused]) -> list[Plan]:
    """Return those that are plans; where none is, the first refusal counts, of what is preferred."""
    made, refusals = [], []
    for one in tried:
        if isinstance(one, Plan):
            made.append(one)
        else:
            refusals.append(one)
    if not made:
        raise refusals[0]
    return made


def _plan_at(wanted: Wanted, facts: ProviderFacts) -> Plan | RequestRefused:
    """Return the plan for a provider: of the model that is asked for, else of the first that can serve it."""
    asked = wanted.request.model
    models = [model for model in facts.models if asked in {None, model.id}]
    if not models and facts.retired is None:
        problem = Problem(
            pointer="/model",
            code="unknown_model",
            message=f"{facts.name} has no model {asked!r} here",
            allowed=tuple(model.id for model in facts.models),
        )
        return RequestRefused([problem])
    # Those that serve the mode come first, so that a refusal speaks of a model that is nearly right.
    models.sort(key=lambda model: wanted.mode not in model.modes)
    try:
        return _made(fit(wanted, facts, model) for model in models or facts.models)[0]
    except RequestRefused as refused:
        return refused


def fit(wanted: Wanted, facts: ProviderFacts, model: ModelFacts) -> Plan | RequestRefused:
    """Fit a request to one model, whichever it asks for."""
    if facts.retired is not None:
        message = f"{facts.name} is gone since {facts.retired.on.isoformat()}: {facts.retired.instead}"
        return RequestRefused([Problem(pointer="/provider", code="retired", message=message)])
    capability = model.in_mode(wanted.mode)
    if capability is None:
        return RequestRefused([_wrong_mode(model, wanted.mode)])
    request, params = wanted.request, wanted.request.params
    duration, duration_problems = duration_of(params, capability, model.id)
    size, size_problems = size_of(params, wanted.first_frame, capability, model.id)
    wording = word(request.prompt, params, capability, model.id)
    options = params.extra or {}
    silent = options.get(SILENT_OPTION) is False
    price = capability.price_of(duration, size, silent=silent)
    problems = [
        *wording.problems,
        *duration_problems,
        *size_problems,
        *_seed_problems(params, capability, model),
        *_option_problems(options, capability, model),
    ]
    if not problems and not fits_max_cost(request, price):
        message = f"{model.id} asks {to_usd(price)} US dollars for {duration} seconds"
        problems.append(Problem(pointer="/max_cost_usd", code="over_max_cost", message=message))
    if problems:
        return RequestRefused(problems)
    span = capability.most_seed - capability.least_seed + 1
    return Plan(
        provider=facts.id,
        model=model.id,
        mode=wanted.mode,
        prompt=wording.prompt,
        duration_seconds=duration,
        width=size.width,
        height=size.height,
        has_exact_size=capability.has_exact_sizes,
        resolution=size.resolution,
        aspect_ratio=size.ratio,
        seed=capability.least_seed + wanted.seed % span if params.seed is None else params.seed,
        seed_is_given=params.seed is not None,
        least_seed=capability.least_seed,
        most_seed=capability.most_seed,
        first_frame=wanted.first_frame,
        camera_fixed=wording.camera_fixed,
        options=options,
        adjustments=(
            *wording.adjustments,
            *_picture_adjustments(wanted.first_frame, size.width, size.height),
        ),
        price=price,
        meter=capability.meter_of(size, silent=silent),
    )


def fits_max_cost(request: GenerationRequest, price: Micros) -> bool:
    """Tell whether a price is within what a take may cost."""
    return request.max_cost_usd is None or price <= request.max_cost_usd * MICROS_PER_DOLLAR


def _picture_adjustments(frame: FirstFrame | None, width: int, height: int) -> list[Adjustment]:
    if frame is None:
        return []
    change = fitting((frame.width, frame.height), (width, height)).describe()
    if not change:
        return []
    message = f"The picture is {change}."
    return [Adjustment(pointer="/params/image_id", code="picture_fitted", message=message)]


def _seed_problems(params: Params, capability: Capability, model: ModelFacts) -> list[Problem]:
    if params.seed is None or capability.least_seed <= params.seed <= capability.most_seed:
        return []
    span = f"{capability.least_seed} to {capability.most_seed}"
    message = f"{model.id} takes seeds from {span}: leave it out for a random one"
    return [Problem(pointer="/params/seed", code="seed_not_supported", message=message)]


def _option_problems(options: dict[str, Plain], capability: Capability, model: ModelFacts) -> list[Problem]:
    known = {option.name: option for option in capability.options}
    problems = []
    for name, value in options.items():
        option = known.get(name)
        pointer = f"/params/extra/{name}"
        if option is None:
            message = f"{model.id} has no option {name!r}"
            problems.append(
                Problem(pointer=pointer, code="unknown_option", message=message, allowed=tuple(known))
            )
        elif not option.takes(value):
            message = f"must be {option.allowed}"
            problems.append(Problem(pointer=pointer, code="option_value", message=message))
    return problems


def _wrong_mode(model: ModelFacts, mode: Mode) -> Problem:
    if mode is Mode.TEXT:
        message = (
            f"{model.id} makes videos from an image only: upload one with POST /v1/images and give its image_id, or "
            "choose another model"
        )
        return Problem(pointer="/params/image_id", code="image_required", message=message)
    message = f"{model.id} takes no image: leave it out, or choose another model"
    return Problem(pointer="/params/image_id", code="image_not_supported", message=message)


def _image_url_problem() -> Problem:
    return Problem(
        pointer="/params/image_url",
        code="image_url_not_fetched",
        message="nothing is fetched for this: upload the picture with POST /v1/images and give its image_id",
    )


_OWN_ANSWER = frozenset(
    {"unknown_provider", "no_provider", "unknown_model", "prompt_too_long", "over_max_cost"}
)
"""Refusals that another provider is no answer to, or that say themselves what would be right."""


def _with_alternatives(
    problems: Iterable[Problem], wanted: Wanted, providers: Sequence[ProviderFacts]
) -> list[Problem]:
    """Say of each problem who could serve the request as it is asked."""
    freely = _freely(wanted)
    able = tuple(facts.id for facts in providers if isinstance(_plan_at(freely, facts), Plan))
    return [
        problem if problem.code in _OWN_ANSWER else problem.model_copy(update={"served_by": able})
        for problem in problems
    ]
