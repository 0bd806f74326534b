"""What a user may ask for, and its limits. A field that breaks one is named, with what would be right."""

import math
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from domain.fields import Asked, Name, Slug, not_blank, printable
from domain.params import Params

PROMPT_MAX = 1000
METADATA_MAX = 16
COMMENT_MAX = 2000
REASONS_MAX = 10
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


class GenerationRequest(Asked):
    """One order for one video."""

    prompt: Prompt
    provider: Provider = "auto"
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
