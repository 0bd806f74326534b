"""The commands about the providers: what they can make and for how much, how they stand, and an operator's controls.

What can be made is readable at 80 columns.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import console, options
from cli.asking import session
from cli.asking.standing import health_words
from cli.client import Client, Json
from cli.exits import HELP, Exit

_FROM = {"text_to_video": "text", "image_to_video": "image"}
_UNITS = {"million_tokens": "1M tokens"}
_FROM_WIDTH, _SIZES_WIDTH = 7, 16  # of a terminal: 80 columns are enough

app = typer.Typer(help="Show the providers; pause or resume one.")

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Such as runway.")]


@app.callback(invoke_without_command=True, epilog=HELP)
def show(context: typer.Context, as_json: options.Json = False) -> None:
    """Show the providers: how they stand, what their models can do, and what they cost."""
    if context.invoked_subcommand is not None:
        return
    session.run(lambda client: _show(client, as_json))


@app.command(epilog=HELP)
def pause(
    account: Account,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why: everybody who waits there is told.")],
    as_json: options.Json = False,
) -> None:
    """Send no more orders to an account; what runs there goes on."""
    _control(account, "pause", {"reason": reason}, as_json=as_json)


@app.command(epilog=HELP)
def resume(account: Account, as_json: options.Json = False) -> None:
    """Send orders to an account again."""
    _control(account, "resume", {}, as_json=as_json)


@app.command("reset-breaker", epilog=HELP)
def reset_breaker(account: Account, as_json: options.Json = False) -> None:
    """Forget an account's last failures, and send it orders again at once."""
    _control(account, "reset_breaker", {}, as_json=as_json)


def _control(account: str, verb: str, body: dict[str, Any], *, as_json: bool) -> None:
    named = options.account(account)
    session.run(lambda client: _told(client, named, verb, body, as_json))


async def _told(client: Client, account: str, verb: str, body: Json, as_json: bool) -> Exit:
    """Tell an account something, `pause`, `resume` or `reset_breaker`, and print how it stands then."""
    answer = await client.post(f"/v1/providers/{account}/{verb}", body)
    if as_json:
        console.print_json(answer)
    else:
        console.line(console.output(), f"{answer['name']} ({answer['account']}): {health_words(answer)}")
    return Exit.OK


async def _show(client: Client, as_json: bool) -> Exit:
    """Print the providers."""
    page = await client.get("/v1/providers")
    if as_json:
        console.print_json(page)
    elif not page["data"]:
        console.line(console.output(), "no providers: `videoplanet doctor` says which keys are missing")
    else:
        for provider in page["data"]:
            _print(console.output(), provider)
    return Exit.OK


def _print(output: Console, provider: Json) -> None:
    dates = sorted({str(model["facts_read"]) for model in provider["models"]})
    read = f", facts of {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else ""
    console.line(output, f"{provider['name']} ({provider['id']}), {provider['mode']}{read}", "bold")
    if retired := provider.get("retired"):
        console.line(output, f"  retired since {retired['on']}: {retired['instead']}", "red")
    if health := provider.get("health"):
        console.line(output, f"  {health_words(health)}")
    fits = output.is_terminal
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column, width in (
        ("model", None),
        ("from", _FROM_WIDTH),
        ("seconds", None),
        ("sizes", _SIZES_WIDTH),
        ("price", None),
    ):
        table.add_column(column, width=width if fits else None, no_wrap=column == "model")
    for model in provider["models"]:
        for name, able in _rows(model):
            price = ("\n" if fits else "; ").join(_price(able[0]))
            words = _from(able, needed=model["needs_image"])
            table.add_row(Text(name), words, _seconds(able[0]), Text(_sizes(able[0])), Text(price))
    console.print_table(output, table)
    console.line(output, "")


def _rows(model: Json) -> Iterator[tuple[str, Sequence[Json]]]:
    """Return a model's modes, those together that differ in nothing but the mode."""
    groups: list[list[Json]] = []
    for able in model["modes"]:
        alike = next((group for group in groups if _facts(group[0]) == _facts(able)), None)
        if alike:
            alike.append(able)
        else:
            groups.append([able])
    for index, group in enumerate(groups):
        yield ("" if index else str(model["id"])), group


def _facts(able: Json) -> Json:
    return {name: value for name, value in able.items() if name not in {"mode", "image_required"}}


def _from(able: Sequence[Json], *, needed: bool) -> str:
    words = " or ".join(_FROM.get(mode["mode"], str(mode["mode"])) for mode in able)
    return f"{words} only" if needed else words


def _seconds(able: Json) -> str:
    seconds = [int(one) for one in able["duration_seconds"]]
    if len(seconds) > 1 and seconds == list(range(seconds[0], seconds[-1] + 1)):
        return f"{seconds[0]}-{seconds[-1]}"
    return ", ".join(map(str, seconds))


def _sizes(able: Json) -> str:
    """Return the resolutions and the shapes that each of them has; in pixels where a size has no name."""
    by_shapes: dict[tuple[str, ...], list[str]] = {}
    shapes: dict[str, list[str]] = {}
    for size in able["sizes"]:
        shapes.setdefault(size["resolution"] or size["pixels"], []).append(size["aspect_ratio"])
    for resolution, ratios in shapes.items():
        by_shapes.setdefault(tuple(ratios), []).append(resolution)
    return "; ".join(f"{' '.join(names)}: {' '.join(ratios)}" for ratios, names in by_shapes.items())


def _price(able: Json) -> Iterator[str]:
    price = able["price"]
    yield f"${price['usd']}/{_UNITS.get(price['unit'], price['unit'])}"
    if price.get("silent_usd"):
        yield f"${price['silent_usd']} if silent"
    if price["unit"] != "video":
        yield f"{price['example_seconds']} s: ${float(price['example_usd']):.2f}"
    if not price["is_certain"]:
        yield "uncertain"
