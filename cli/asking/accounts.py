"""The commands about the providers: what they can do and how they stand, and an operator's controls of an account."""

from typing import Annotated, Any

import typer

from cli import options
from cli.exits import HELP

app = typer.Typer(help="Show the providers; pause or resume one.")

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Such as runway.")]


@app.callback(invoke_without_command=True, epilog=HELP)
def show(context: typer.Context, as_json: options.Json = False) -> None:
    """Show the providers: how they stand, what their models can do, and what they cost."""
    if context.invoked_subcommand is not None:
        return
    from cli.asking import orders, providers  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(orders.run(lambda client: providers.show(client, as_json)))


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
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it
    from cli.running import standing  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    named = options.account(account)
    raise typer.Exit(orders.run(lambda client: standing.control(client, named, verb, body, as_json)))
