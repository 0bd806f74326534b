"""The commands with which people and programs come in: `env` for a shell, `login` for a browser."""

import shlex
import sys

import typer

from cli import configured, console, options
from cli.asking import session
from cli.client import Client
from cli.exits import HELP, Exit

_PATIENCE_SECONDS = 10.0

app = typer.Typer()


@app.command("env", epilog=HELP)
def show_env() -> None:
    """Print where the service is and with which key, for a shell: eval "$(videoplanet env)"."""
    from cli.address import api_url, key_for  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    settings = configured.settings()
    url = api_url(settings)
    key = key_for(settings, url)
    said = [f"export VIDEOPLANET_URL={shlex.quote(url)}"]
    said += [] if key is None else [f"export VIDEOPLANET_KEY={shlex.quote(key)}"]
    sys.stdout.write("\n".join(said) + "\n")
    if key is None:
        words = f"no key in {settings.data_dir}: `videoplanet up` makes one, `videoplanet keys create` others"
        console.line(console.errors(), words, "yellow")
    raise typer.Exit(Exit.OK)


@app.command(epilog=HELP)
def login(as_json: options.Json = False) -> None:
    """Print a link that logs one browser in, once, within an hour."""
    session.run(lambda client: _new_link(client, as_json=as_json))


async def link(client: Client) -> str:
    """Return the address that logs one browser in, once.

    Raises:
        Refused: The key is not good.
        Unreachable: No answer.
    """
    made = await client.post("/v1/login-links", {}, patience_seconds=_PATIENCE_SECONDS)
    return str(made["url"])


async def _new_link(client: Client, *, as_json: bool) -> Exit:
    url = await link(client)
    if as_json:
        console.print_json({"url": url})
    else:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
    return Exit.OK
