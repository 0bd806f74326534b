"""The `videoplanet` command: runs the parts, looks after them, and orders videos over HTTP."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from cli import configured
from cli.asking import estimates, generations, images, orders, providers, queue, takes, usage
from cli.exits import HELP, Exit
from cli.people import entry, keys

app = typer.Typer(
    help="VideoPlanet: durable video generation through AI providers.",
    epilog=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(orders.app)
app.add_typer(generations.app)
app.add_typer(estimates.app)
app.add_typer(takes.app)
app.add_typer(images.app, name="images")
app.add_typer(providers.app, name="providers")
app.add_typer(queue.app, name="queue")
app.add_typer(usage.app)
app.add_typer(keys.app, name="keys")
app.add_typer(entry.app)


@app.command(epilog=HELP)
def up(
    once: Annotated[bool, typer.Option("--once", help="Stop after the first video.")] = False,
    prompt: Annotated[str | None, typer.Option(help="What the first video shows.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Real providers and real money; needs their keys.")
    ] = False,
    grace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long the parts may take to stop.")
    ] = 10.0,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="The most that the first video may take.")
    ] = 1800.0,
) -> None:
    """Start everything, make one video, and serve until Ctrl-C."""
    from cli.running.up import Options, run  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    options = Options(once=once, prompt=prompt, grace_seconds=grace, timeout_seconds=timeout)
    settings = configured.settings()
    if live:
        from domain.generation import DeploymentMode  # noqa: PLC0415 - `videoplanet --help` does not wait for it

        settings = settings.model_copy(update={"mode": DeploymentMode.LIVE})
    raise typer.Exit(run(options, settings, os.environ))


@app.command(epilog=HELP)
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON document.")] = False,
) -> None:
    """Look for what keeps VideoPlanet from running here, and say what to do."""
    from cli.doctor.examination import run  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    raise typer.Exit(run(configured.settings(), os.environ, as_json=as_json))


@app.command()
def worker() -> None:
    """Run one worker process: does the work that Temporal hands out."""
    from worker import main as run  # noqa: PLC0415 - only this command needs it

    configured.settings()  # what is wrong with them is said here; the process reads them itself
    _run_and_leave(run)


@app.command()
def api() -> None:
    """Run the HTTP API and the page."""
    from api.server import main as run  # noqa: PLC0415 - only this command needs it

    configured.settings()  # the same as for a worker
    _run_and_leave(run)


@app.command()
def migrate(
    operator_key: Annotated[
        bool,
        typer.Option(
            "--operator-key", help="Then make the operator's key in the data folder, if it has none."
        ),
    ] = False,
) -> None:
    """Bring the database to the state that this version needs."""
    from cli.running import operator_key as key  # noqa: PLC0415 - only this command needs it
    from runtime.migrate import migrate as run  # noqa: PLC0415 - the same

    settings = configured.settings()

    async def work() -> None:
        await run(settings)
        if operator_key:
            await key.ensure(settings)

    _run_and_leave(lambda: asyncio.run(work()))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
)
def sandbox(context: typer.Context) -> None:
    """Run the pretend providers; --help shows their options."""
    from sandbox.server import main as run  # noqa: PLC0415 - only this command needs it

    run(context.args)


def main() -> None:
    """Run the command line."""
    app(prog_name="videoplanet")


def _run_and_leave(run: Callable[[], object]) -> NoReturn:
    """Run a process that uses temporalio and leave without the interpreter's own ending, which it can abort.

    Its native threads may still call into Python while the interpreter is being taken down.
    """
    code = 0
    try:
        result = run()
        code = result if isinstance(result, int) else 0
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it was is shown, and the process ends
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
