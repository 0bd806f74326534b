"""What Runway's video endpoints accept, per model and endpoint, and how they refuse the rest.

The facts are those of the vendor's SDK (runwayml 5.24, `text_to_video_create_params` and
`image_to_video_create_params`). Own readings, where those say nothing: a field that the model does not
list is refused; a seed is an unsigned 32-bit number; gen4_turbo makes 10 s and Veo 8 s when not told.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pydantic import JsonValue

from sandbox.faults import FaultRefusedError, words
from sandbox.films.picture import Film

NAME: Final = "runway"
_MAX_PROMPT_UNITS: Final = 1000
_MAX_URL: Final = 2048
_MAX_DATA_URI: Final = 5 * 1024 * 1024
_MAX_SEED: Final = 2**32 - 1
_WIDE_AND_TALL: Final = ("1280:720", "720:1280")
_GEN4_IMAGE: Final = (*_WIDE_AND_TALL, "1104:832", "832:1104", "960:960", "1584:672")
_VEO: Final = (*_WIDE_AND_TALL, "1080:1920", "1920:1080")
_COMMON: Final = ("model", "promptText", "ratio", "duration", "seed")
_MODERATIONS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"publicFigureThreshold": "auto"},
    {"publicFigureThreshold": "low"},
)
_IMAGE_TYPES: Final = ("image/jpeg", "image/jpg", "image/png", "image/webp")


class Endpoint(StrEnum):
    """The endpoints that make videos here."""

    TEXT = "text_to_video"
    IMAGE = "image_to_video"


@dataclass(frozen=True)
class Rules:
    """What one model takes at one endpoint; prices in credits a second."""

    ratios: tuple[str, ...]
    durations: tuple[int, ...]
    credits_a_second: int
    credits_with_audio: int | None = None
    usual_duration: int | None = None
    prompt_is_required: bool = True
    positions: tuple[str, ...] = ("first",)
    more_fields: tuple[str, ...] = ("contentModeration",)


_TEN: Final = tuple(range(2, 11))
_FORMATS: Final = ("contentModeration", "outputFormat", "proresProfile")
_VEO_FIELDS: Final = ("audio", "negativePrompt")
_FIRST_AND_LAST: Final = ("first", "last")
MODELS: Final[dict[Endpoint, dict[str, Rules]]] = {
    Endpoint.TEXT: {
        "gen4.5": Rules(_WIDE_AND_TALL, _TEN, 12, more_fields=_FORMATS),
        "veo3.1": Rules(_VEO, (4, 6, 8), 20, 40, 8, more_fields=_VEO_FIELDS),
        "veo3.1_fast": Rules(_VEO, (4, 6, 8), 10, 15, 8, more_fields=_VEO_FIELDS),
    },
    Endpoint.IMAGE: {
        "gen4.5": Rules(_GEN4_IMAGE, _TEN, 12, more_fields=_FORMATS),
        "gen4_turbo": Rules(_GEN4_IMAGE, _TEN, 5, usual_duration=10, prompt_is_required=False),
        "veo3.1": Rules(_VEO, (4, 6, 8), 20, 40, 8, False, _FIRST_AND_LAST, _VEO_FIELDS),
        "veo3.1_fast": Rules(_VEO, (4, 6, 8), 10, 15, 8, False, _FIRST_AND_LAST, _VEO_FIELDS),
    },
}


@dataclass(frozen=True)
class Order:
    """A request that Runway would accept."""

    model: str
    prompt: str
    film: Film
    credits: int


class OrderReader:
    """Reads one request body and collects what is wrong with it in `issues`."""

    def __init__(self, endpoint: Endpoint, body: Mapping[str, JsonValue]) -> None:
        self.issues: list[JsonValue] = []
        self._endpoint = endpoint
        self._body = body

    def read(self) -> Order | None:
        """The order, or None if there are issues."""
        model = self._body.get("model")
        rules = MODELS[self._endpoint].get(model) if isinstance(model, str) else None
        if rules is None or not isinstance(model, str):
            self._refuse("model", "invalid_value", "Unknown model here.", values=list(MODELS[self._endpoint]))
            return None
        self._known_fields(rules)
        prompt = self._prompt(rules)
        ratio = self._choice("ratio", rules.ratios, is_required=True)
        duration = self._duration(rules)
        seed = self._whole("seed", 0, _MAX_SEED)
        image = self._image(rules) if self._endpoint is Endpoint.IMAGE else ""
        audio = self._flag("audio", usual=rules.credits_with_audio is not None)
        self._formats(rules)
        if self.issues:
            return None
        width, height = (int(side) for side in ratio.split(":"))
        film = Film(
            prompt=prompt,
            seed=random.randint(0, _MAX_SEED) if seed is None else seed,  # noqa: S311 - a picture, no secret
            image_digest=image,
            width=width,
            height=height,
            seconds=duration,
        )
        rate = (rules.credits_with_audio or 0) if audio else rules.credits_a_second
        return Order(model, prompt, film, rate * duration)

    def _refuse(self, field: str, code: str, message: str, **more: JsonValue) -> None:
        path: list[JsonValue] = [int(part) if part.isdecimal() else part for part in field.split(".")]
        self.issues.append({"code": code, "path": path, "message": message, **more})

    def _known_fields(self, rules: Rules) -> None:
        known = {
            *_COMMON,
            *rules.more_fields,
            *(("promptImage",) if self._endpoint is Endpoint.IMAGE else ()),
        }
        for name in sorted(self._body.keys() - known):
            self._refuse(name, "unrecognized_keys", f"Unrecognized key: {name}", keys=[name])

    def _prompt(self, rules: Rules) -> str:
        prompt = self._body.get("promptText")
        if prompt is None and not rules.prompt_is_required:
            return ""
        if not isinstance(prompt, str):
            self._refuse("promptText", "invalid_type", "Expected a string.", expected="string")
            return ""
        units = len(prompt.encode("utf-16-le", errors="surrogatepass")) // 2
        if units == 0:
            self._refuse("promptText", "too_small", "Must not be empty.", minimum=1)
        elif units > _MAX_PROMPT_UNITS:
            self._refuse(
                "promptText", "too_big", "At most 1000 UTF-16 code units.", maximum=_MAX_PROMPT_UNITS
            )
        try:
            words(prompt, NAME)
        except FaultRefusedError as error:
            self._refuse("promptText", "custom", f"Sandbox: {error}", values=list[JsonValue](error.allowed))
        return prompt

    def _choice(self, field: str, values: tuple[str, ...], *, is_required: bool = False) -> str:
        value = self._body.get(field)
        if isinstance(value, str) and value in values:
            return value
        if value is not None or is_required:
            self._refuse(field, "invalid_value", "Not one of the allowed values.", values=list(values))
        return ""

    def _duration(self, rules: Rules) -> int:
        shortest, longest = rules.durations[0], rules.durations[-1]
        duration = self._whole("duration", shortest, longest)
        if duration is None and "duration" not in self._body:
            if rules.usual_duration is not None:
                return rules.usual_duration
            self._refuse("duration", "invalid_type", "Required.", expected="int")
        elif duration is not None and duration not in rules.durations:
            self._refuse(
                "duration", "invalid_value", "Not an allowed duration.", values=list(rules.durations)
            )
        return duration or shortest

    def _whole(self, field: str, least: int, most: int) -> int | None:
        value = self._body.get(field)
        if field not in self._body:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
            self._refuse(field, "invalid_type", "Expected an integer.", expected="int")
        elif value < least:
            self._refuse(field, "too_small", f"Must be at least {least}.", minimum=least)
        elif value > most:
            self._refuse(field, "too_big", f"Must be at most {most}.", maximum=most)
        else:
            return int(value)
        return None

    def _flag(self, field: str, *, usual: bool) -> bool:
        value = self._body.get(field, usual)
        if not isinstance(value, bool):
            self._refuse(field, "invalid_type", "Expected a boolean.", expected="boolean")
        return value is True

    def _formats(self, rules: Rules) -> None:
        if "outputFormat" in rules.more_fields:
            self._choice("outputFormat", ("mp4",))  # the vendor has more; the sandbox renders MP4
        if "proresProfile" in rules.more_fields and "proresProfile" in self._body:
            self._refuse("proresProfile", "custom", "Only valid when outputFormat is prores.")
        if self._body.get("contentModeration", {}) not in _MODERATIONS:
            self._refuse("contentModeration", "invalid_value", "publicFigureThreshold is auto or low.")
        if not isinstance(self._body.get("negativePrompt", ""), str):
            self._refuse("negativePrompt", "invalid_type", "Expected a string.", expected="string")

    def _image(self, rules: Rules) -> str:
        image = self._body.get("promptImage")
        if isinstance(image, str):
            self._uri("promptImage", image)
            return hashlib.sha256(image.encode(errors="replace")).hexdigest()
        if not isinstance(image, list) or not image:
            self._refuse("promptImage", "invalid_type", "Expected a string or a list of images.")
            return ""
        digest, taken = hashlib.sha256(), set[str]()
        for number, frame in enumerate(image):
            uri, position = (
                (frame.get("uri"), frame.get("position")) if isinstance(frame, dict) else (None, None)
            )
            if not isinstance(position, str) or position not in rules.positions or position in taken:
                message = "Each position once, of those allowed."
                self._refuse(
                    f"promptImage.{number}.position", "invalid_value", message, values=list(rules.positions)
                )
            if not isinstance(uri, str):
                self._refuse(
                    f"promptImage.{number}.uri", "invalid_type", "Expected a string.", expected="string"
                )
                continue
            self._uri(f"promptImage.{number}.uri", uri)
            taken.add(str(position))
            digest.update(f"{position}\0{uri}\0".encode(errors="replace"))
        if "first" not in taken:
            self._refuse("promptImage", "custom", "There must be an image for the first frame.")
        return digest.hexdigest()

    def _uri(self, field: str, uri: str) -> None:
        problem = _data_uri_problem(uri) if uri.startswith("data:") else _url_problem(uri)
        if problem:
            self._refuse(field, "custom", problem)


def _data_uri_problem(uri: str) -> str:
    if len(uri) > _MAX_DATA_URI:
        return "A data URI has at most 5 MB."
    kind, _, content = uri.removeprefix("data:").partition(";base64,")
    if kind not in _IMAGE_TYPES:
        return "A data URI is a base64 JPEG, PNG or WebP."
    try:
        return "" if base64.b64decode(content, validate=True) else "The image is empty."
    except binascii.Error:
        return "The data URI is not valid base64."


def _url_problem(uri: str) -> str:
    try:
        url = urlsplit(uri)
        host = url.hostname or ""
    except ValueError:
        return "Not a valid URL."
    if len(uri) > _MAX_URL:
        return "A URL has at most 2048 characters."
    if url.scheme == "runway" and uri.removeprefix("runway://"):
        return ""
    if url.scheme != "https" or not host:
        return "Only HTTPS URLs, data URIs and runway:// uploads."
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ""
    return "The host must be a domain name, not an IP address."
