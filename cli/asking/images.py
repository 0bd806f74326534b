"""The commands about pictures: upload one to begin videos with, look at it, delete it."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.exits import HELP

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
    from cli.asking import orders, pictures  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(orders.run(lambda client: pictures.upload(client, file, as_json=as_json)))


@app.command(epilog=HELP)
def show(image_id: _Id, as_json: options.Json = False) -> None:
    """Show what is known of a picture."""
    from cli.asking import orders, pictures  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    known = options.image_id(image_id)
    raise typer.Exit(orders.run(lambda client: pictures.show(client, known, as_json=as_json)))


@app.command(epilog=HELP)
def delete(image_id: _Id) -> None:
    """Erase a picture; refused while a generation that is not over needs it."""
    from cli.asking import orders, pictures  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    known = options.image_id(image_id)
    raise typer.Exit(orders.run(lambda client: pictures.delete(client, known)))
