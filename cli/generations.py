"""The commands about generations. They speak HTTP to a running service and need neither Temporal nor a database."""

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import HELP

if TYPE_CHECKING:  # imported where it runs, so that `videoplanet --help` does not wait for httpx
    from cli.orders import Waiting

app = typer.Typer()

_Id = Annotated[str, typer.Argument(metavar="ID", help="The generation, gen_...")]
_Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document.")]
_Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end, with progress.")]
_Output = Annotated[Path | None, typer.Option("--output", "-o", help="Save the video here; implies --wait.")]
_Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        metavar="SECONDS",
        help="The most that ordering and waiting may take (default: an hour; a service that is away: a minute).",
    ),
]
_Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY", help="Makes repeating this command harmless: the same key is the same order."
    ),
]
_Provider = Annotated[str | None, typer.Option(help="A provider's id, or auto.")]
_Model = Annotated[str | None, typer.Option(help="A model of the provider.")]
_Duration = Annotated[int | None, typer.Option(metavar="SECONDS", help="The length of the video.")]
_AspectRatio = Annotated[str | None, typer.Option(metavar="W:H", help="Such as 16:9.")]
_Resolution = Annotated[str | None, typer.Option(help="480p, 720p, 1080p, 4k or WxH.")]
_ImageUrl = Annotated[str | None, typer.Option(metavar="URL", help="The first frame, an https URL.")]
_Seed = Annotated[int | None, typer.Option(help="The same seed gives a similar picture.")]
_Project = Annotated[str | None, typer.Option(metavar="ID", help="The project it belongs to.")]
_Param = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE", help="Any other parameter; the value is JSON or plain text. Repeatable."
    ),
]


@app.command(epilog=HELP)
def generate(
    prompt: Annotated[str, typer.Argument(help="What the video shows.")],
    *,
    provider: _Provider = None,
    model: _Model = None,
    duration: _Duration = None,
    aspect_ratio: _AspectRatio = None,
    resolution: _Resolution = None,
    image_url: _ImageUrl = None,
    seed: _Seed = None,
    project: _Project = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar="USD", help="The most that all attempts together may cost.")
    ] = None,
    param: _Param = None,
    wait: _Wait = True,
    output: _Output = None,
    timeout: _Timeout = None,
    idempotency_key: _Key = None,
    as_json: _Json = False,
) -> None:
    """Order a video."""
    params = _params(param, duration, aspect_ratio, resolution, image_url, seed)
    body: dict[str, Any] = {"prompt": prompt, "provider": provider, "model": model, "project_id": project}
    body |= {"params": params or None, "max_cost_usd": _dollars(max_cost)}
    _order("/v1/generations", _given(body), _waiting(wait, output, timeout, as_json), idempotency_key)


@app.command(epilog=HELP)
def regenerate(
    generation_id: _Id,
    *,
    prompt: Annotated[str | None, typer.Option(help="Another prompt.")] = None,
    provider: _Provider = None,
    model: _Model = None,
    duration: _Duration = None,
    aspect_ratio: _AspectRatio = None,
    resolution: _Resolution = None,
    image_url: _ImageUrl = None,
    seed: _Seed = None,
    param: _Param = None,
    wait: _Wait = False,
    output: _Output = None,
    timeout: _Timeout = None,
    idempotency_key: _Key = None,
    as_json: _Json = False,
) -> None:
    """Make another take: what is not mentioned is kept, --param NAME=null clears a parameter."""
    params = _params(param, duration, aspect_ratio, resolution, image_url, seed)
    body = _given({"prompt": prompt, "provider": provider, "model": model, "params": params or None})
    path = f"{_path(generation_id)}/regenerate"
    _order(path, body, _waiting(wait, output, timeout, as_json), idempotency_key)


@app.command(epilog=HELP)
def show(
    generation_id: _Id,
    wait: _Wait = False,
    output: _Output = None,
    timeout: _Timeout = None,
    as_json: _Json = False,
) -> None:
    """Show one generation; follow it or fetch its video where asked."""
    from cli import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    waiting = _waiting(wait, output, timeout, as_json)
    _path(generation_id)
    raise typer.Exit(orders.run(lambda client: orders.show(client, generation_id, waiting)))


@app.command("list", epilog=HELP)
def list_(
    status: Annotated[
        str | None, typer.Option(help="pending, processing, completed, failed or cancelled.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    project: _Project = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
    q: Annotated[
        str | None, typer.Option("--q", metavar="WORDS", help="Only where the prompt says this.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """List generations, newest first."""
    from cli import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    query = {"status": status, "provider": provider, "project_id": project, "limit": limit}
    query |= {"cursor": cursor, "q": q}
    raise typer.Exit(orders.run(lambda client: orders.listing(client, query, as_json)))


@app.command(epilog=HELP)
def cancel(
    generation_id: _Id,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    timeout: _Timeout = None,
    idempotency_key: _Key = None,
    as_json: _Json = False,
) -> None:
    """End a generation, and say whether its provider's job could be stopped."""
    from cli import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    waiting = _waiting(False, None, timeout, as_json)
    _path(generation_id)
    raise typer.Exit(
        orders.run(lambda client: orders.cancel(client, generation_id, reason, waiting, idempotency_key))
    )


@app.command(epilog=HELP)
def events(
    generation_id: _Id,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it has ended.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; with --follow one for every event.")
    ] = False,
) -> None:
    """Show what happened to a generation."""
    from cli import event_log, orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    read = event_log.follow if follow else event_log.read
    _path(generation_id)
    raise typer.Exit(orders.run(lambda client: read(client, generation_id, as_json)))


@app.command(epilog=HELP)
def providers(as_json: _Json = False) -> None:
    """Show the providers and what their models can do."""
    from cli import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(orders.run(lambda client: orders.providers(client, as_json)))


def _order(path: str, body: dict[str, Any], waiting: "Waiting", key: str | None) -> None:
    from cli import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(orders.run(lambda client: orders.order(client, path, body, waiting, key)))


def _waiting(wait: bool, output: Path | None, timeout: float | None, as_json: bool) -> "Waiting":
    from cli.orders import Waiting  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    if output is not None and not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
    return Waiting(wait=wait, output=output, as_json=as_json, timeout_seconds=timeout)


def _path(generation_id: str) -> str:
    """Return the generation's path; what is not an id never becomes part of a URL."""
    from domain.ids import is_generation_id  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    if not is_generation_id(generation_id):
        raise typer.BadParameter(f"{generation_id!r} is not the id of a generation", param_hint="ID")
    return f"/v1/generations/{generation_id}"


def _params(
    others: list[str] | None,
    duration: int | None,
    aspect_ratio: str | None,
    resolution: str | None,
    image_url: str | None,
    seed: int | None,
) -> dict[str, Any]:
    named = {
        "duration_seconds": duration,
        "aspect_ratio": aspect_ratio,
        "resolution": resolution,
        "image_url": image_url,
        "seed": seed,
    }
    return _given(named) | dict(_pair(text) for text in others or ())


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--param")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _dollars(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not an amount of dollars", param_hint="--max-cost") from None
    return f"{amount:f}"


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
