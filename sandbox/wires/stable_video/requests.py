"""What Stable Video's creation accepts, and how it refuses the rest: one picture, a seed, two dials.

The facts are those of copies of the vendor's OpenAPI document. Own readings, where those say nothing: a field
that it does not name is ignored; of a field that comes twice the last one counts; a number is written in plain
decimal digits; the limit of 10 MB is 10 MiB and goes for the whole body.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PIL import Image
from pydantic import JsonValue
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from sandbox.films.picture import Film

NAME: Final = "stable-video"
MAX_BODY_BYTES: Final = 10 * 1024 * 1024
MAX_SEED: Final = 4_294_967_294
RANDOM_SEED: Final = 0
SIZES: Final = ((1024, 576), (576, 1024), (768, 768))
SECONDS: Final = 4  # 25 frames at 6.25 a second; the sandbox shows those seconds at the rate of all its films

_FIELDS: Final = ("image", "seed", "cfg_scale", "motion_bucket_id")
_DEFAULT_MOTION: Final = 127
_MAX_MOTION: Final = 255
_DEFAULT_SCALE: Final = 1.8
_MAX_SCALE: Final = 10
_MAX_PARTS: Final = 64  # files, and as many other fields
_MAX_TEXT_BYTES: Final = 64 * 1024
_FORMATS: Final = ("JPEG", "PNG")
_WHOLE: Final = re.compile(r"[0-9]{1,10}")
_NUMBER: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,20})?")
# What Pillow says of broken pictures, and of those that claim to be enormous.
_UNREADABLE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class RequestRefusedError(ValueError):
    """A request that is not taken; `errors` says why, each reason beginning with the name of its field."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Order:
    """A request that Stability would accept.

    Attributes:
        seed: What was asked for; `RANDOM_SEED` leaves it to the provider.
        recorded: The fields as they came, the picture described instead of kept.
    """

    seed: int
    cfg_scale: float
    motion_bucket_id: int
    width: int
    height: int
    image_digest: str
    recorded: dict[str, JsonValue]

    def film(self, seed: int) -> Film:
        """What the video shows: the picture and the seed decide it, and both dials."""
        return Film(
            prompt=f"motion {self.motion_bucket_id} cfg {self.cfg_scale:g}",
            seed=seed,
            image_digest=self.image_digest,
            width=self.width,
            height=self.height,
            seconds=SECONDS,
        )


async def read_fields(request: Request, body: bytes) -> dict[str, str | bytes]:
    """The fields of a form that this wire knows: texts, and the contents of files.

    Args:
        request: Its headers; its body has been read already.
        body: That body.

    Raises:
        RequestRefusedError: It is no form, or one with too many or too long parts.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise RequestRefusedError(["content-type: must be multipart/form-data"])

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    limits = {"max_files": _MAX_PARTS, "max_fields": _MAX_PARTS, "max_part_size": _MAX_TEXT_BYTES}
    try:
        async with Request(request.scope, replay).form(**limits) as form:
            return {
                name: value if isinstance(value, str) else await value.read()
                for name, value in form.items()
                if name in _FIELDS
            }
    except HTTPException as error:
        raise RequestRefusedError([f"body: {error.detail}"]) from error


class OrderReader:
    """Reads the fields of one form and collects what is wrong with them."""

    def __init__(self, fields: Mapping[str, str | bytes]) -> None:
        self._fields = fields
        self._errors: list[str] = []

    def read(self) -> Order:
        """The order; decodes the picture, which takes a few milliseconds.

        Raises:
            RequestRefusedError: With each field that is wrong.
        """
        image = self._fields.get("image")
        kind, width, height = self._picture(image)
        seed = self._number("seed", _WHOLE, 0, MAX_SEED, RANDOM_SEED)
        scale = self._number("cfg_scale", _NUMBER, 0, _MAX_SCALE, _DEFAULT_SCALE)
        motion = self._number("motion_bucket_id", _WHOLE, 1, _MAX_MOTION, _DEFAULT_MOTION)
        if self._errors or not isinstance(image, bytes):
            raise RequestRefusedError(self._errors)
        digest = hashlib.sha256(image).hexdigest()
        texts = {name: value for name, value in self._fields.items() if isinstance(value, str)}
        described = f"{kind} of {width}x{height} ({len(image)} bytes, sha256 {digest})"
        return Order(int(seed), scale, int(motion), width, height, digest, {**texts, "image": described})

    def _picture(self, image: str | bytes | None) -> tuple[str, int, int]:
        """The format and size of the picture; one that is refused has neither."""
        if image is None:
            self._errors.append("image: is required")
        elif isinstance(image, str):
            self._errors.append("image: must be a file")
        elif (seen := _look_at(image)) is None:
            self._errors.append("image: must be a whole JPEG or PNG")
        elif seen[1:] not in SIZES:
            self._errors.append(f"image: must be of 1024x576, 576x1024 or 768x768, not {seen[1]}x{seen[2]}")
        else:
            return seen
        return "", 0, 0

    def _number(
        self, field: str, spelling: re.Pattern[str], least: float, most: float, usual: float
    ) -> float:
        if field not in self._fields:
            return usual
        written = self._fields[field]
        if isinstance(written, str) and spelling.fullmatch(written) and least <= float(written) <= most:
            return float(written)
        kind = "a whole number" if spelling is _WHOLE else "a number"
        self._errors.append(f"{field}: must be {kind} from {least:.0f} to {most:.0f}")
        return usual


def _look_at(content: bytes) -> tuple[str, int, int] | None:
    """The format, width and height of a picture, or None if it is none; decodes only one of a right size."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.size in SIZES:
                image.load()
            return image.format or "", image.width, image.height
    except _UNREADABLE:
        return None
