"""The `content` of a Seedance request: texts, images and references, with their roles and their limits.

Images that come in the body are really decoded. Those behind an address are not fetched: such an image has
no size here, and an asset none at all.

Own readings: several texts are one; an address has at most 8192 characters; what a data URI declares itself
to be need not be what it is, as long as both are allowed. `draft_task` is refused: the sandbox makes no
finals out of drafts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from PIL import Image
from pydantic import JsonValue

from sandbox.wires.seedance.errors import INVALID, MISSING, Issue
from sandbox.wires.seedance.models import Model, Size

_LONGEST_ADDRESS: Final = 8192
_MOST_IMAGE_BYTES: Final = 30 * 1024 * 1024
_SIDES: Final = range(300, 6001)
_NARROWEST, _WIDEST = 0.4, 2.5
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_DECLARED: Final = frozenset({"jpeg", "jpg", "png", "webp", "bmp", "tiff", "gif"})
_UNREADABLE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,  # an error where warnings are errors; such an image is too large anyway
)
_FRAMES: Final = ("first_frame", "last_frame")
_NOT_SHOWN_FIRST: Final = frozenset({"last_frame", "reference_audio"})
_KINDS: Final = {
    "image_url": (*_FRAMES, "reference_image"),
    "video_url": ("reference_video",),
    "audio_url": ("reference_audio",),
}


@dataclass(frozen=True)
class Content:
    """What a request shows and tells.

    Attributes:
        text: The texts.
        digest: The digest of all media, or an empty string.
        has_first_frame: Whether a picture begins the video.
        has_references: Whether there is anything to refer to.
        picture_size: Width and height of the first frame or the first reference, where they are known.
    """

    text: str
    digest: str
    has_first_frame: bool
    has_references: bool
    picture_size: Size | None


class _Medium(NamedTuple):
    place: str
    kind: str
    role: str | None
    url: str


class ContentReader:
    """Reads the parts for one model and adds what is wrong with them to `issues`."""

    def __init__(self, model: Model, issues: list[Issue]) -> None:
        self._model = model
        self._issues = issues
        self._texts: list[str] = []
        self._media: list[_Medium] = []

    def read(self, content: JsonValue) -> Content:
        """The content; it means nothing if issues were added."""
        if not isinstance(content, list) or not content:
            self._refuse(
                MISSING if content in (None, []) else INVALID, "content", "A list of parts is needed."
            )
            content = []
        for number, part in enumerate(content):
            self._part(f"content[{number}]", part)
        roles = [] if self._issues else self._roles()
        if not self._issues:
            self._check(roles)
        sizes = [self._size(medium) for medium in self._media]
        shown = [size for role, size in zip(roles, sizes, strict=False) if role not in _NOT_SHOWN_FIRST]
        digest = hashlib.sha256()
        for medium in self._media:
            digest.update(f"{medium.role}\0{medium.url}\0".encode(errors="replace"))
        return Content(
            text=" ".join(self._texts),
            digest=digest.hexdigest() if self._media else "",
            has_first_frame="first_frame" in roles,
            has_references=any(role.startswith("reference") for role in roles),
            picture_size=shown[0] if shown else None,
        )

    def _refuse(self, code: str, param: str, message: str) -> None:
        self._issues.append(Issue(code, param, message))

    def _part(self, place: str, part: JsonValue) -> None:
        if not isinstance(part, dict):
            return self._refuse(INVALID, place, "A part is an object.")
        match part.get("type"):
            case "text" if isinstance(text := part.get("text"), str):
                self._texts.append(text)
            case "text":
                self._refuse(MISSING, f"{place}.text", "A text part has a text.")
            case "image_url" | "video_url" | "audio_url" as kind:
                self._medium(place, kind, part)
            case "draft_task":
                self._refuse(INVALID, f"{place}.draft_task", "The sandbox makes no finals out of drafts.")
            case None:
                self._refuse(MISSING, f"{place}.type", "A part has a type.")
            case _:
                self._refuse(INVALID, f"{place}.type", "Unknown type of content.")
        return None

    def _medium(self, place: str, kind: str, part: Mapping[str, JsonValue]) -> None:
        where, role = part.get(kind), part.get("role")
        url = where.get("url") if isinstance(where, dict) else None
        if where is None or (isinstance(where, dict) and url is None):
            self._refuse(MISSING, f"{place}.{kind}", "An address is needed.")
        elif not isinstance(url, str):
            self._refuse(INVALID, f"{place}.{kind}", "It must be an object with a url.")
        elif (role is not None and not isinstance(role, str)) or role not in (None, *_KINDS[kind]):
            self._refuse(INVALID, f"{place}.role", f"Not one of {', '.join(_KINDS[kind])}.")
        elif not (url.startswith("data:") and kind != "video_url") and (problem := _url_problem(url)):
            self._refuse(INVALID, f"{place}.{kind}", problem)
        else:
            self._media.append(_Medium(f"{place}.{kind}", kind, role, url))

    def _roles(self) -> list[str]:
        """The roles of all media: a single image is the first frame, and of several each needs its own."""
        images = sum(medium.kind == "image_url" for medium in self._media)
        roles: list[str] = []
        for medium in self._media:
            if medium.role is not None:
                roles.append(medium.role)
            elif medium.kind != "image_url":
                roles.append(_KINDS[medium.kind][0])
            elif images == 1:
                roles.append("first_frame")
            else:
                place = medium.place.removesuffix(".image_url")
                self._refuse(MISSING, f"{place}.role", "Of several images each needs a role.")
        return roles

    def _check(self, roles: list[str]) -> None:
        """What the media must be together."""
        model, images = self._model, any(medium.kind == "image_url" for medium in self._media)
        if not self._texts and not roles:
            self._refuse(MISSING, "content", "There must be a text, an image or a reference.")
        elif model.needs_image and not images:
            self._refuse(MISSING, "content", "This model needs an image.")
        if images and not model.takes_images:
            self._refuse(INVALID, "content", "This model takes no images.")
        if set(roles) == {"reference_audio"} and not model.is_latest:
            self._refuse(INVALID, "content", "Beside a sound there must be a reference image or video.")
        kinds = ("reference_image", "reference_video", "reference_audio")
        for kind, most in zip(kinds, model.references, strict=True):
            if roles.count(kind) > most:
                self._refuse(INVALID, "content", f"This model takes {most} of {kind} at most.")
        self._check_frames([role for role in roles if role in _FRAMES], len(roles))

    def _check_frames(self, frames: list[str], media: int) -> None:
        if len(set(frames)) < len(frames):
            self._refuse(INVALID, "content", "There is one first_frame and one last_frame at most.")
        if frames == ["last_frame"]:
            self._refuse(INVALID, "content", "A last_frame needs a first_frame.")
        if "last_frame" in frames and not self._model.takes_last_frame:
            self._refuse(INVALID, "content", "This model takes no last_frame.")
        if frames and len(frames) < media:
            self._refuse(INVALID, "content", "Frames and references do not mix.")

    def _size(self, medium: _Medium) -> Size | None:
        """The size of a picture that came in the body."""
        if medium.kind != "image_url" or not medium.url.startswith("data:"):
            return None
        try:
            return _image_size(medium.url)
        except _Undecodable as error:
            self._refuse(INVALID, medium.place, str(error))
            return None


class _Undecodable(ValueError):
    """The image is not one, or not one that is taken."""


def _image_size(uri: str) -> Size:
    """Decodes the image of a data URI.

    Raises:
        _Undecodable: It cannot be decoded, or is too large, too small, too wide or too narrow.
    """
    kind, _, encoded = uri.removeprefix("data:image/").partition(";base64,")
    if kind not in _DECLARED or not uri.startswith("data:image/"):
        raise _Undecodable("A data URI is data:image/<format>;base64,... in small letters.")
    try:
        content = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise _Undecodable("The data URI is not valid base64.") from None
    if len(content) >= _MOST_IMAGE_BYTES:
        raise _Undecodable("An image has less than 30 MB.")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if not (problem := _size_problem(image.size)):
                image.load()
            size = image.size
    except _UNREADABLE as error:
        raise _Undecodable("The image cannot be decoded.") from error
    if problem:
        raise _Undecodable(problem)
    return size


def _size_problem(size: Size) -> str:
    width, height = size
    if width not in _SIDES or height not in _SIDES:
        return f"Each side has 300 to 6000 pixels, not {width}x{height}."
    if not _NARROWEST <= width / height <= _WIDEST:
        return f"Width by height is 0.4 to 2.5, not {width / height:.2f}."
    return ""


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "Not a valid URL."
    if len(url) > _LONGEST_ADDRESS:
        return f"A URL has at most {_LONGEST_ADDRESS} characters."
    if parts.scheme == "asset" and url.removeprefix("asset://"):
        return ""
    return "" if parts.scheme in ("http", "https") and host else "Only HTTP URLs, data URIs and assets."
