"""The commands that order videos: the first take of one, and another take."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import console, options
from cli.asking import session, showing
from cli.asking.following import path_of
from cli.asking.images import with_picture
from cli.asking.waiting import Waiting, finish, waiting_for
from cli.client import Client, Json
from cli.exits import HELP, Exit
from cli.options import FirstFrame, Wishes, given

app = typer.Typer()


@app.command(epilog=HELP)
def generate(
    prompt: Annotated[str, typer.Argument(help="What the video shows.")],
    *,
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
    project: Annotated[str | None, typer.Option(metavar="ID", help="The project it belongs to.")] = None,
    max_cost: options.MaxCost = None,
    priority: options.Priority = None,
    fallback: options.Fallback = None,
    no_fallback: options.NoFallback = False,
    deadline: options.Deadline = None,
    on_unknown: options.OnUnknown = None,
    on_content: options.OnContent = None,
    allow_duplicate: Annotated[
        bool,
        typer.Option(
            "--allow-duplicate", help="Make another video though the same one was ordered a moment ago."
        ),
    ] = False,
    wait: options.Wait = True,
    output: options.Output = None,
    timeout: options.Timeout = None,
    idempotency_key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """Order a video."""
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
    body: dict[str, Any] = {"prompt": prompt, "provider": provider, "model": model, "project_id": project}
    body |= {
        "params": wishes.params() or None,
        "max_cost_usd": options.dollars(max_cost),
        "priority": priority,
    }
    body |= {
        "fallback_providers": options.fallbacks(fallback, none=no_fallback),
        "deadline_seconds": deadline,
    }
    body |= {"on_unknown_submission": on_unknown, "on_content_policy": on_content}
    body |= {"allow_duplicate": allow_duplicate or None}
    waiting = waiting_for(wait=wait, output=output, timeout=timeout, as_json=as_json)
    _order("/v1/generations", given(body), waiting, key=idempotency_key, frame=wishes.first_frame())


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
    path = f"{path_of(options.generation_id(generation_id))}/regenerate"
    waiting = waiting_for(wait=wait, output=output, timeout=timeout, as_json=as_json)
    _order(path, given(body), waiting, key=idempotency_key, frame=wishes.first_frame())


def _order(
    path: str, body: dict[str, Any], waiting: Waiting, *, key: str | None, frame: FirstFrame | None
) -> None:
    """Send an order, wait for its video where asked, and end with the exit code."""
    image = frame.file if frame else None
    session.run(lambda client: _ordered(client, path, body, waiting, key, image))


async def _ordered(
    client: Client, path: str, body: Json, waiting: Waiting, key: str | None, image: Path | None
) -> Exit:
    give_up_at = waiting.give_up_at
    if image is not None:
        body = await with_picture(client, body, image, patience_seconds=waiting.patience_seconds)
    generation = await client.post(path, body, key=key, patience_seconds=waiting.patience_seconds)
    if not waiting.as_json:
        showing.adjustments(console.output(), generation)
    return await finish(client, generation, waiting, give_up_at)
