"""What the commands about pictures do, over HTTP only."""

from pathlib import Path

from cli import console, showing
from cli.asking.orders import PATIENCE_SECONDS, print_json
from cli.client import Client, Json
from cli.exits import Exit

_IMAGES = "/v1/images"


async def upload(client: Client, file: Path, *, as_json: bool) -> Exit:
    """Upload a picture and print its id."""
    image = await client.upload(_IMAGES, file, patience_seconds=PATIENCE_SECONDS)
    if as_json:
        print_json(image)
    else:
        console.line(console.output(), str(image["id"]))
    return Exit.OK


async def show(client: Client, image_id: str, *, as_json: bool) -> Exit:
    """Show what is known of a picture."""
    image = await client.get(f"{_IMAGES}/{image_id}")
    if as_json:
        print_json(image)
    else:
        _print(image, client.base_url)
    return Exit.OK


async def delete(client: Client, image_id: str) -> Exit:
    """Erase a picture."""
    await client.delete(f"{_IMAGES}/{image_id}", patience_seconds=PATIENCE_SECONDS)
    console.line(console.output(), f"{image_id} is deleted")
    return Exit.OK


def _print(image: Json, base_url: str) -> None:
    output = console.output()
    console.line(output, str(image["id"]))
    for name, value in (
        ("picture", f"{showing.link(base_url, str(image['url']))}  {image['width']}x{image['height']}"),
        ("size", f"{image['size_bytes']} bytes as kept, uploaded as {image['source_type']}"),
        ("sha256", str(image["sha256"])),
        ("uploaded", str(image["created_at"])[:19].replace("T", " ")),
    ):
        console.line(output, f"  {name:<9} {value}")
