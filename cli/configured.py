"""The settings as a command reads them: what nobody can work with ends it, with one line for each variable."""

from typing import TYPE_CHECKING

import typer

from cli import console
from cli.exits import Exit

if TYPE_CHECKING:
    from runtime.settings import Settings


def settings() -> "Settings":
    """Return the settings of the environment.

    Raises:
        typer.Exit: They cannot be used; it is said which, and why.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - `videoplanet --help` does not wait for it

    from runtime.settings import Settings, variable_of  # noqa: PLC0415 - the same

    try:
        return Settings()
    except ValidationError as invalid:
        for error in invalid.errors():
            console.line(console.errors(), f"{variable_of(error['loc'])}: {error['msg']}")
        raise typer.Exit(Exit.REFUSED) from None
