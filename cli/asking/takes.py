"""The commands about takes: keep one, let it go, say what one is worth."""

from typing import Annotated

import typer

from cli import console, options
from cli.asking import session, showing
from cli.asking.following import path_of
from cli.client import Client, Json
from cli.exits import HELP, Exit
from cli.options import given

app = typer.Typer()


@app.command(epilog=HELP)
def keep(
    generation_id: options.GenerationId,
    take: Annotated[int, typer.Argument(min=1, metavar="TAKE", help="Which take, from 1.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take the mark back.")] = False,
    as_json: options.Json = False,
) -> None:
    """Mark a take as one to keep; several can be."""
    gid = options.generation_id(generation_id)
    session.run(lambda client: _keep(client, gid, take, undo=undo, as_json=as_json))


@app.command(epilog=HELP)
def feedback(
    generation_id: options.GenerationId,
    rating: Annotated[
        int, typer.Argument(min=1, max=5, metavar="RATING", help="1 (useless) to 5 (just right).")
    ],
    take: Annotated[int | None, typer.Option(min=1, help="Which take; the newest if left out.")] = None,
    comment: Annotated[str | None, typer.Option(metavar="TEXT", help="What you think of it.")] = None,
    reason: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A word to count, such as motion. Repeatable.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Say what a take is worth; it replaces what was said of that take before."""
    gid = options.generation_id(generation_id)
    body = given({"rating": rating, "take": take, "comment": comment, "reasons": reason or None})
    session.run(lambda client: _rate(client, gid, body, as_json=as_json))


async def _keep(client: Client, generation_id: str, take: int, *, undo: bool, as_json: bool) -> Exit:
    path = f"{path_of(generation_id)}/takes/{take}/keep"
    return _told(await client.delete(path) if undo else await client.post(path, {}), as_json)


async def _rate(client: Client, generation_id: str, body: Json, *, as_json: bool) -> Exit:
    return _told(await client.post(f"{path_of(generation_id)}/feedback", body), as_json)


def _told(generation: Json, as_json: bool) -> Exit:
    if as_json:
        console.print_json(generation)
    else:
        console.line(console.output(), str(generation["id"]))
        showing.takes(console.output(), generation)
    return Exit.OK
