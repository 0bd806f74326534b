"""The pictures of a sandbox film: flowing colours, drifting lights, and the word SANDBOX.

A scene is painted small, in whole runs of pixels, and scaled up by the encoder's scaler: pure Python
stays fast. The same film always gives the same pictures.
"""

from __future__ import annotations

import colorsys
import hashlib
import math
import random
import re
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from sandbox.films import font

LONG_SIDE: Final = 320  # pixels of the painted picture
_MARK: Final = "SANDBOX"
_SHADES: Final = 48
_RINGS: Final = (1.0, 0.93, 0.85, 0.77, 0.68, 0.58, 0.46)
_WORDS: Final = re.compile(r"\[sandbox:[^\]]*\]")


class Film(BaseModel):
    """All that decides how a film looks.

    Attributes:
        prompt: The words; the beginning is written into the picture.
        seed: Another seed, another picture.
        image_digest: The digest of the first frame that was asked for, or an empty string.
        width: Pixels.
        height: Pixels.
        seconds: Duration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str
    seed: int
    image_digest: str = ""
    width: int = Field(ge=16, le=4608)
    height: int = Field(ge=16, le=4608)
    seconds: float = Field(gt=0, le=60)


class _Light(NamedTuple):
    """A disc that drifts along a Lissajous curve; brightens or darkens what it covers."""

    radius: float
    speed_x: float
    speed_y: float
    phase: float
    table: bytes


class Scene:
    """The moving picture of one film, painted one frame at a time."""

    def __init__(self, film: Film) -> None:
        digest = hashlib.sha256(f"{film.seed}\0{film.image_digest}\0{film.prompt}".encode(errors="replace"))
        dice = random.Random(digest.digest())  # noqa: S311 - colours, not secrets
        scale = LONG_SIDE / max(film.width, film.height)
        self.width = max(16, round(film.width * scale))
        self.height = max(16, round(film.height * scale))
        self._seconds = film.seconds
        self._wave = (dice.uniform(0.8, 2.2), dice.uniform(0.10, 0.35) * self.width, dice.uniform(0.3, 0.8))
        self._drift = dice.choice((-1, 1)) * dice.uniform(0.05, 0.15) * self.width
        self._strips = self._shaded(self._gradient(dice))
        self._lights = [self._light(dice, number) for number in range(5)]
        self._plates, self._letters = self._writing(film.prompt)

    def frame(self, at: float) -> bytes:
        """The picture `at` seconds into the film, as packed RGB rows."""
        canvas = bytearray().join(self._row(y, at) for y in range(self.height))
        for light in self._lights:
            self._shine(canvas, light, at)
        for plate in self._plates:
            place = slice(
                (plate.top * self.width + plate.left) * 3, (plate.top * self.width + plate.right) * 3
            )
            canvas[place] = canvas[place].translate(_DIMMED)
        for span in self._letters:
            self._fill(canvas, span, _INK)
        played = round(self.width * min(1.0, at / self._seconds))
        for y in range(self.height - max(2, self.height // 60), self.height):
            self._fill(canvas, font.Span(y, 0, played), _INK)
        return bytes(canvas)

    def _gradient(self, dice: random.Random) -> bytes:
        """One row of colours that runs into itself at its end."""
        hue, spread = dice.random(), dice.uniform(0.07, 0.17)
        pixels = bytearray()
        for x in range(self.width):
            turn = math.sin(2 * math.pi * x / self.width)
            swell = math.sin(4 * math.pi * x / self.width + 1.0)
            rgb = colorsys.hsv_to_rgb((hue + spread * turn) % 1.0, 0.62 + 0.2 * swell, 0.74 + 0.2 * turn)
            pixels += bytes(int(255 * channel) for channel in rgb)
        return bytes(pixels)

    def _shaded(self, strip: bytes) -> list[bytes]:
        """The gradient once per row, darker towards the bottom, doubled so that it can be cut anywhere."""
        tables = [_scaled_by(1.1 - 0.7 * shade / (_SHADES - 1)) for shade in range(_SHADES)]
        rows = (tables[y * _SHADES // self.height] for y in range(self.height))
        return [strip.translate(table) * 2 for table in rows]

    def _light(self, dice: random.Random, number: int) -> _Light:
        return _Light(
            radius=dice.uniform(0.08, 0.24) * min(self.width, self.height),
            speed_x=dice.uniform(0.3, 0.9) * dice.choice((-1, 1)),
            speed_y=dice.uniform(0.3, 0.9),
            phase=dice.uniform(0, 2 * math.pi),
            table=_scaled_by(0.92) if number == 0 else _towards_white(dice.uniform(0.05, 0.09)),
        )

    def _writing(self, prompt: str) -> tuple[list[font.Span], list[font.Span]]:
        """The dim plates behind the mark and the beginning of the prompt, and their letters."""
        big, small, margin = max(2, self.width // 70), max(1, self.width // 160), max(4, self.width // 40)
        caption = " ".join(_WORDS.sub(" ", prompt).split())
        room = (self.width - 2 * margin) // (font.ADVANCE * small)
        caption = caption if len(caption) <= room else caption[: room - 2] + ".."
        bottom = self.height - margin - font.HEIGHT * small - self.height // 60
        plates: list[font.Span] = []
        letters: list[font.Span] = []
        for text, top, scale in ((_MARK, margin, big), (caption, bottom, small)):
            letters += font.spans(text, margin, top, scale)
            right = min(self.width, margin + font.width(text, scale) + scale)
            rows = range(top - scale, top + (font.HEIGHT + 1) * scale) if text else range(0)
            plates += [font.Span(y, margin - scale, right) for y in rows]
        return plates, letters

    def _row(self, y: int, at: float) -> bytes:
        ripple, reach, pace = self._wave
        sway = math.sin(ripple * math.pi * y / self.height + 2 * math.pi * pace * at / 2)
        start = int(self._drift * at + reach * sway) % self.width * 3
        return self._strips[y][start : start + self.width * 3]

    def _shine(self, canvas: bytearray, light: _Light, at: float) -> None:
        centre_x = self.width * (0.5 + 0.45 * math.sin(light.speed_x * at + light.phase))
        centre_y = self.height * (0.5 + 0.42 * math.cos(light.speed_y * at + 2 * light.phase))
        for share in _RINGS:  # discs inside each other make a soft edge
            radius = light.radius * share
            for y in range(max(0, int(centre_y - radius)), min(self.height, int(centre_y + radius) + 1)):
                half = math.sqrt(max(0.0, radius * radius - (y - centre_y) ** 2))
                left, right = max(0, int(centre_x - half)), min(self.width, int(centre_x + half))
                if left < right:
                    place = slice((y * self.width + left) * 3, (y * self.width + right) * 3)
                    canvas[place] = canvas[place].translate(light.table)

    def _fill(self, canvas: bytearray, span: font.Span, colour: bytes) -> None:
        left, right = max(0, span.left), min(self.width, span.right)
        if 0 <= span.top < self.height and left < right:
            start = (span.top * self.width + left) * 3
            canvas[start : start + (right - left) * 3] = colour * (right - left)


def _scaled_by(factor: float) -> bytes:
    return bytes(min(255, int(value * factor)) for value in range(256))


def _towards_white(share: float) -> bytes:
    return bytes(int(value + (255 - value) * share) for value in range(256))


_INK: Final = b"\xff\xfa\xf0"
_DIMMED: Final = _scaled_by(0.4)
