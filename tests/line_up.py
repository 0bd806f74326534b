"""The providers as tests order from them: the shortest video of each, with a picture where one is needed."""

import io
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image

from domain.money import to_usd
from domain.orders.capabilities import Mode
from domain.orders.entries import Entry
from domain.orders.line_up import ENTRIES
from tests.stack import Stack


@dataclass(frozen=True)
class Shortest:
    """The shortest video that a provider makes.

    Attributes:
        needs_image: Whether it starts from a picture only.
        takes_image: Whether it can start from one.
        price_usd: What it costs.
        can_list: Whether a job can be looked for after a lost answer.
    """

    provider: str
    seconds: int
    price_usd: str
    needs_image: bool = False
    takes_image: bool = True
    can_list: bool = False

    def __str__(self) -> str:
        return self.provider


def _shortest(entry: Entry) -> Shortest:
    model = entry.facts.models[0]
    capability = model.capabilities[0]
    seconds = min(capability.durations)
    return Shortest(
        entry.id,
        seconds,
        to_usd(capability.price_of(seconds, capability.sizes[0], silent=False)),
        needs_image=model.needs_image,
        takes_image=any(Mode.IMAGE in one.modes for one in entry.facts.models),
        can_list=entry.lists_jobs,
    )


EVERY = tuple(_shortest(entry) for entry in ENTRIES)
"""Every provider that there is: what is tested for each of these is tested for one that is added."""

LISTING = tuple(one for one in EVERY if one.can_list)
UNLISTED = tuple(one for one in EVERY if not one.can_list)
RUNWAY, SEEDANCE, STABLE_VIDEO = (
    next(one for one in EVERY if one.provider == provider)
    for provider in ("runway", "seedance", "stable-video")
)


async def order_from(
    stack: Stack, shortest: Shortest, prompt: str = "A red fox in the snow", **params: Any
) -> dict[str, Any]:
    """Order the shortest video of a provider, with a picture where it needs one."""
    if shortest.needs_image and "image_id" not in params:
        params["image_id"] = await uploaded(stack)
    wanted = {"duration_seconds": shortest.seconds, **params}
    return await stack.order(prompt, provider=shortest.provider, params=wanted)


def a_picture(width: int = 1200, height: int = 900, kind: str = "PNG") -> bytes:
    """Return a picture file that no encoder makes tiny."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(out, kind)
    return out.getvalue()


async def uploaded(stack: Stack, picture: bytes | None = None) -> str:
    """Upload a picture and return its id."""
    answer = await stack.http.post("/v1/images", files={"file": ("fox.png", picture or a_picture())})
    assert answer.status_code in {httpx.codes.CREATED, httpx.codes.OK}, answer.text
    return str(answer.json()["id"])
