"""What a model asks for a video, as its provider counts: by the second, by the clip, or by the token.

A unit can cost something else at another resolution, or without sound. What is billed in whole credits is rounded up
to them, and some models charge a least amount for even the shortest video.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from domain.model import Frozen, Message
from domain.money import MICROS_PER_DOLLAR, Micros

Amount = Annotated[Micros, Field(ge=0)]


class Meter(Message):
    """What a second costs: for a video whose length is known only when it is made.

    Attributes:
        micros: For each second.
        least: What even the shortest video costs.
        step: What is billed are whole multiples of it.
    """

    micros: Amount
    least: Amount = 0
    step: Annotated[Micros, Field(ge=1)] = 1

    def of(self, seconds: int) -> Micros:
        """Return what so many seconds cost, in micro-dollars."""
        return charged(seconds * self.micros, least=self.least, step=self.step)


class Rate(Frozen):
    """What a unit costs at one resolution, where that is not what it costs elsewhere.

    Attributes:
        resolution: Its name, such as `1080p`; in pixels where a size has no name.
        silent_micros: Without sound, where that is another price.
    """

    resolution: str
    micros: Amount
    silent_micros: Amount | None = None


class _Listed(Frozen):
    """What all prices have in common.

    Attributes:
        micros: For a unit, in micro-dollars.
        silent_micros: For a unit of a video without sound, where that is another price.
        rates: Resolutions with a price of their own.
        least: What even the shortest video costs.
        step: What is billed are whole multiples of it.
    """

    micros: Amount
    silent_micros: Amount | None = None
    rates: tuple[Rate, ...] = ()
    least: Amount = 0
    step: Annotated[Micros, Field(ge=1)] = 1

    def rate(self, *, silent: bool, resolution: str | None = None) -> Micros:
        """Return what a unit costs; where the resolution is not known, the dearest: never less than it will be."""
        own = _micros(self, silent=silent)
        by_name = {rate.resolution: _micros(rate, silent=silent) for rate in self.rates}
        return max([own, *by_name.values()]) if resolution is None else by_name.get(resolution, own)

    def _charged(self, micros: Micros) -> Micros:
        return charged(micros, least=self.least, step=self.step)


class PerSecond(_Listed):
    """A price for each second of video."""

    unit: Literal["second"] = "second"

    def of(
        self,
        seconds: int,
        width: int,  # noqa: ARG002 - one interface
        height: int,  # noqa: ARG002 - one interface
        *,
        silent: bool,
        resolution: str | None = None,
    ) -> Micros:
        """Return the price of a video, in micro-dollars."""
        return self.meter(silent=silent, resolution=resolution).of(seconds)

    def meter(self, *, silent: bool, resolution: str | None = None) -> Meter:
        """Return what each second costs that is made."""
        micros = self.rate(silent=silent, resolution=resolution)
        return Meter(micros=micros, least=self.least, step=self.step)


class PerVideo(_Listed):
    """A price for each clip, however long."""

    unit: Literal["video"] = "video"

    def of(
        self,
        seconds: int,  # noqa: ARG002 - one interface
        width: int,  # noqa: ARG002 - one interface
        height: int,  # noqa: ARG002 - one interface
        *,
        silent: bool,
        resolution: str | None = None,
    ) -> Micros:
        """Return the price of a video, in micro-dollars."""
        return self._charged(self.rate(silent=silent, resolution=resolution))


class PerToken(_Listed):
    """A price for a million tokens; a video has width * height * frames / 1024 of them.

    Attributes:
        frames_per_second: How many frames are counted for a second; one more frame begins the video.
    """

    unit: Literal["million_tokens"] = "million_tokens"
    frames_per_second: int = 24

    def of(
        self, seconds: int, width: int, height: int, *, silent: bool, resolution: str | None = None
    ) -> Micros:
        """Return the price of a video, in micro-dollars."""
        tokens = width * height * (self.frames_per_second * seconds + 1) // 1024
        return self.bill(tokens, silent=silent, resolution=resolution)

    def bill(self, tokens: int, *, silent: bool, resolution: str | None = None) -> Micros:
        """Return what so many tokens cost, in micro-dollars, rounded up."""
        micros = self.rate(silent=silent, resolution=resolution)
        return self._charged(-(-tokens * micros // MICROS_PER_DOLLAR))


Price = Annotated[PerSecond | PerVideo | PerToken, Field(discriminator="unit")]


class ModelPrice(Frozen):
    """A price that somebody has written down for this deployment.

    Attributes:
        read_on: The day on which it was read with the provider; None where it is the operator's own.
        is_certain: Whether it was read with the provider itself.
    """

    price: Price
    read_on: date | None = None
    is_certain: bool = True


def charged(micros: Micros, *, least: Micros, step: Micros) -> Micros:
    """Return what is billed for an amount: at least so much, and in whole steps, in micro-dollars."""
    return -(-max(micros, least) // step) * step


def _micros(rate: _Listed | Rate, *, silent: bool) -> Micros:
    return rate.silent_micros if silent and rate.silent_micros is not None else rate.micros
