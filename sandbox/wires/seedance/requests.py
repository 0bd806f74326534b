"""What Seedance accepts, per model, and how it refuses the rest: fields, and old flags at the end of a text.

The facts are those of the contract and of the vendor's page that `sandbox.wires.seedance.models` names. JSON null
is as good as nothing, a field of the body wins over a flag, and fields nobody knows are ignored.

Own readings: a wrong flag is refused like a wrong field; a field that the model does not have is refused
whatever its value; `adaptive` without a picture of known size is 16:9; a duration of -1 becomes 5 seconds;
a 2.5 request with a first frame names no ratio at all, not even `adaptive`. Without effect, because the
sandbox only paints: `watermark`, `tools`, `return_last_frame`, `priority`. `mov` is refused.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from sandbox.callbacks import is_allowed
from sandbox.faults import FaultRefusedError, words
from sandbox.films.picture import Film
from sandbox.wires.seedance.content import Content, ContentReader
from sandbox.wires.seedance.errors import INVALID, Issue
from sandbox.wires.seedance.models import (
    ADAPTIVE,
    AUTO_SECONDS,
    FRAME_RATE,
    NAME,
    RATIOS,
    USUAL_SECONDS,
    Model,
    nearest_ratio,
    short_name,
    tokens,
)

_MAX_SEED: Final = 2**32 - 1
_FEWEST_FRAMES, _MOST_FRAMES = 29, 289
_SHORTEST_LIFE, _USUAL_LIFE, _LONGEST_LIFE = 3600, 172_800, 259_200  # seconds
_LONGEST_IDENTIFIER: Final = 64
_LONGEST_CALLBACK: Final = 2048
_HIGHEST_PRIORITY: Final = 9
_FLAG: Final = re.compile(r"(?:^|\s)--(?P<name>[a-z]+)\s+(?P<value>\S+)\s*$")
_FLAGS: Final = {
    **dict.fromkeys(("rs", "resolution"), "resolution"),
    **dict.fromkeys(("rt", "ratio"), "ratio"),
    **dict.fromkeys(("dur", "duration"), "duration"),
    **dict.fromkeys(("fps", "framespersecond"), "framespersecond"),
    **dict.fromkeys(("wm", "watermark"), "watermark"),
    **dict.fromkeys(("cf", "camerafixed"), "camera_fixed"),
    "seed": "seed",
}
_TRUTHS: Final[dict[str, JsonValue]] = {"true": True, "false": False}


@dataclass(frozen=True)
class Order:
    """A request that Seedance would accept.

    Attributes:
        lane: What shares one concurrency limit: the model, under either of its names.
        prompt: The text without its flags.
        film: What is to be made.
        price: What a success costs, in micro-dollars.
        echo: What the task repeats.
        callback_url: Who is told of changes.
    """

    lane: str
    prompt: str
    film: Film
    price: int
    echo: dict[str, JsonValue]
    callback_url: str | None


def split_flags(text: str) -> tuple[str, dict[str, JsonValue]]:
    """A text without the flags at its end, and the fields that those stand for."""
    fields: dict[str, JsonValue] = {}
    while (flag := _FLAG.search(text)) is not None and flag["name"] in _FLAGS:
        value = flag["value"]
        number = int(value) if re.fullmatch(r"-?\d{1,12}", value) else value
        fields.setdefault(_FLAGS[flag["name"]], _TRUTHS.get(value.lower(), number))
        text = text[: flag.start()]
    return text.rstrip() if fields else text, fields


class OrderReader:
    """Reads one request body and collects what is wrong with it in `issues`."""

    def __init__(self, model_id: str, model: Model, body: Mapping[str, JsonValue]) -> None:
        self.issues: list[Issue] = []
        self._model_id = model_id
        self._model = model
        self._body = {name: value for name, value in body.items() if value is not None}
        self._fields: Mapping[str, JsonValue] = self._body

    @property
    def has_images(self) -> bool:
        """Whether an image may have to be decoded."""
        content = self._body.get("content")
        parts = content if isinstance(content, list) else []
        return any(isinstance(part, dict) and "image_url" in part for part in parts)

    def read(self) -> Order | None:
        """The order, or None if there are issues."""
        content = ContentReader(self._model, self.issues).read(self._body.get("content"))
        if self.issues:
            return None
        prompt, flags = split_flags(content.text)
        self._fields = {**flags, **self._body}
        self._sandbox_words(prompt)
        if flags.get("framespersecond", FRAME_RATE) != FRAME_RATE:  # the field of that name is not looked at
            self._refuse("framespersecond", f"It is always {FRAME_RATE}.")
        seed = self._whole("seed", -1, _MAX_SEED)
        echo: dict[str, JsonValue] = {
            "model": self._model_id,
            "seed": random.randint(0, _MAX_SEED) if seed in (None, -1) else seed,  # noqa: S311 - a picture
            "framespersecond": FRAME_RATE,
            **self._how_it_is_run(),
            **self._how_it_sounds(),
        }
        is_draft = echo.get("draft") is True
        resolution, ratio = self._resolution(content, is_draft=is_draft), self._ratio(content)
        length = self._length()
        callback_url = self._callback()
        self._without_effect(content)
        size = self._model.sizes.get(resolution, {}).get(ratio)
        if size is None and not self.issues:
            self._refuse("ratio", "The sandbox paints nothing as wide as that.")
        if self.issues or size is None:
            return None
        frames = length.get("frames", length.get("duration", 0) * FRAME_RATE + 1)
        film = Film(
            prompt=prompt,
            seed=echo["seed"],
            image_digest=content.digest,
            width=size[0],
            height=size[1],
            seconds=length.get("duration") or length["frames"] / FRAME_RATE,
        )
        price = self._model.price(
            tokens(size, frames),
            is_silent=not echo.get("generate_audio"),
            is_flex=echo["service_tier"] == "flex",
        )
        echo |= {"resolution": resolution, "ratio": ratio, **length}
        return Order(short_name(self._model_id), prompt, film, price, echo, callback_url)

    def _refuse(self, param: str, message: str, code: str = INVALID) -> None:
        self.issues.append(Issue(code, param, message))

    def _sandbox_words(self, prompt: str) -> None:
        try:
            words(prompt, NAME)
        except FaultRefusedError as error:
            self._refuse("content", f"Sandbox: {error}; allowed: {', '.join(error.allowed)}")

    def _resolution(self, content: Content, *, is_draft: bool) -> str:
        allowed = tuple(self._model.sizes)
        if content.has_references and self._model.reference_resolutions is not None:
            allowed = self._model.reference_resolutions
        if is_draft:
            allowed = ("480p",)
        usual = self._model.usual_resolution
        return self._choice("resolution", allowed) or (usual if usual in allowed else allowed[-1])

    def _ratio(self, content: Content) -> str:
        model = self._model
        if content.has_first_frame and model.is_latest and "ratio" in self._fields:
            self._refuse("ratio", "With a first frame this model takes its ratio: name none.")
        has_media = content.has_first_frame or content.has_references
        ratio = self._choice("ratio", (*RATIOS, ADAPTIVE) if has_media or model.has_sound else RATIOS)
        chooses = ratio == ADAPTIVE or (not ratio and (content.has_first_frame or model.has_sound))
        if chooses and content.picture_size is not None:
            return nearest_ratio(content.picture_size, model.sizes["480p"])
        return "16:9" if chooses or not ratio else ratio

    def _length(self) -> dict[str, int]:
        """The frames where they are given, else the seconds."""
        shortest, longest = self._model.seconds
        if self._supported("frames", self._model.takes_frames):
            frames = self._whole("frames", _FEWEST_FRAMES, _MOST_FRAMES)
            if frames is not None and (frames - 25) % 4:
                self._refuse("frames", "It is 25 + 4n.")
            return {"frames": frames or _FEWEST_FRAMES}
        if self._fields.get("duration") == AUTO_SECONDS and self._model.can_choose_seconds:
            return {"duration": USUAL_SECONDS}
        return {"duration": self._whole("duration", shortest, longest) or USUAL_SECONDS}

    def _how_it_is_run(self) -> dict[str, JsonValue]:
        tiers = ("default",) if self._model.is_second else ("default", "flex")
        life = self._whole("execution_expires_after", _SHORTEST_LIFE, _LONGEST_LIFE)
        run: dict[str, JsonValue] = {
            "service_tier": self._choice("service_tier", tiers) or "default",
            "execution_expires_after": life or _USUAL_LIFE,
        }
        priority = self._whole("priority", 0, _HIGHEST_PRIORITY)
        identifier = self._string("safety_identifier", _LONGEST_IDENTIFIER)
        run |= {} if priority is None else {"priority": priority}
        return run | ({} if identifier is None else {"safety_identifier": identifier})

    def _how_it_sounds(self) -> dict[str, JsonValue]:
        sound: dict[str, JsonValue] = {}
        if self._supported("generate_audio", self._model.has_sound) or self._model.has_sound:
            sound["generate_audio"] = self._flag("generate_audio", usual=True)
        is_drafting = self._model.has_sound and not self._model.is_second
        if self._supported("draft", is_drafting) or is_drafting:
            sound["draft"] = self._flag("draft", usual=False)
        if self._supported("output_format", self._model.is_latest):
            sound["output_format"] = self._choice("output_format", ("mp4",))
        return sound

    def _without_effect(self, content: Content) -> None:
        self._flag("watermark", usual=False)
        self._flag("return_last_frame", usual=False)
        fixes = self._model.fixes_camera and not content.has_references
        if self._supported("camera_fixed", fixes):
            self._flag("camera_fixed", usual=False)
        if self._supported("tools", self._model.is_second) and not isinstance(self._fields["tools"], list):
            self._refuse("tools", "Expected a list.")
        self._string("omni_reference_task_type", _LONGEST_IDENTIFIER)

    def _callback(self) -> str | None:
        url = self._string("callback_url", _LONGEST_CALLBACK)
        if url is not None and not is_allowed(url):
            self._refuse("callback_url", "The sandbox calls http:// on this machine and nothing else.")
        return url

    def _supported(self, field: str, is_supported: bool) -> bool:
        """Whether the field is given; refuses it where the model does not have it."""
        if field in self._fields and not is_supported:
            self._refuse(field, "This model does not have it.")
        return field in self._fields and is_supported

    def _choice(self, field: str, values: tuple[str, ...]) -> str:
        value = self._fields.get(field)
        if value is None or (isinstance(value, str) and value in values):
            return value or ""
        self._refuse(field, f"Not one of {', '.join(values)}.")
        return ""

    def _whole(self, field: str, least: int, most: int) -> int | None:
        value = self._fields.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
            self._refuse(field, "Expected an integer.")
        elif not least <= value <= most:
            self._refuse(field, f"Must be {least} to {most}.")
        else:
            return int(value)
        return None

    def _flag(self, field: str, *, usual: bool) -> bool:
        value = self._fields.get(field, usual)
        if not isinstance(value, bool):
            self._refuse(field, "Expected a boolean.")
        return value is True

    def _string(self, field: str, longest: int) -> str | None:
        value = self._fields.get(field)
        if value is None:
            return None
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            self._refuse(field, f"Expected a string of 1 to {longest} characters.")
            return None
        return value
