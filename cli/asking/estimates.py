"""The command that tells what a video would cost, and how long it would take, before anything is ordered."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cli import console, options
from cli.asking import session
from cli.asking.images import with_picture
from cli.asking.standing import span
from cli.client import Client, Json
from cli.exits import HELP, Exit
from cli.options import Wishes, given

_CENT = Decimal("0.01")

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
    max_cost: options.MaxCost = None,
    fallback: options.Fallback = None,
    no_fallback: options.NoFallback = False,
    deadline: options.Deadline = None,
    as_json: options.Json = False,
) -> None:
    """Tell what a video would cost at every model, and how long it would take; orders nothing."""
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
    body |= {"params": wishes.params() or None, "max_cost_usd": options.dollars(max_cost)}
    body |= {
        "fallback_providers": options.fallbacks(fallback, none=no_fallback),
        "deadline_seconds": deadline,
    }
    frame = wishes.first_frame()
    file = None if frame is None else frame.file
    session.run(lambda client: _show(client, given(body), file, as_json=as_json))


async def _show(client: Client, body: Json, image: Path | None, *, as_json: bool) -> Exit:
    """Print what every model says; REFUSED where none would serve the request.

    Args:
        client: The service.
        body: The order that is thought about.
        image: A picture that is uploaded first, to be the first frame.
        as_json: Print the answer as it is.
    """
    if image is not None:
        body = await with_picture(client, body, image)
    answer = await client.post("/v1/estimates", body)
    if as_json:
        console.print_json(answer)
    else:
        _print(answer)
    return Exit.OK if any(one["is_possible"] for one in answer["data"]) else Exit.REFUSED


def _print(answer: Json) -> None:
    output = console.output()
    table = console.table("", "model", "price", "time", "", folded={"", "time"})
    for one in answer["data"]:
        place = "" if one["place"] is None else f"{one['place']}."
        style = "bold" if one["is_chosen"] else "" if one["is_possible"] else "dim"
        offer = one["offer"]
        row = (place, one["model"], _price(offer), _time(offer), "; ".join(_notes(one)))
        table.add_row(*(Text(cell, style=style) for cell in row))
    console.print_table(output, table)
    for text in answer["assumed"]:
        console.line(output, text, "dim")
    if answer["mode"] == "sandbox":
        console.line(output, "sandbox: none of this costs real money", "dim")


def _price(offer: Json | None) -> str:
    if offer is None:
        return ""
    return f"${_short(offer['price_usd'])}{'' if offer['price_is_certain'] else ' uncertain'}"


def _time(offer: Json | None) -> str:
    if offer is None:
        return ""
    making = offer["expected_seconds"]
    words = f"{span(making['value'])} {'measured' if making['is_measured'] else 'guessed'}"
    match offer["wait_seconds"]:
        case None:
            return words
        case wait if wait >= 1:
            return f"{words}, after {span(wait)}"
        case _:
            return words


def _notes(one: Json) -> Iterator[str]:
    offer = one["offer"]
    for problem in one["problems"]:
        allowed = ", ".join(str(value) for value in problem.get("allowed") or ())
        yield problem["message"] + (f" (allowed: {allowed})" if allowed else "")
    if offer is None:
        return
    if offer["takes_orders"] != "open":
        yield "paused" if offer["takes_orders"] == "paused" else "left alone after failures"
    if offer["fits_deadline"] is False:
        yield "too late for the deadline"
    if offer["adjustments"]:
        yield f"{len(offer['adjustments'])} adjusted"
    for cheaper in offer["cheaper"][:1]:
        yield f"${_short(cheaper['price_usd'])} with {_changes(cheaper['params'])}"


def _changes(params: Json) -> str:
    """Return what to change: a resolution by its name, an option by name and value."""
    said = [str(value) for name, value in params.items() if name != "extra"]
    said += [f"{name}={str(value).lower()}" for name, value in params.get("extra", {}).items()]
    return " ".join(said)


def _short(usd: str) -> str:
    """Return dollars as people say them: cents, and more only for what is less than a cent."""
    amount = Decimal(usd)
    return f"{amount:.2f}" if amount >= _CENT or not amount else usd
