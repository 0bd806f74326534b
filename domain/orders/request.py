"""What a user may ask for, and its limits. A field that breaks one is named, with what would be right."""

import math
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from domain.fields import Asked, Name, Slug, not_blank, printable
from domain.gate.tickets import Priority
from domain.orders.params import Params

AUTO: Final = "auto"
"""Instead of a provider's id: the choice is ours."""

PROMPT_MAX = 1000
METADATA_MAX = 16
COMMENT_MAX = 2000
REASONS_MAX = 10
FALLBACKS_MAX = 8
DEADLINE_MIN, DEADLINE_MAX = 10, 7 * 86_400
_NESTED_MAX = 3


def _shallow(value: object, depth: int = 0) -> object:
    """Refuse what no param is: the merged result is validated in full, but only after it was merged."""
    if depth > _NESTED_MAX:
        raise PydanticCustomError("nested", "is nested too deeply")
    match value:
        case float() if not math.isfinite(value):
            raise PydanticCustomError("finite_number", "must be a finite number")
        case dict():
            for inner in value.values():
                _shallow(inner, depth + 1)
        case list():
            for inner in value:
                _shallow(inner, depth + 1)
    return value


Prompt = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PROMPT_MAX),
    printable,
    not_blank,
    Field(
        description="What the video shows: 1 to 1000 characters (code points).",
        examples=["A red fox runs over fresh snow, low sun, slow motion"],
    ),
]
Provider = Annotated[
    Slug,
    Field(
        description="A provider's id, or `auto` for the first one that can serve it.",
        examples=["auto", "runway"],
    ),
]
Model = Annotated[
    Slug, Field(description="A model of the provider; its default when left out.", examples=["gen4.5"])
]


class OnUnknownSubmission(StrEnum):
    """What follows where an order was sent, the answer was lost, and the job cannot be found."""

    HOLD = "hold"
    RESUBMIT = "resubmit"


class OnContentPolicy(StrEnum):
    """What follows where a provider refuses the content."""

    FAIL = "fail"
    NEXT = "next"


_slug = TypeAdapter[str](Slug)


def _fallbacks(value: object) -> object:
    """Refuse what is neither `auto` nor a list of different providers, with one error that says what is wrong."""
    if value == AUTO:
        return value
    if not isinstance(value, list | tuple):
        raise PydanticCustomError("fallback_providers", "must be `auto` or a list of providers")
    if len(value) > FALLBACKS_MAX:
        raise PydanticCustomError("too_long", "must name at most {most} providers", {"most": FALLBACKS_MAX})
    for named in value:
        try:
            _slug.validate_python(named, strict=True)
        except ValidationError:
            raise PydanticCustomError("provider_id", "must name providers by their ids") from None
        if named == AUTO:
            raise PydanticCustomError("auto_in_list", "must not have `auto` in a list: give it alone")
        if value.count(named) > 1:
            raise PydanticCustomError("duplicate", "names {provider} twice", {"provider": named})
    return tuple(value)


FallbackProviders = Annotated[
    Literal["auto"] | Annotated[tuple[Slug, ...], Field(max_length=FALLBACKS_MAX)],
    BeforeValidator(_fallbacks),
    Field(
        description="Who goes on where the provider cannot: `auto` for every other one that can serve the request, "
        "or exactly these, in this order; an empty list forbids it.",
        examples=["auto", ["seedance"]],
    ),
]


class GenerationRequest(Asked):
    """One order for one video."""

    prompt: Prompt
    provider: Provider = AUTO
    model: Model | None = None
    params: Params = Params()
    project_id: Name | None = None
    scenario_id: Name | None = None
    user_id: Name | None = None
    metadata: Annotated[
        dict[
            Annotated[str, StringConstraints(min_length=1, max_length=64), printable],
            Annotated[str, StringConstraints(max_length=512), printable],
        ],
        Field(max_length=METADATA_MAX, description="Your own labels, kept and returned unchanged."),
    ] = Field(default_factory=dict)
    max_cost_usd: (
        Annotated[
            Decimal,
            Field(gt=0, le=100_000, max_digits=12, decimal_places=6, strict=False),
            Field(description="The most that a take may cost, over all its attempts.", examples=["1.00"]),
        ]
        | None
    ) = None
    priority: Annotated[Priority, Field(strict=False)] = Field(
        default=Priority.NORMAL,
        description="How urgent it is, against others that wait for the same provider.",
    )
    fallback_providers: FallbackProviders = AUTO
    deadline_seconds: (
        Annotated[
            int,
            Field(ge=DEADLINE_MIN, le=DEADLINE_MAX),
            Field(
                description="From the moment at which a take is accepted; after it no new attempt is made.",
                examples=[600],
            ),
        ]
        | None
    ) = None
    on_unknown_submission: Annotated[OnUnknownSubmission, Field(strict=False)] = Field(
        default=OnUnknownSubmission.HOLD,
        description="Where an order was sent and the answer is lost for good: `hold` fails rather than pay twice, "
        "`resubmit` sends it again and accepts that both may be billed.",
    )
    on_content_policy: Annotated[OnContentPolicy, Field(strict=False)] = Field(
        default=OnContentPolicy.FAIL,
        description="Where a provider refuses the content: `fail`, or ask the `next` provider, though a refusal may "
        "be billed.",
    )

    # A word to the door, no part of what is made: it is not kept.
    allow_duplicate: bool = Field(
        default=False,
        exclude=True,
        description="Make it even where the same was ordered a moment ago; else that generation is the answer.",
    )

    @field_validator("fallback_providers")
    @classmethod
    def _goes_elsewhere(cls, value: str | tuple[str, ...], info: ValidationInfo) -> str | tuple[str, ...]:
        provider = info.data.get("provider")
        if value != AUTO and provider in value:
            raise PydanticCustomError(
                "repeats_provider", "must not repeat the provider {provider}", {"provider": provider}
            )
        return value


class IfRunning(StrEnum):
    """What a regenerate does while the last take is not over."""

    REFUSE = "refuse"
    REPLACE = "replace"


class RegenerateRequest(Asked):
    """What the next take changes: a field left out is kept, a field that is null is cleared."""

    prompt: Prompt | None = None
    provider: Provider | None = None
    model: Model | None = None
    params: dict[str, Annotated[Any, AfterValidator(_shallow)]] | None = Field(
        default=None, description="Merged into the last take's params, one level deep; null clears a param."
    )
    if_running: Annotated[IfRunning, Field(strict=False)] = Field(
        default=IfRunning.REFUSE,
        description="While a take is running: `refuse` answers 409, `replace` cancels it and starts the next.",
    )


class CancelRequest(Asked):
    """Why it is cancelled, for the record."""

    reason: Annotated[str, StringConstraints(max_length=500), printable] | None = None


class FeedbackRequest(Asked):
    """What a person thinks of a take."""

    take: Annotated[int, Field(ge=1, le=65535, description="The newest take if left out.")] | None = None
    rating: Annotated[int, Field(ge=1, le=5, description="1 (useless) to 5 (just right).")]
    comment: Annotated[str, StringConstraints(max_length=COMMENT_MAX), printable] | None = None
    reasons: Annotated[
        tuple[Slug, ...],
        Field(
            max_length=REASONS_MAX,
            strict=False,
            description="Short words to count, of your own choice.",
            examples=[["motion", "faces"]],
        ),
    ] = ()
