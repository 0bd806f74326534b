"""The commands about the queue: look at it, pause one's own part of it, and go on."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli import console, options
from cli.asking import session
from cli.asking.progress import STAGES
from cli.asking.standing import STATES, notes, span, when
from cli.client import Client, Json
from cli.exits import HELP, Exit

app = typer.Typer(help="Show the queue: the accounts, and what is yours in it.")


@app.callback(invoke_without_command=True, epilog=HELP)
def show(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many that wait.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
    as_json: options.Json = False,
) -> None:
    """Show the queue: how the accounts stand, what is in the making, what waits, for what, and for how long."""
    if context.invoked_subcommand is not None:
        return
    session.run(lambda client: _show(client, limit, cursor, as_json))


@app.command(epilog=HELP)
def pause(as_json: options.Json = False) -> None:
    """Let none of your waiting generations begin; what runs goes on."""
    _pause(paused=True, as_json=as_json)


@app.command(epilog=HELP)
def resume(as_json: options.Json = False) -> None:
    """Let your waiting generations begin again."""
    _pause(paused=False, as_json=as_json)


def _pause(*, paused: bool, as_json: bool) -> None:
    session.run(lambda client: _say(client, paused=paused, as_json=as_json))


async def _show(client: Client, limit: int, cursor: str | None, as_json: bool) -> Exit:
    return _print(await client.get("/v1/queue", {"limit": limit, "cursor": cursor}), as_json)


async def _say(client: Client, *, paused: bool, as_json: bool) -> Exit:
    return _print(await client.post(f"/v1/queue/{'pause' if paused else 'resume'}", {}), as_json)


def _print(page: Json, as_json: bool) -> Exit:
    output = console.output()
    if as_json:
        console.print_json(page)
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
    table = console.table("account", "state", "running", "waiting", "a job takes", "", folded={""})
    for account in accounts:
        words, style = STATES.get(account["state"], (account["state"], ""))
        seconds = account["job_seconds"]
        table.add_row(
            account["account"],
            Text(words, style=style),
            f"{account['running']} of {account['max_concurrent']}",
            str(account["waiting"]),
            "" if seconds is None else span(seconds),
            Text("; ".join(notes(account))),
        )
    console.print_table(output, table)


def _print_processing(output: Console, generations: list[Json]) -> None:
    table = console.table("id", "provider", "%", "left", "", folded={""})
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
    table = console.table("id", "place", "ETA", "", folded={""})
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
