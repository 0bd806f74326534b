"""What each model can do, per mode: facts as data, read from the providers' own documentation on a date.

Nothing here guesses: `domain.orders.planning` refuses a size or a length that a model does not list, with `allowed`.
"""

from datetime import date
from enum import StrEnum

from domain.costs.prices import Meter, PerSecond, Price
from domain.model import Frozen
from domain.money import Micros
from domain.orders.params import RESOLUTION_NAMES, SEED_MAX, Plain


class Mode(StrEnum):
    """What a video is made from."""

    TEXT = "text_to_video"
    IMAGE = "image_to_video"


class Support(StrEnum):
    """How a wish reaches a model: as a field of its own, as words of the prompt, or not at all."""

    NATIVE = "native"
    PROMPT = "prompt"
    NONE = "none"


class Size(Frozen):
    """The pixels of a picture.

    Attributes:
        resolution: The provider's own name for it, where sizes are asked for by name.
        ratio: The same for the aspect ratio.
    """

    width: int
    height: int
    resolution: str | None = None
    ratio: str | None = None

    @property
    def short_side(self) -> int:
        """The shorter side in pixels: what names such as 720p speak of."""
        return min(self.width, self.height)

    @property
    def name(self) -> str | None:
        """Such as `720p`: the provider's own name, else by its shorter side; None where there is none."""
        if self.resolution is not None:
            return self.resolution
        return next((name for name, side in RESOLUTION_NAMES.items() if side == self.short_side), None)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class OptionKind(StrEnum):
    """What values an option takes."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    CHOICE = "choice"


class Option(Frozen):
    """Something that only this provider's models know, asked for in `params.extra`.

    Attributes:
        default: What the provider does when it is not asked for.
        least: The smallest number.
        most: The largest number.
        choices: The words that a choice knows.
    """

    name: str
    kind: OptionKind
    description: str
    default: Plain
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    def takes(self, value: Plain) -> bool:
        """Tell whether a value is one of the option's."""
        match self.kind:
            case OptionKind.BOOLEAN:
                return isinstance(value, bool)
            case OptionKind.CHOICE:
                return value in self.choices
            case OptionKind.INTEGER:
                return isinstance(value, int) and not isinstance(value, bool) and self._in_range(value)
            case OptionKind.NUMBER:
                return (
                    isinstance(value, int | float) and not isinstance(value, bool) and self._in_range(value)
                )

    def _in_range(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def allowed(self) -> str:
        """What it takes, for a person."""
        match self.kind:
            case OptionKind.BOOLEAN:
                return "true or false"
            case OptionKind.CHOICE:
                return " or ".join(self.choices)
            case OptionKind.INTEGER:
                return f"a whole number from {self.least:g} to {self.most:g}"
            case OptionKind.NUMBER:
                return f"a number from {self.least:g} to {self.most:g}"


SILENT_OPTION = "generate_audio"
"""The option whose `false` makes a silent video, which can be cheaper."""


class Capability(Frozen):
    """What one model can do in one mode.

    Attributes:
        durations: Whole seconds that can be asked for.
        default_duration: Used when the request names none.
        sizes: The sizes that can be asked for; the first is the default.
        has_exact_sizes: False where the sizes are those of a table that the provider may deviate from a little.
        price: What a video costs.
        price_is_certain: False where the price was not found with the provider itself.
        price_read: The day on which the price was read; None: that of the model's other facts.
        prompt_units: The longest prompt, in UTF-16 units: a picture sign counts as two. None: no limit is known.
        uses_prompt: Whether the model looks at the prompt at all.
        obeys_flags: Whether the model takes words behind two hyphens in the prompt for commands.
        negative_prompt: How it reaches the model.
        camera: How movements of the camera reach the model.
        camera_fixed: How the wish for a camera that stands still does.
        style: How a style does.
        least_seed: The smallest seed that is one.
        most_seed: The largest.
        options: What only this model knows.
    """

    mode: Mode
    durations: tuple[int, ...]
    default_duration: int
    sizes: tuple[Size, ...]
    has_exact_sizes: bool = True
    price: Price
    price_is_certain: bool = True
    price_read: date | None = None
    prompt_units: int | None = None
    uses_prompt: bool = True
    obeys_flags: bool = False
    negative_prompt: Support = Support.PROMPT
    camera: Support = Support.PROMPT
    camera_fixed: Support = Support.PROMPT
    style: Support = Support.PROMPT
    least_seed: int = 0
    most_seed: int = SEED_MAX
    options: tuple[Option, ...] = ()

    def price_of(self, seconds: int, size: Size, *, silent: bool) -> Micros:
        """Return the price of a video of one of the sizes, in micro-dollars."""
        named = size.name or str(size)
        return self.price.of(seconds, size.width, size.height, silent=silent, resolution=named)

    def meter_of(self, size: Size, *, silent: bool) -> Meter | None:
        """Return what each second costs that is made; None where the provider does not count seconds."""
        if not isinstance(self.price, PerSecond):
            return None
        return self.price.meter(silent=silent, resolution=size.name or str(size))


class ModelFacts(Frozen):
    """One model of a provider.

    Attributes:
        facts_read: The day on which limits and prices were read.
    """

    id: str
    capabilities: tuple[Capability, ...]
    facts_read: date

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that the model serves."""
        return tuple(capability.mode for capability in self.capabilities)

    @property
    def needs_image(self) -> bool:
        """Whether the model makes videos from a picture only."""
        return self.modes == (Mode.IMAGE,)

    def in_mode(self, mode: Mode) -> Capability | None:
        """Return what the model can do in a mode."""
        return next((known for known in self.capabilities if known.mode is mode), None)


class Retirement(Frozen):
    """A door that the provider has closed.

    Attributes:
        on: Since when.
        instead: A sentence that says what to use.
    """

    on: date
    instead: str


class ProviderFacts(Frozen):
    """One provider: its models, the first of which that serves a request is the default.

    Attributes:
        retired: Set where this deployment reaches the provider by a door that is closed.
    """

    id: str
    name: str
    models: tuple[ModelFacts, ...]
    retired: Retirement | None = None
