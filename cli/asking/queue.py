"""The commands about the queue: look at it, pause one's own part of it, and go on."""

from typing import Annotated

import typer

from cli import options
from cli.exits import HELP

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
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it
    from cli.running import standing  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(orders.run(lambda client: standing.show_queue(client, limit, cursor, as_json)))


@app.command(epilog=HELP)
def pause(as_json: options.Json = False) -> None:
    """Let none of your waiting generations begin; what runs goes on."""
    _pause(paused=True, as_json=as_json)


@app.command(epilog=HELP)
def resume(as_json: options.Json = False) -> None:
    """Let your waiting generations begin again."""
    _pause(paused=False, as_json=as_json)


def _pause(*, paused: bool, as_json: bool) -> None:
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it
    from cli.running import standing  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(orders.run(lambda client: standing.pause_queue(client, paused=paused, as_json=as_json)))
