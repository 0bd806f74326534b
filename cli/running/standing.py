"""How the queue and the accounts stand, as a terminal shows it, and pausing them."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import console
from cli.asking.orders import PATIENCE_SECONDS, print_json
from cli.asking.progress import STAGES
from cli.client import Client, Json
from cli.exits import Exit

_STATES = {
    "open": ("open", "green"),
    "paused": ("paused", "yellow"),
    "breaker_open": ("left alone", "red"),
    "half_open": ("being tried", "yellow"),
    "unknown": ("does not answer", "red"),
}
_MINUTES_FROM = 120
_TENTHS_BELOW = 10


async def show_queue(client: Client, limit: int, cursor: str | None, as_json: bool) -> Exit:
    """Print the queue."""
    return _print_queue(await client.get("/v1/queue", {"limit": limit, "cursor": cursor}), as_json)


async def pause_queue(client: Client, *, paused: bool, as_json: bool) -> Exit:
    """Pause or resume one's own part of the queue, and print it."""
    path = f"/v1/queue/{'pause' if paused else 'resume'}"
    return _print_queue(await _say(client, path, {}), as_json)


async def control(client: Client, account: str, verb: str, body: Json, as_json: bool) -> Exit:
    """Tell an account something as an operator, and print how it stands then.

    Args:
        client: The service.
        account: Which.
        verb: `pause`, `resume` or `reset_breaker`.
        body: What goes with it.
        as_json: Print the answer as it is.
    """
    answer = await _say(client, f"/v1/providers/{account}/{verb}", body)
    if as_json:
        print_json(answer)
    else:
        console.line(console.output(), f"{answer['name']} ({answer['account']}): {health_words(answer)}")
    return Exit.OK


async def _say(client: Client, path: str, body: Json) -> Json:
    return await client.post(path, body, key=str(uuid.uuid4()), patience_seconds=PATIENCE_SECONDS)


def _print_queue(page: Json, as_json: bool) -> Exit:
    output = console.output()
    if as_json:
        print_json(page)
        return Exit.OK
    if page["paused"]:
        console.line(output, "your queue is paused: `videoplanet queue resume` goes on", "yellow")
    _print_accounts(output, page["accounts"])
    processing = page["processing"]
    if processing:
        console.line(output, f"\nin the making: {page['processing_count']}", "bold")
        _print_processing(output, processing)
    if page["waiting"]:
        console.line(output, f"\nwaiting: {page['waiting_count']}", "bold")
        _print_waiting(output, page["waiting"])
    if page["has_more"]:
        console.line(output, f"more with --cursor {page['next']}")
    if not processing and not page["waiting"]:
        console.line(output, "\nnothing of yours is waiting or in the making")
    return Exit.OK


def _print_accounts(output: Console, accounts: list[Json]) -> None:
    table = _table("account", "state", "running", "waiting", "a job takes", "")
    for account in accounts:
        words, style = _STATES.get(account["state"], (account["state"], ""))
        seconds = account["job_seconds"]
        table.add_row(
            account["account"],
            Text(words, style=style),
            f"{account['running']} of {account['max_concurrent']}",
            str(account["waiting"]),
            "" if seconds is None else span(seconds),
            Text("; ".join(_notes(account))),
        )
    console.print_table(output, table)


def _print_processing(output: Console, generations: list[Json]) -> None:
    table = _table("id", "provider", "%", "left", "")
    for generation in generations:
        left = generation["eta_seconds"]
        table.add_row(
            generation["id"],
            generation["provider"],
            str(generation["progress"]["percent"]),
            "" if left is None else span(left),
            STAGES.get(generation["stage"], generation["stage"]),
        )
    console.print_table(output, table)


def _print_waiting(output: Console, generations: list[Json]) -> None:
    table = _table("id", "place", "ETA", "")
    for generation in generations:
        place = generation["queue"] or {}
        eta = place.get("eta_seconds")
        table.add_row(
            generation["id"],
            f"{place['position']} of {place['of']}" if place else "",
            "" if eta is None else span(eta),
            Text(_why(generation)),
        )
    console.print_table(output, table)


def _why(generation: Json) -> str:
    if generation["queue"]:
        return str(generation["queue"]["message"])
    if generation["retry_at"]:
        return f"The next attempt at {generation['provider']} begins {when(generation['retry_at'])}."
    return STAGES.get(generation["stage"], str(generation["stage"]))


def health_words(health: Json) -> str:
    """Return how an account stands, in one line."""
    words = [_STATES.get(health["state"], (health["state"], ""))[0], *_notes(health)]
    words.append(f"{health['running']} of {health['max_concurrent']} running, {health['waiting']} waiting")
    if health["job_seconds"] is not None:
        words.append(f"a job takes {span(health['job_seconds'])}")
    return "; ".join(words)


def _notes(account: Json) -> Iterator[str]:
    if account["pause_reason"]:
        yield str(account["pause_reason"])
    breaker = account["breaker"]
    if breaker["state"] == "open":
        cause = f" after {breaker['cause']}" if breaker["cause"] else ""
        yield (
            f"no orders{cause} until {_clock(breaker['until'])}" if breaker["until"] else f"no orders{cause}"
        )
    if account["hold_off_until"]:
        yield f"asked everybody to wait until {_clock(account['hold_off_until'])}"


def when(moment: str) -> str:
    """Return a moment to come as `in 12 s`, and one that has passed as `now`."""
    left = _moment(moment) - datetime.now(UTC)
    return f"in {span(left.total_seconds())}" if left > timedelta() else "now"


def span(seconds: float) -> str:
    """Return a time in words, as exact as one needs it."""
    if seconds < _MINUTES_FROM:
        return f"{seconds:.1f} s" if seconds < _TENTHS_BELOW and seconds % 1 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _clock(moment: str) -> str:
    return f"{_moment(moment).astimezone():%H:%M:%S}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=bool(column))
    return table
