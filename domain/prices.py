"""What a model asks for a video, as its provider counts: by the second, by the clip, or by the token."""

from typing import Annotated, Literal

from pydantic import Field

from domain.model import Frozen
from domain.money import MICROS_PER_DOLLAR, Micros


class PerSecond(Frozen):
    """A price for each second of video."""

    unit: Literal["second"] = "second"
    micros: Micros

    def of(self, seconds: int, width: int, height: int, *, silent: bool) -> Micros:  # noqa: ARG002 - one interface
        """Return the price of a video, in micro-dollars."""
        return seconds * self.micros


class PerVideo(Frozen):
    """A price for each clip, however long."""

    unit: Literal["video"] = "video"
    micros: Micros

    def of(self, seconds: int, width: int, height: int, *, silent: bool) -> Micros:  # noqa: ARG002 - one interface
        """Return the price of a video, in micro-dollars."""
        return self.micros


class PerToken(Frozen):
    """A price for a million tokens; a video has width * height * frames / 1024 of them.

    Attributes:
        micros: For a million tokens.
        silent_micros: For a million tokens of a video without sound, where that is another price.
        frames_per_second: How many frames are counted for a second; one more frame begins the video.
    """

    unit: Literal["million_tokens"] = "million_tokens"
    micros: Micros
    silent_micros: Micros | None = None
    frames_per_second: int = 24

    def of(self, seconds: int, width: int, height: int, *, silent: bool) -> Micros:
        """Return the price of a video, in micro-dollars."""
        tokens = width * height * (self.frames_per_second * seconds + 1) // 1024
        return self.bill(tokens, silent=silent)

    def bill(self, tokens: int, *, silent: bool) -> Micros:
        """Return what so many tokens cost, in micro-dollars, rounded up."""
        micros = self.silent_micros if silent and self.silent_micros is not None else self.micros
        return -(-tokens * micros // MICROS_PER_DOLLAR)


Price = Annotated[PerSecond | PerVideo | PerToken, Field(discriminator="unit")]
