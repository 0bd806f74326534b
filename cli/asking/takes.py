"""The commands about takes: make another one, keep one, say what one is worth."""

from typing import Annotated, Any

import typer

from cli import options
from cli.asking.generations import order, waiting_for
from cli.exits import HELP
from cli.options import Wishes, given

app = typer.Typer()


@app.command(epilog=HELP)
def regenerate(
    generation_id: options.GenerationId,
    *,
    prompt: Annotated[str | None, typer.Option(help="Another prompt.")] = None,
    provider: options.Provider = None,
    model: options.Model = None,
    duration: options.Duration = None,
    aspect_ratio: options.AspectRatio = None,
    resolution: options.Resolution = None,
    image: options.Image = None,
    image_url: options.ImageUrl = None,
    seed: options.Seed = None,
    camera: options.Camera = None,
    style: options.Style = None,
    negative: options.Negative = None,
    extra: options.Extra = None,
    param: options.Param = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Cancel the take that is running, and begin the next.")
    ] = False,
    wait: options.Wait = False,
    output: options.Output = None,
    timeout: options.Timeout = None,
    idempotency_key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Make another take: what is not mentioned is kept, --param NAME=null clears a parameter."""
    wishes = Wishes(
        duration=duration,
        aspect_ratio=aspect_ratio,
        resolution=resolution,
        image=image,
        image_url=image_url,
        seed=seed,
        camera=camera,
        style=style,
        negative=negative,
        extra=extra,
        param=param,
    )
    body: dict[str, Any] = {"prompt": prompt, "provider": provider, "model": model}
    body |= {"params": wishes.params() or None, "if_running": "replace" if replace else None}
    path = f"/v1/generations/{options.generation_id(generation_id)}/regenerate"
    waiting = waiting_for(wait=wait, output=output, timeout=timeout, as_json=as_json)
    order(path, given(body), waiting, key=idempotency_key, frame=wishes.first_frame())


@app.command(epilog=HELP)
def keep(
    generation_id: options.GenerationId,
    take: Annotated[int, typer.Argument(min=1, metavar="TAKE", help="Which take, from 1.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take the mark back.")] = False,
    as_json: options.Json = False,
) -> None:
    """Mark a take as one to keep; several can be."""
    from cli.asking import opinions, orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    gid = options.generation_id(generation_id)
    raise typer.Exit(orders.run(lambda client: opinions.keep(client, gid, take, undo=undo, as_json=as_json)))


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
    from cli.asking import opinions, orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    gid = options.generation_id(generation_id)
    body = given({"rating": rating, "take": take, "comment": comment, "reasons": reason or None})
    raise typer.Exit(orders.run(lambda client: opinions.rate(client, gid, body, as_json=as_json)))
