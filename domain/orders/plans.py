"""The plan of a take: its request fitted to one model of one provider, as it will be sent."""

import hashlib

from pydantic import Field

from domain.costs.prices import Meter
from domain.model import Message
from domain.money import Micros
from domain.orders.capabilities import Mode
from domain.orders.params import SEED_MAX, Plain


class FirstFrame(Message):
    """The stored picture that a video starts from.

    Attributes:
        sha256: Of the stored file, a JPEG.
        width: In pixels.
        height: In pixels.
    """

    image_id: str
    sha256: str
    width: int
    height: int


class Adjustment(Message):
    """One way in which what is sent differs from what was asked for.

    Attributes:
        pointer: JSON pointer to the field of the request.
        code: A stable word for programs.
        message: A sentence for a person.
    """

    pointer: str
    code: str
    message: str


class Plan(Message):
    """A request fitted to a model: the effective request of one take.

    Attributes:
        prompt: What is sent, with what the model can only be told in words.
        width: Of the video, in pixels.
        height: Of the video, in pixels.
        has_exact_size: False where the provider may deviate from the size a little.
        resolution: The provider's own name of the size, where it has one.
        aspect_ratio: The same of the aspect ratio.
        seed: The seed of the first attempt.
        seed_is_given: Whether the user gave the seed; then it identifies nothing.
        least_seed: The smallest seed that the model takes.
        most_seed: The largest.
        first_frame: The picture that the video starts from, as it is stored; it is fitted when it is sent.
        camera_fixed: Whether the camera stands still, for models that have such a switch.
        options: What only this model knows, as the user gave it.
        adjustments: What differs from the request, for the user to see.
        price: What it should cost, in micro-dollars.
        meter: What each second costs, where the provider counts those that it has made.
    """

    provider: str
    model: str
    mode: Mode
    prompt: str
    duration_seconds: int
    width: int
    height: int
    has_exact_size: bool = True
    resolution: str | None = None
    aspect_ratio: str | None = None
    seed: int
    seed_is_given: bool = False
    least_seed: int = 0
    most_seed: int = SEED_MAX
    first_frame: FirstFrame | None = None
    camera_fixed: bool | None = None
    options: dict[str, Plain] = Field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    price: Micros
    meter: Meter | None = None

    def seed_of(self, attempt: int) -> int:
        """Return the seed of an attempt: the user's own, or one that no other attempt of the take has.

        Args:
            attempt: The attempt's number, from 1.
        """
        if self.seed_is_given or attempt == 1:
            return self.seed
        digest = hashlib.blake2b(f"{self.seed}.{attempt}".encode(), digest_size=8).digest()
        return self.least_seed + int.from_bytes(digest) % (self.most_seed - self.least_seed + 1)
