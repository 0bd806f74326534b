"""The command that tells what a video would cost, and how long it would take, before anything is ordered."""

from typing import Annotated, Any

import typer

from cli import options
from cli.asking.generations import dollars
from cli.exits import HELP
from cli.options import Wishes, given

app = typer.Typer()


@app.command(epilog=HELP)
def estimate(
    prompt: Annotated[str | None, typer.Argument(help="What the video shows; may be left out.")] = None,
    *,
    provider: options.Provider = None,
    model: options.Model = None,
    duration: options.Duration = None,
    aspect_ratio: options.AspectRatio = None,
    resolution: options.Resolution = None,
    image: options.Image = None,
    image_url: options.ImageUrl = None,
    camera: options.Camera = None,
    style: options.Style = None,
    negative: options.Negative = None,
    extra: options.Extra = None,
    param: options.Param = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="The most that all attempts together may cost.")
    ] = None,
    fallback: options.Fallback = None,
    no_fallback: options.NoFallback = False,
    deadline: options.Deadline = None,
    as_json: options.Json = False,
) -> None:
    """Tell what a video would cost at every model, and how long it would take; orders nothing."""
    from cli.asking import estimating, orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    wishes = Wishes(
        duration=duration,
        aspect_ratio=aspect_ratio,
        resolution=resolution,
        image=image,
        image_url=image_url,
        camera=camera,
        style=style,
        negative=negative,
        extra=extra,
        param=param,
    )
    body: dict[str, Any] = {"prompt": prompt, "provider": provider, "model": model}
    body |= {"params": wishes.params() or None, "max_cost_usd": dollars(max_cost)}
    body |= {
        "fallback_providers": options.fallbacks(fallback, none=no_fallback),
        "deadline_seconds": deadline,
    }
    frame = wishes.first_frame()
    file = None if frame is None else frame.file
    raise typer.Exit(orders.run(lambda client: estimating.show(client, given(body), file, as_json=as_json)))
