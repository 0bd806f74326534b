"""Estimates as `videoplanet estimate` shows them: what an order would do first, and of the rest why not."""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from rich.table import Table
from rich.text import Text

from cli import console
from cli.asking.orders import PATIENCE_SECONDS, print_json
from cli.client import Client, Json
from cli.exits import Exit

_MINUTES_FROM = 120
_CENT = Decimal("0.01")


async def show(client: Client, body: Json, image: Path | None, *, as_json: bool) -> Exit:
    """Print what every model says; REFUSED where none would serve the request.

    Args:
        client: The service.
        body: The order that is thought about.
        image: A picture that is uploaded first, to be the first frame.
        as_json: Print the answer as it is.
    """
    if image is not None:
        uploaded = await client.upload("/v1/images", image, patience_seconds=PATIENCE_SECONDS)
        body = body | {"params": body.get("params", {}) | {"image_id": uploaded["id"]}}
    answer = await client.post(
        "/v1/estimates", body, key=str(uuid.uuid4()), patience_seconds=PATIENCE_SECONDS
    )
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    return Exit.OK if any(one["is_possible"] for one in answer["data"]) else Exit.REFUSED


def _print(answer: Json) -> None:
    output = console.output()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("", "model", "price", "time", ""):
        table.add_column(column, overflow="fold", no_wrap=column in {"model", "price"})
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
    words = f"{_span(making['value'])} {'measured' if making['is_measured'] else 'guessed'}"
    match offer["wait_seconds"]:
        case None:
            return words
        case wait if wait >= 1:
            return f"{words}, after {_span(wait)}"
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


def _span(seconds: float) -> str:
    if seconds < _MINUTES_FROM:
        return f"{round(seconds)} s"
    return f"{round(seconds / 60)} min"
