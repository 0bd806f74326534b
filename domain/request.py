"""What a user may ask for, and its limits. A field that breaks one is named, with what would be right."""

import math
import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

PROMPT_MAX = 1000
DURATION_MAX = 30
SIDE_MIN, SIDE_MAX = 256, 2048
SEED_MAX = 2**32 - 1
METADATA_MAX = 16
URL_MAX = 2048

RESOLUTION_NAMES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
_PIXELS = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_RATIO = re.compile(r"([0-9]{1,4}):([0-9]{1,4})")


def pixels_of(resolution: str | None) -> tuple[int, int] | None:
    """Return (width, height) of a resolution in pixels, or None for a named or missing one."""
    match = _PIXELS.fullmatch(resolution or "")
    return (int(match[1]), int(match[2])) if match else None


def ratio_of(aspect_ratio: str | None) -> tuple[int, int] | None:
    """Return the two numbers of an aspect ratio."""
    match = _RATIO.fullmatch(aspect_ratio or "")
    return (int(match[1]), int(match[2])) if match else None


def _printable(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\r\t":
            raise PydanticCustomError(
                "control_character",
                "contains the control character {code}",
                {"code": f"U+{ord(character):04X}"},
            )
    return text


def _plain(value: object) -> object:
    if isinstance(value, (dict, list)) or (isinstance(value, float) and not math.isfinite(value)):
        raise PydanticCustomError("plain_value", "must be a string, a finite number or null")
    return value


def _not_blank(text: str) -> str:
    if all(character.isspace() or unicodedata.category(character) == "Cf" for character in text):
        raise PydanticCustomError("blank", "must say something: at least one visible character")
    return text


def _resolution(text: str) -> str:
    if text in RESOLUTION_NAMES:
        return text
    match = _PIXELS.fullmatch(text)
    if match is None:
        names = ", ".join(RESOLUTION_NAMES)
        raise PydanticCustomError(
            "resolution", "is not a resolution: give {names}, or pixels as 1280x720", {"names": names}
        )
    if not all(SIDE_MIN <= int(side) <= SIDE_MAX for side in match.groups()):
        raise PydanticCustomError(
            "resolution_range",
            "each side must have {least} to {most} pixels",
            {"least": SIDE_MIN, "most": SIDE_MAX},
        )
    return text


def _aspect_ratio(text: str) -> str:
    match = _RATIO.fullmatch(text)
    if match is None or not all(int(part) for part in match.groups()):
        raise PydanticCustomError("aspect_ratio", "is not an aspect ratio: give two whole numbers as 16:9")
    return text


def _public_https(text: str) -> str:
    if any(character.isspace() for character in text):
        raise PydanticCustomError("image_url", "must be a URL without spaces: write them as %20")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise PydanticCustomError("image_url", "is not a URL") from None
    is_address = host is not None and re.fullmatch(r"[\d.]+|.*:.*", host) is not None
    if parts.scheme != "https" or not host or "." not in host or is_address:
        raise PydanticCustomError(
            "image_url", "must be an https URL with a host name, as the provider fetches it"
        )
    if parts.username or parts.password or (port not in {None, 443}):
        raise PydanticCustomError("image_url", "must have neither credentials nor a port of its own")
    return text


Text = Annotated[str, AfterValidator(_printable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_printable)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class Asked(BaseModel):
    """What a user sends: frozen, strict about types, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Prompt = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PROMPT_MAX),
    AfterValidator(_printable),
    AfterValidator(_not_blank),
    Field(
        description="What the video shows: 1 to 1000 characters (code points).",
        examples=["A red fox runs over fresh snow, low sun, slow motion"],
    ),
]
Provider = Annotated[
    Slug,
    Field(
        description="A provider's id, or `auto` for the best one that can serve it.",
        examples=["auto", "runway"],
    ),
]
Model = Annotated[
    Slug, Field(description="A model of the provider; its default when left out.", examples=["gen4.5"])
]


class Params(Asked):
    """How the video should be; what is left out is chosen by the model's defaults."""

    duration_seconds: Annotated[int, Field(ge=1, le=DURATION_MAX, examples=[5])] | None = None
    aspect_ratio: Annotated[str, AfterValidator(_aspect_ratio), Field(examples=["16:9"])] | None = None
    resolution: (
        Annotated[
            str,
            AfterValidator(_resolution),
            Field(
                description="`480p`, `720p`, `1080p`, `4k` or pixels such as `1280x720`.", examples=["720p"]
            ),
        ]
        | None
    ) = None
    image_url: (
        Annotated[
            str,
            StringConstraints(max_length=URL_MAX),
            AfterValidator(_printable),
            AfterValidator(_public_https),
            Field(description="The first frame: an https URL that the provider itself fetches."),
        ]
        | None
    ) = None
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] | None = None

    @model_validator(mode="after")
    def _sizes_agree(self) -> "Params":
        pixels = pixels_of(self.resolution)
        ratio = ratio_of(self.aspect_ratio)
        if pixels and ratio and pixels[0] * ratio[1] != pixels[1] * ratio[0]:
            raise PydanticCustomError(
                "size_contradiction",
                "resolution {resolution} contradicts aspect_ratio {ratio}: give one, or two that agree",
                {"resolution": self.resolution, "ratio": self.aspect_ratio},
            )
        return self


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
            Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_printable)],
            Annotated[str, StringConstraints(max_length=512), AfterValidator(_printable)],
        ],
        Field(max_length=METADATA_MAX, description="Your own labels, kept and returned unchanged."),
    ] = {}
    max_cost_usd: (
        Annotated[
            Decimal,
            Field(gt=0, le=100_000, max_digits=12, decimal_places=6, strict=False),
            Field(description="The most that a take may cost, over all its attempts.", examples=["1.00"]),
        ]
        | None
    ) = None


class RegenerateRequest(Asked):
    """What the next take changes: a field left out is kept, a field that is null is cleared."""

    prompt: Prompt | None = None
    provider: Provider | None = None
    model: Model | None = None
    params: dict[str, Annotated[Any, AfterValidator(_plain)]] | None = Field(
        default=None, description="Merged into the last take's params, one level deep; null clears a param."
    )


class CancelRequest(Asked):
    """Why it is cancelled, for the record."""

    reason: Annotated[str, StringConstraints(max_length=500), AfterValidator(_printable)] | None = None
