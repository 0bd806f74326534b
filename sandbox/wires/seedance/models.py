"""The Seedance models: what each takes, how large its pictures are, what a token of it costs.

Sizes, default resolutions and the fields that a model takes are those of the vendor's page "Create a video
generation task" (docs.byteplus.com/en/docs/ModelArk/1520757, China twin volcengine.com/docs/82379/1520757),
read in public transcriptions of 2026. Durations, resolutions and prices are those of the contract.

Own readings: 2.5 at 1080p, which that page does not list and a probe saw, is as large as 2.0's; 1.0 pro fast
costs 28 % of 1.0 pro, as its announcement says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NAME: Final = "seedance"
ADAPTIVE: Final = "adaptive"
AUTO_SECONDS: Final = -1
USUAL_SECONDS: Final = 5
FRAME_RATE: Final = 24

Size = tuple[int, int]
Sizes = dict[str, dict[str, Size]]
"""Width and height in pixels by resolution and ratio."""

_FIRST: Final[Sizes] = {
    "480p": {
        "16:9": (864, 480),
        "4:3": (736, 544),
        "1:1": (640, 640),
        "3:4": (544, 736),
        "9:16": (480, 864),
        "21:9": (960, 416),
    },
    "720p": {
        "16:9": (1248, 704),
        "4:3": (1120, 832),
        "1:1": (960, 960),
        "3:4": (832, 1120),
        "9:16": (704, 1248),
        "21:9": (1504, 640),
    },
    "1080p": {
        "16:9": (1920, 1088),
        "4:3": (1664, 1248),
        "1:1": (1440, 1440),
        "3:4": (1248, 1664),
        "9:16": (1088, 1920),
        "21:9": (2176, 928),
    },
}
_SECOND: Final[Sizes] = {
    "480p": {
        "16:9": (864, 496),
        "4:3": (752, 560),
        "1:1": (640, 640),
        "3:4": (560, 752),
        "9:16": (496, 864),
        "21:9": (992, 432),
    },
    "720p": {
        "16:9": (1280, 720),
        "4:3": (1112, 834),
        "1:1": (960, 960),
        "3:4": (834, 1112),
        "9:16": (720, 1280),
        "21:9": (1470, 630),
    },
    "1080p": {
        "16:9": (1920, 1080),
        "4:3": (1664, 1248),
        "1:1": (1440, 1440),
        "3:4": (1248, 1664),
        "9:16": (1080, 1920),
        "21:9": (2206, 946),
    },
}
_WITH_4K: Final[Sizes] = {
    **_SECOND,
    "4k": {
        "16:9": (3840, 2160),
        "4:3": (3326, 2494),
        "1:1": (2880, 2880),
        "3:4": (2494, 3326),
        "9:16": (2160, 3840),
        "21:9": (4398, 1886),
    },
}
_UP_TO_720P: Final[Sizes] = {name: _SECOND[name] for name in ("480p", "720p")}
_LATEST: Final[Sizes] = {
    **_SECOND,
    "480p": {**_SECOND["480p"], "16:9": (854, 480), "9:16": (480, 854)},
}
RATIOS: Final = tuple(_SECOND["720p"])


@dataclass(frozen=True)
class Model:
    """What one model takes.

    Attributes:
        generation: 1.0, 1.5, 2.0 or 2.5 as a whole number: 10, 15, 20, 25.
        seconds: The shortest and the longest duration.
        sizes: Width and height by resolution and ratio.
        nano_usd_per_token: The price, in billionths of a dollar; that many thousandths of a dollar per million.
        nano_usd_when_silent: The price of a video without sound, where it is another.
        usual_resolution: The one of a request that names none.
        takes_images: Whether an image may be given.
        needs_image: Whether one must be.
        takes_last_frame: Whether the last frame may be given too.
        references: How many reference images, videos and sounds may be given.
        reference_resolutions: What is left with reference images; None is all.
        fixes_camera: Whether `camera_fixed` may be given.
    """

    generation: int
    seconds: tuple[int, int]
    sizes: Sizes
    nano_usd_per_token: int
    nano_usd_when_silent: int | None = None
    usual_resolution: str = "720p"
    takes_images: bool = True
    needs_image: bool = False
    takes_last_frame: bool = True
    references: tuple[int, int, int] = (0, 0, 0)
    reference_resolutions: tuple[str, ...] | None = None
    fixes_camera: bool = False

    @property
    def has_sound(self) -> bool:
        """Whether it makes sound."""
        return self.generation >= 15  # noqa: PLR2004 - 1.5 pro was the first

    @property
    def takes_frames(self) -> bool:
        """Whether its length may be given in frames."""
        return self.generation == 10  # noqa: PLR2004 - 1.0 only

    @property
    def can_choose_seconds(self) -> bool:
        """Whether it chooses a duration itself at -1."""
        return self.generation >= 15  # noqa: PLR2004 - the vendor's page has 1.5 pro too

    @property
    def is_second(self) -> bool:
        """Whether it belongs to 2.0 or what came after."""
        return self.generation >= 20  # noqa: PLR2004 - 2.0

    @property
    def is_latest(self) -> bool:
        """Whether it is 2.5, where a first frame sets the ratio and a sound alone will do."""
        return self.generation >= 25  # noqa: PLR2004 - 2.5

    def price(self, tokens: int, *, is_silent: bool, is_flex: bool) -> int:
        """What a video costs, in micro-dollars; `flex` is half the price."""
        silent = self.nano_usd_when_silent
        rate = silent if is_silent and silent is not None else self.nano_usd_per_token
        return tokens * rate // (2000 if is_flex else 1000)


_LITE_T2V: Final = Model(10, (2, 12), _FIRST, 1800, takes_images=False, fixes_camera=True)
_LITE_I2V: Final = Model(
    10,
    (2, 12),
    _FIRST,
    1800,
    needs_image=True,
    references=(4, 0, 0),
    reference_resolutions=("480p", "720p"),
    fixes_camera=True,
)
_PRO: Final = Model(10, (2, 12), _FIRST, 2500, usual_resolution="1080p", fixes_camera=True)
_PRO_FAST: Final = Model(
    10, (2, 12), _FIRST, 700, usual_resolution="1080p", takes_last_frame=False, fixes_camera=True
)
_PRO_15: Final = Model(15, (4, 12), _SECOND, 2400, 1200, fixes_camera=True)
_TWO: Final = Model(20, (4, 15), _WITH_4K, 7000, references=(9, 3, 3))
_TWO_FAST: Final = Model(20, (4, 15), _UP_TO_720P, 5600, references=(9, 3, 3))
_TWO_MINI: Final = Model(20, (4, 15), _UP_TO_720P, 5600, references=(9, 3, 3), fixes_camera=True)
_TWO_AND_A_HALF: Final = Model(25, (4, 30), _LATEST, 10_700, references=(30, 10, 10))

_BY_SHORT_NAME: Final = {
    "seedance-1-0-lite-t2v-250428": _LITE_T2V,
    "seedance-1-0-lite-i2v-250428": _LITE_I2V,
    "seedance-1-0-pro-250528": _PRO,
    "seedance-1-0-pro-fast-251015": _PRO_FAST,
    "seedance-1-5-pro-251215": _PRO_15,
    "seedance-2-0-260128": _TWO,
    "seedance-2-0-fast-260128": _TWO_FAST,
    "seedance-2-0-mini-260615": _TWO_MINI,
    "seedance-2-5-260628": _TWO_AND_A_HALF,
}


def short_name(model_id: str) -> str:
    """A model's id without the words that BytePlus or China put before it."""
    return model_id.removeprefix("doubao-").removeprefix("dreamina-")


def find(model_id: str) -> Model | None:
    """The model of an id, of BytePlus (`seedance-1-...`, `dreamina-seedance-2-...`) or China (`doubao-...`)."""
    short = short_name(model_id)
    model = _BY_SHORT_NAME.get(short)
    if model is None or model_id == f"doubao-{short}":
        return model
    return model if model_id == (f"dreamina-{short}" if model.is_second else short) else None


def tokens(size: Size, frames: int) -> int:
    """What a video is billed as: pixels of all its frames by 1024."""
    width, height = size
    return width * height * frames // 1024


def nearest_ratio(size: Size, sizes: dict[str, Size]) -> str:
    """The ratio of the table that is nearest to a picture's."""
    wanted = size[0] / size[1]

    def distance(ratio: str) -> float:
        width, height = (int(part) for part in ratio.split(":"))
        return max(wanted * height / width, width / (wanted * height))

    return min(sizes, key=distance)
