"""The commands with which people and programs come in: `env` for a shell, `login` for a browser."""

import shlex
import sys

import typer

from cli import console, options
from cli.exits import HELP, Exit

app = typer.Typer()


@app.command("env", epilog=HELP)
def show_env() -> None:
    """Print where the service is and with which key, for a shell: eval "$(videoplanet env)"."""
    from cli.address import api_url, key_for  # noqa: PLC0415 - `videoplanet --help` does not wait for it
    from runtime.settings import Settings  # noqa: PLC0415 - the same

    settings = Settings()
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
    from cli.asking import orders  # noqa: PLC0415 - `videoplanet --help` does not wait for it
    from cli.people.login import new_link  # noqa: PLC0415 - the same

    raise typer.Exit(orders.run(lambda client: new_link(client, as_json=as_json)))
