"""The commands about generations. They speak HTTP to a running service and need neither Temporal nor a database."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.exits import HELP
from cli.options import FirstFrame, Wishes, given

if TYPE_CHECKING:  # imported where it runs, so that `videoplanet --help` does not wait for httpx
    from cli.asking.orders import Waiting

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
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="The most that all attempts together may cost.")
    ] = None,
    priority: options.Priority = None,
    fallback: options.Fallback = None,
    no_fallback: options.NoFallback = False,
    deadline: options.Deadline = None,
    on_unknown: options.OnUnknown = None,
    on_content: options.OnContent = None,
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
    body |= {"params": wishes.params() or None, "max_cost_usd": dollars(max_cost), "priority": priority}
    body |= {
        "fallback_providers": options.fallbacks(fallback, none=no_fallback),
        "deadline_seconds": deadline,
    }
    body |= {"on_unknown_submission": on_unknown, "on_content_policy": on_content}
    waiting = waiting_for(wait=wait, output=output, timeout=timeout, as_json=as_json)
    order("/v1/generations", given(body), waiting, key=idempotency_key, frame=wishes.first_frame())


@app.command(epilog=HELP)
def show(
    generation_id: options.GenerationId,
    wait: options.Wait = False,
    output: options.Output = None,
    timeout: options.Timeout = None,
    as_json: options.Json = False,
) -> None:
    """Show one generation; follow it or fetch its video where asked."""
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    waiting = waiting_for(wait=wait, output=output, timeout=timeout, as_json=as_json)
    gid = options.generation_id(generation_id)
    raise typer.Exit(orders.run(lambda client: orders.show(client, gid, waiting)))


@app.command("list", epilog=HELP)
def list_(
    status: Annotated[
        str | None, typer.Option(help="pending, processing, completed, failed or cancelled.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    project: Annotated[str | None, typer.Option(metavar="ID", help="Only of this project.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
    q: Annotated[
        str | None, typer.Option("--q", metavar="WORDS", help="Only where the prompt says this.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List generations, newest first."""
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    query = {"status": status, "provider": provider, "project_id": project, "limit": limit}
    query |= {"cursor": cursor, "q": q}
    raise typer.Exit(orders.run(lambda client: orders.listing(client, query, as_json)))


@app.command(epilog=HELP)
def cancel(
    generation_id: options.GenerationId,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only tell what it would do, and what it would cost.")
    ] = False,
    timeout: options.Timeout = None,
    idempotency_key: options.Key = None,
    as_json: options.Json = False,
) -> None:
    """End a generation, and say whether its provider's job could be stopped."""
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    waiting = waiting_for(timeout=timeout, as_json=as_json)
    gid = options.generation_id(generation_id)
    if preview:
        raise typer.Exit(orders.run(lambda client: orders.preview_cancel(client, gid, as_json)))
    raise typer.Exit(orders.run(lambda client: orders.cancel(client, gid, reason, waiting, idempotency_key)))


@app.command(epilog=HELP)
def delete(
    generation_id: options.GenerationId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a generation that is over: its prompt, its videos, its events. What it cost stays in the books."""
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    gid = options.generation_id(generation_id)
    if not yes:
        typer.confirm(f"Erase {gid} with all its videos for good?", abort=True, err=True)
    raise typer.Exit(orders.run(lambda client: orders.delete(client, gid)))


@app.command(epilog=HELP)
def events(
    generation_id: options.GenerationId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it has ended.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --follow one for every event.")
    ] = False,
) -> None:
    """Show what happened to a generation."""
    from cli.asking import event_log, orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    read = event_log.follow if follow else event_log.read
    gid = options.generation_id(generation_id)
    raise typer.Exit(orders.run(lambda client: read(client, gid, as_json)))


@app.command(epilog=HELP)
def workflow(generation_id: options.GenerationId, as_json: options.Json = False) -> None:
    """Show the Temporal workflow behind a generation, for operators."""
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    gid = options.generation_id(generation_id)
    raise typer.Exit(orders.run(lambda client: orders.workflow(client, gid, as_json)))


@app.command(epilog=HELP)
def why(generation_id: options.GenerationId, as_json: options.Json = False) -> None:
    """Tell the story of a generation: what happened when, what was decided and why, and what it waits for now."""
    from cli.asking import orders, story  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    gid = options.generation_id(generation_id)
    raise typer.Exit(orders.run(lambda client: story.tell(client, gid, as_json)))


def order(
    path: str, body: dict[str, Any], waiting: "Waiting", *, key: str | None, frame: FirstFrame | None
) -> None:
    """Send an order for a video, or for another take, and end with its exit code."""
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    image = frame.file if frame else None
    raise typer.Exit(orders.run(lambda client: orders.order(client, path, body, waiting, key, image)))


def waiting_for(
    *, wait: bool = False, output: Path | None = None, timeout: float | None = None, as_json: bool = False
) -> "Waiting":
    """Return how a command goes on after its request.

    Raises:
        typer.BadParameter: The video cannot be saved there.
    """
    from cli.asking.orders import Waiting  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    if output is not None and not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
    return Waiting(wait=wait, output=output, as_json=as_json, timeout_seconds=timeout)


def dollars(text: str | None) -> str | None:
    """Return an amount as it is sent.

    Raises:
        typer.BadParameter: It is none.
    """
    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not an amount of dollars", param_hint="--max-cost") from None
    return f"{amount:f}"
