"""How a video should be, as a user asks for it: length, size, first frame, seed, camera, style."""

import math
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.fields import Asked, Slug, not_blank, printable

DURATION_MAX = 30
SIDE_MIN, SIDE_MAX = 256, 2048
SEED_MAX = 2**32 - 1
URL_MAX = 2048
NEGATIVE_PROMPT_MAX = 500
EXTRA_MAX = 16

RESOLUTION_NAMES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
_RATIO_TOLERANCE = 0.02
_PIXELS = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_RATIO = re.compile(r"([0-9]{1,4}):([0-9]{1,4})")

Plain = bool | int | float | str
"""What an option of a provider can be."""


def pixels_of(resolution: str | None) -> tuple[int, int] | None:
    """Return (width, height) of a resolution in pixels, or None for a named or missing one."""
    match = _PIXELS.fullmatch(resolution or "")
    return (int(match[1]), int(match[2])) if match else None


def ratio_of(aspect_ratio: str | None) -> tuple[int, int] | None:
    """Return the two numbers of an aspect ratio."""
    match = _RATIO.fullmatch(aspect_ratio or "")
    return (int(match[1]), int(match[2])) if match else None


def is_of_ratio(pixels: tuple[int, int], ratio: tuple[int, int]) -> bool:
    """Tell whether a size has a ratio: sizes are rounded to what codecs like, so 2 % is the same (1104x832 is 4:3)."""
    wanted = ratio[0] / ratio[1]
    return abs(pixels[0] / pixels[1] - wanted) <= _RATIO_TOLERANCE * wanted


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


def _fetchable(text: str) -> str:
    """Refuse what is no address of a file; where it may lead is judged when it is fetched."""
    if any(character.isspace() for character in text):
        raise PydanticCustomError("image_url", "must be a URL without spaces: write them as %20")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise PydanticCustomError("image_url", "is not a URL") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise PydanticCustomError("image_url", "must be an https URL with a host name")
    if parts.username is not None or parts.password is not None:
        raise PydanticCustomError("image_url", "must not have a user name or password in it")
    return text


def _plain(value: object) -> object:
    """Say once that a value is of no kind an option has, where a union would say it of each kind."""
    if not isinstance(value, Plain):
        raise PydanticCustomError("plain_value", "must be true, false, a number or a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("finite_number", "must be a finite number")
    return value


Strength = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class Camera(Asked):
    """How the camera moves; each axis from -1 to 1, 0 or left out is no movement."""

    pan: Annotated[Strength, Field(description="-1 left, 1 right.")] | None = None
    tilt: Annotated[Strength, Field(description="-1 down, 1 up.")] | None = None
    zoom: Annotated[Strength, Field(description="-1 out, 1 in.")] | None = None
    roll: Annotated[Strength, Field(description="-1 counter-clockwise, 1 clockwise.")] | None = None
    fixed: Annotated[bool, Field(description="The camera stands still.")] | None = None

    @property
    def moves(self) -> bool:
        """Whether any axis is asked to move."""
        return any((self.pan, self.tilt, self.zoom, self.roll))

    @model_validator(mode="after")
    def _stands_or_moves(self) -> "Camera":
        if self.fixed and self.moves:
            raise PydanticCustomError(
                "camera_contradiction", "a fixed camera cannot pan, tilt, zoom or roll: give one or the other"
            )
        return self


class Style(Asked):
    """How the picture looks."""

    preset: Annotated[Slug, Field(examples=["cinematic"])]
    strength: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None


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
    image_id: (
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=64),
            printable,
            Field(description="The first frame: a picture uploaded with `POST /v1/images`."),
        ]
        | None
    ) = None
    image_url: (
        Annotated[
            str,
            StringConstraints(max_length=URL_MAX),
            printable,
            AfterValidator(_fetchable),
            Field(
                description="The first frame: a JPEG, PNG or WebP of 20 MiB at most, on the public internet, by https. "
                "It is fetched once, when it is ordered, and kept; the request then names its `image_id`.",
            ),
        ]
        | None
    ) = None
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] | None = None
    negative_prompt: (
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=NEGATIVE_PROMPT_MAX),
            printable,
            not_blank,
            Field(description="What the video must not show."),
        ]
        | None
    ) = None
    camera: Camera | None = None
    style: Style | None = None
    extra: (
        Annotated[
            dict[Slug, Annotated[Plain, BeforeValidator(_plain)]],
            Field(
                max_length=EXTRA_MAX,
                description="Options that only this provider's model has; `GET /v1/providers` lists them.",
            ),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _sizes_agree(self) -> "Params":
        pixels = pixels_of(self.resolution)
        ratio = ratio_of(self.aspect_ratio)
        if pixels and ratio and not is_of_ratio(pixels, ratio):
            raise PydanticCustomError(
                "size_contradiction",
                "resolution {resolution} contradicts aspect_ratio {ratio}: give one, or two that agree",
                {"resolution": self.resolution, "ratio": self.aspect_ratio},
            )
        return self

    @model_validator(mode="after")
    def _one_image(self) -> "Params":
        if self.image_id is not None and self.image_url is not None:
            raise PydanticCustomError("two_images", "image_id and image_url are two first frames: give one")
        return self
