"""Saying in the prompt what a model has no field for: camera, style, what must not be shown.

Promises: nothing is dropped silently. What is said in words, what is ignored and what had to be defused is listed as
an adjustment; what cannot reach the model at all is a problem that says so.
"""

import re
import unicodedata

from domain.model import Frozen
from domain.orders.capabilities import Capability, Support
from domain.orders.params import Camera, Params, Style
from domain.orders.plans import Adjustment
from domain.orders.refusals import Problem

_GENTLE, _FULL = 1 / 3, 2 / 3
_MOVES = {
    "pan": ("pans left", "pans right"),
    "tilt": ("tilts down", "tilts up"),
    "zoom": ("zooms out", "zooms in"),
    "roll": ("rolls counter-clockwise", "rolls clockwise"),
}


class Wording(Frozen):
    """The prompt as it is sent.

    Attributes:
        camera_fixed: For a model that has a switch for it.
    """

    prompt: str
    camera_fixed: bool | None = None
    adjustments: tuple[Adjustment, ...] = ()
    problems: tuple[Problem, ...] = ()


def word(prompt: str, params: Params, capability: Capability, model_id: str) -> Wording:
    """Return what a model is told in words.

    Args:
        prompt: The user's own.
        params: What else they want.
        capability: What the model can do.
        model_id: For the sentences.
    """
    sayings = _sayings(params, capability)
    defused = _defused(prompt, capability)
    said = [one.words for one in sayings if one.support is Support.PROMPT]
    worded = " ".join([_ended(defused), *said]) if said else defused
    has_switch = capability.camera_fixed is Support.NATIVE
    return Wording(
        prompt=worded,
        camera_fixed=params.camera.fixed if has_switch and params.camera else None,
        adjustments=(
            *_prompt_adjustments(prompt, defused, capability, model_id),
            *(one.adjustment(model_id) for one in sayings if one.support is Support.PROMPT),
        ),
        problems=(
            *(one.problem(model_id) for one in sayings if one.support is Support.NONE),
            *_too_long(prompt, worded, capability, model_id),
        ),
    )


class _Saying(Frozen):
    """One wish that a model may have no field for.

    Attributes:
        what: What is wished, within a sentence.
        words: The sentence for the prompt.
    """

    pointer: str
    support: Support
    what: str
    words: str

    def adjustment(self, model_id: str) -> Adjustment:
        message = f"{model_id} has no field for {self.what}; the prompt says: {self.words}"
        return Adjustment(pointer=self.pointer, code="said_in_prompt", message=message)

    def problem(self, model_id: str) -> Problem:
        message = f"{model_id} cannot be told {self.what}: leave it out, or choose another model"
        return Problem(pointer=self.pointer, code="not_supported", message=message)


def _sayings(params: Params, capability: Capability) -> list[_Saying]:
    camera = params.camera or Camera()
    sayings = []
    if camera.moves:
        words = camera_words(camera)
        sayings.append(("/params/camera", capability.camera, "how the camera moves", words))
    if camera.fixed:
        words = "Static camera."
        sayings.append(
            ("/params/camera/fixed", capability.camera_fixed, "that the camera stands still", words)
        )
    if params.style is not None:
        sayings.append(("/params/style", capability.style, "a style", style_words(params.style)))
    if params.negative_prompt is not None:
        words = _defused(f"Avoid: {params.negative_prompt.rstrip('. ')}.", capability)
        sayings.append(("/params/negative_prompt", capability.negative_prompt, "what to avoid", words))
    return [
        _Saying(pointer=pointer, support=support, what=what, words=words)
        for pointer, support, what, words in sayings
    ]


def _prompt_adjustments(prompt: str, defused: str, capability: Capability, model_id: str) -> list[Adjustment]:
    adjustments = []
    if defused != prompt:
        message = f"{model_id} takes words behind two hyphens for commands; they are sent with a dash instead"
        adjustments.append(Adjustment(pointer="/prompt", code="flags_defused", message=message))
    if not capability.uses_prompt:
        message = f"{model_id} looks at the picture only; the prompt is kept, but not sent"
        adjustments.append(Adjustment(pointer="/prompt", code="prompt_ignored", message=message))
    return adjustments


def camera_words(camera: Camera) -> str:
    """Return a sentence that says how the camera moves."""
    moves = []
    for axis, (backward, forward) in _MOVES.items():
        value = getattr(camera, axis)
        if value:
            pace = "slowly " if abs(value) <= _GENTLE else "quickly " if abs(value) > _FULL else ""
            moves.append(pace + (forward if value > 0 else backward))
    return f"The camera {' and '.join(moves)}."


def style_words(style: Style) -> str:
    """Return a sentence that says how the picture looks."""
    name = style.preset.replace("-", " ").replace("_", " ")
    if style.strength is None:
        return f"Style: {name}."
    degree = "a hint of " if style.strength <= _GENTLE else "strongly " if style.strength > _FULL else ""
    return f"Style: {degree}{name}."


def _ended(text: str) -> str:
    text = text.rstrip()
    ends = unicodedata.category(text[-1]) == "Po"  # a full stop, in whatever script
    return text if ends else f"{text}."


def _defused(text: str, capability: Capability) -> str:
    """Return the text without commands: a user's `--duration 12` must not change what is ordered, and paid."""
    return re.sub(r"--(?=\w)", "\N{EM DASH}", text) if capability.obeys_flags else text


def _too_long(prompt: str, worded: str, capability: Capability, model_id: str) -> list[Problem]:
    units = _utf16_units(worded)
    if not capability.uses_prompt or capability.prompt_units is None or units <= capability.prompt_units:
        return []
    added = units - _utf16_units(prompt)
    because = f", {added} of them for camera, style and what to avoid" if added > 0 else ""
    message = (
        f"{model_id} takes prompts of {capability.prompt_units} UTF-16 units at most (an emoji counts as two or "
        f"more); this one has {units}{because}"
    )
    return [Problem(pointer="/prompt", code="prompt_too_long", message=message)]


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
