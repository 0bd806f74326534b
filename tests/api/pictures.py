"""Uploading pictures as a browser's form does."""

import httpx

from tests.stack import Stack
from tests.storage.pictures import Colour, corners, encoded

KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def solid(colour: Colour, width: int = 320, height: int = 200) -> bytes:
    """A PNG of four quarters, of which the first has this colour: another colour is another picture."""
    picture = corners(width, height)
    picture.paste(colour, (0, 0, width // 2, height // 2))
    return encoded(picture, "PNG")


async def send(
    stack: Stack, content: bytes, *, name: str = "fox.png", media_type: str = "image/png", field: str = "file"
) -> httpx.Response:
    """POST a picture."""
    return await stack.http.post("/v1/images", files={field: (name, content, media_type)})


async def uploaded(stack: Stack, content: bytes) -> str:
    """The id of a picture that is taken in."""
    answer = await send(stack, content)
    assert answer.status_code in {200, 201}, answer.text
    image_id: str = answer.json()["id"]
    return image_id
