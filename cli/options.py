"""The options that say how a video should be, and how their texts become the parameters of an order.

Promises: what is no number, no pair or no file is refused here, before anything is sent; what a model can do with it
is the service's to say. Only what is mentioned is sent.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from domain.ids import is_generation_id

Params = dict[str, Any]

GenerationId = Annotated[str, typer.Argument(metavar="ID", help="The generation, gen_...")]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end, with progress.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Save the video here; implies --wait.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        metavar="SECONDS",
        help="The most that ordering and waiting may take (default: an hour; a service that is away: a minute).",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY", help="Makes repeating this command harmless: the same key is the same order."
    ),
]
Provider = Annotated[str | None, typer.Option(help="A provider's id, or auto.")]
Model = Annotated[str | None, typer.Option(help="A model of the provider.")]
Duration = Annotated[int | None, typer.Option(metavar="SECONDS", help="The length of the video.")]
AspectRatio = Annotated[str | None, typer.Option(metavar="W:H", help="Such as 16:9.")]
Resolution = Annotated[str | None, typer.Option(help="480p, 720p, 1080p, 4k or WxH.")]
Image = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|img_...",
        help="The first frame: a JPEG, PNG or WebP, which is uploaded, or the id of one that was.",
    ),
]
ImageUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The first frame, an https URL; fetched once.")
]
Seed = Annotated[int | None, typer.Option(help="The same seed gives a similar picture.")]
Camera = Annotated[
    str | None,
    typer.Option(
        metavar="AXIS=N,...|fixed",
        help="How it moves: pan, tilt, zoom, roll from -1 to 1, as pan=0.5,zoom=-0.2; or fixed.",
    ),
]
Style = Annotated[
    str | None, typer.Option(metavar="NAME[:N]", help="Such as cinematic, or cinematic:0.8 of 1.")
]
Negative = Annotated[str | None, typer.Option(metavar="TEXT", help="What the video must not show.")]
Extra = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE", help="An option that only this model has (see `providers`). Repeatable."
    ),
]
Param = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE", help="Any other parameter; the value is JSON or plain text. Repeatable."
    ),
]
MaxCost = Annotated[
    str | None, typer.Option(metavar="USD", help="The most that all attempts together may cost.")
]
Priority = Annotated[
    str | None,
    typer.Option(help="urgent, high, normal or low: against others that wait for the same provider."),
]
Fallback = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PROVIDER", help="Who goes on where the provider cannot, in this order. Repeatable."
    ),
]
NoFallback = Annotated[bool, typer.Option("--no-fallback", help="Nobody goes on where the provider cannot.")]
Deadline = Annotated[
    int | None, typer.Option(min=1, metavar="SECONDS", help="After that no new attempt is made.")
]
OnUnknown = Annotated[
    str | None,
    typer.Option(
        metavar="hold|resubmit",
        help="Where the answer to an order is lost: hold, or send it again (and maybe pay twice).",
    ),
]
OnContent = Annotated[
    str | None,
    typer.Option(
        metavar="fail|next", help="Where a provider refuses the content: fail, or ask the next one."
    ),
]

_AXES = ("pan", "tilt", "zoom", "roll")
_FIXED = "fixed"
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_IMAGE_ID = re.compile(r"img_[0-9a-z]{1,60}")


@dataclass(frozen=True)
class FirstFrame:
    """The picture that a video begins with: one that the service has, or a file that is uploaded first."""

    image_id: str | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Wishes:
    """What the options say, as they were typed."""

    duration: int | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    image: str | None = None
    image_url: str | None = None
    seed: int | None = None
    camera: str | None = None
    style: str | None = None
    negative: str | None = None
    extra: Iterable[str] | None = None
    param: Iterable[str] | None = None

    def params(self) -> Params:
        """Return the parameters of an order, without a picture that has to be uploaded first.

        Raises:
            typer.BadParameter: One cannot be read.
        """
        frame = self.first_frame()
        named = {
            "duration_seconds": self.duration,
            "aspect_ratio": self.aspect_ratio,
            "resolution": self.resolution,
            "image_id": None if frame is None else frame.image_id,
            "image_url": self.image_url,
            "seed": self.seed,
            "camera": None if self.camera is None else _camera(self.camera),
            "style": None if self.style is None else _style(self.style),
            "negative_prompt": self.negative,
            "extra": _pairs(self.extra, "--extra") or None,
        }
        return given(named) | _pairs(self.param, "--param")

    def first_frame(self) -> FirstFrame | None:
        """Return the picture that was named; an id where no file of that name is there.

        Raises:
            typer.BadParameter: There is no such file.
        """
        return None if self.image is None else picture(self.image)


def picture(text: str) -> FirstFrame:
    """Return the picture that a text names.

    Raises:
        typer.BadParameter: It is no file, and no id of a picture either.
    """
    file = Path(text)
    if file.is_file():
        return FirstFrame(file=file)
    if not _IMAGE_ID.fullmatch(text):
        _refuse(f"there is no file {text}", "--image")
    return FirstFrame(image_id=text)


def image_id(text: str) -> str:
    """Return the id of a picture; what is none never becomes part of a URL.

    Raises:
        typer.BadParameter: It is none.
    """
    if not _IMAGE_ID.fullmatch(text):
        _refuse(f"{text!r} is not the id of a picture", "ID")
    return text


def generation_id(text: str) -> str:
    """Return the id of a generation; what is none never becomes part of a URL.

    Raises:
        typer.BadParameter: It is none.
    """
    if not is_generation_id(text):
        _refuse(f"{text!r} is not the id of a generation", "ID")
    return text


def account(text: str) -> str:
    """Return the id of an account; what is none never becomes part of a URL.

    Raises:
        typer.BadParameter: It is none.
    """
    if not _SLUG.fullmatch(text):
        _refuse(f"{text!r} is not the id of an account", "ACCOUNT")
    return text


def dollars(text: str | None) -> str | None:
    """Return an amount as it is sent.

    Raises:
        typer.BadParameter: It is none.
    """
    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        _refuse(f"{text!r} is not an amount of dollars", "--max-cost")
    return f"{amount:f}"


def fallbacks(providers: list[str] | None, *, none: bool) -> list[str] | str | None:
    """Return who may go on where the provider cannot; None where nothing is said about it.

    Raises:
        typer.BadParameter: Somebody is named, and nobody is to go on.
    """
    if none:
        if providers:
            _refuse("somebody is named with --fallback", "--no-fallback")
        return []
    return "auto" if providers == ["auto"] else providers or None


def given(fields: Params) -> Params:
    """Return what was mentioned."""
    return {name: value for name, value in fields.items() if value is not None}


def _camera(text: str) -> Params:
    if text == _FIXED:
        return {_FIXED: True}
    moves: Params = {}
    for part in text.split(","):
        axis, equals, value = (word.strip() for word in part.partition("="))
        if not equals or axis not in _AXES or axis in moves:
            _refuse(f"{text!r} is neither {_FIXED} nor such as pan=0.5,zoom=-0.2", "--camera")
        moves[axis] = _number(value, "--camera")
    return moves


def _style(text: str) -> Params:
    preset, colon, strength = text.partition(":")
    return {"preset": preset} | ({"strength": _number(strength, "--style")} if colon else {})


def _number(text: str, option: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        _refuse(f"{text!r} is not a number", option)
    return number


def _pairs(texts: Iterable[str] | None, option: str) -> Params:
    return dict(_pair(text, option) for text in texts or ())


def _pair(text: str, option: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        _refuse(f"{text!r} is not NAME=VALUE", option)
    try:
        return name, json.loads(value, parse_constant=_no_json)
    except ValueError:
        return name, value


def _no_json(text: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python reads and JSON does not know."""
    raise ValueError(text)


def _refuse(words: str, option: str) -> NoReturn:
    raise typer.BadParameter(words, param_hint=option)
