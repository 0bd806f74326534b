"""Where the commands print: results on standard output, notes and refusals on standard error."""

import json
import sys
from collections.abc import Container

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED = 10_000


def output() -> Console:
    """Return the console of standard output; where it is no terminal, nothing in a table is cut or folded."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_UNLIMITED)


def errors() -> Console:
    """Return the console of standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def line(console: Console, text: str, style: str = "") -> None:
    """Print one line as it is: nothing in it is taken for markup, and paths and links are never broken."""
    console.print(Text(text, style=style), soft_wrap=True)


def print_json(document: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(*columns: str, folded: Container[str] = ()) -> Table:
    """Return an empty table without lines.

    Args:
        columns: Their heads.
        folded: Those whose texts may take several lines; the others are never broken.
    """
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        is_folded = column in folded
        made.add_column(column, no_wrap=not is_folded, overflow="fold" if is_folded else "ellipsis")
    return made


def print_table(console: Console, table: Table) -> None:
    """Print a table, folded to the width of the terminal."""
    console.print(table, soft_wrap=False)
