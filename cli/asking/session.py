"""One command's talk with the service: every way it can end becomes lines for a person and an exit code."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import typer

from cli import configured, console
from cli.client import Client, Refused, Unreachable
from cli.exits import Exit, Stop
from cli.problems import exit_of, lines_of, lines_of_absence


def run(task: Callable[[Client], Awaitable[Exit]]) -> NoReturn:
    """Do what a command does, and end with its exit code.

    Raises:
        typer.Exit: Always.
    """
    raise typer.Exit(_ended(task))


def _ended(task: Callable[[Client], Awaitable[Exit]]) -> Exit:
    from cli.address import api_url, key_for  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    errors = console.errors()
    settings = configured.settings()
    url = api_url(settings)

    async def connected() -> Exit:
        def note(text: str) -> None:
            console.line(errors, text, "yellow")

        async with Client(url, key_for(settings, url), note) as client:
            return await task(client)

    try:
        return asyncio.run(connected())
    except Refused as refused:
        for text in lines_of(refused):
            console.line(errors, text)
        return exit_of(refused)
    except Unreachable as away:
        for text in lines_of_absence(away):
            console.line(errors, text)
        return Exit.UNREACHABLE
    except Stop as stop:
        console.line(errors, str(stop))
        return stop.code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
