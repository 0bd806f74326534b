"""The commands about pictures: upload one to begin videos with, look at it, delete it."""

from pathlib import Path
from typing import Annotated

import typer

from cli import console, options
from cli.asking import session, showing
from cli.client import PATIENCE_SECONDS, Client, Json
from cli.exits import HELP, Exit

_IMAGES = "/v1/images"

app = typer.Typer(name="images", help="Pictures that videos begin with.", no_args_is_help=True, epilog=HELP)

_Id = Annotated[str, typer.Argument(metavar="ID", help="The picture, img_...")]


@app.command(epilog=HELP)
def upload(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="A JPEG, PNG or WebP."
        ),
    ],
    as_json: options.Json = False,
) -> None:
    """Upload a picture and print its id; the same picture again has the same id."""
    session.run(lambda client: _upload(client, file, as_json=as_json))


@app.command(epilog=HELP)
def show(image_id: _Id, as_json: options.Json = False) -> None:
    """Show what is known of a picture."""
    known = options.image_id(image_id)
    session.run(lambda client: _show(client, known, as_json=as_json))


@app.command(epilog=HELP)
def delete(image_id: _Id) -> None:
    """Erase a picture; refused while a generation that is not over needs it."""
    known = options.image_id(image_id)
    session.run(lambda client: _delete(client, known))


async def with_picture(
    client: Client, order: Json, file: Path, *, patience_seconds: float = PATIENCE_SECONDS
) -> Json:
    """Return an order whose first frame is a file, which is uploaded first."""
    uploaded = await client.upload(_IMAGES, file, patience_seconds=patience_seconds)
    return order | {"params": order.get("params", {}) | {"image_id": uploaded["id"]}}


async def _upload(client: Client, file: Path, *, as_json: bool) -> Exit:
    """Upload a picture and print its id."""
    image = await client.upload(_IMAGES, file)
    if as_json:
        console.print_json(image)
    else:
        console.line(console.output(), str(image["id"]))
    return Exit.OK


async def _show(client: Client, image_id: str, *, as_json: bool) -> Exit:
    """Show what is known of a picture."""
    image = await client.get(f"{_IMAGES}/{image_id}")
    if as_json:
        console.print_json(image)
    else:
        _print(image, client.base_url)
    return Exit.OK


async def _delete(client: Client, image_id: str) -> Exit:
    """Erase a picture."""
    await client.delete(f"{_IMAGES}/{image_id}")
    console.line(console.output(), f"{image_id} is deleted")
    return Exit.OK


def _print(image: Json, base_url: str) -> None:
    output = console.output()
    console.line(output, str(image["id"]))
    for name, value in (
        ("picture", f"{showing.link(base_url, str(image['url']))}  {image['width']}x{image['height']}"),
        ("size", f"{image['size_bytes']} bytes as kept, uploaded as {image['source_type']}"),
        ("sha256", str(image["sha256"])),
        ("uploaded", showing.moment(image["created_at"])),
    ):
        console.line(output, f"  {name:<9} {value}")
