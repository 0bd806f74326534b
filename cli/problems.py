"""How a refusal of the service reads in a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.client import Refused, Unreachable
from cli.exits import Exit


def lines_of(refused: Refused) -> Iterator[str]:
    """Return the lines that say what was refused, where, and what would be right."""
    problem = refused.problem
    title = problem.get("title") or "refused"
    yield f"{title} (HTTP {refused.status})"
    errors = [error for error in problem.get("errors") or () if isinstance(error, Mapping)]
    for error in errors:
        yield from _lines_of_error(error)
    detail = problem.get("detail")
    if detail and detail != title and not errors:
        yield f"  {detail}"
    if problem.get("request_id"):
        yield f"  request {problem['request_id']}"


def lines_of_absence(away: Unreachable) -> Iterator[str]:
    """Return the lines that say that nobody answers, and what to do."""
    yield str(away)
    yield "  start it with `videoplanet up`, or set VIDEOPLANET_URL to where it is; `videoplanet doctor` looks closer"


def exit_of(refused: Refused) -> Exit:
    """Return the exit code of a refusal: whose fault it is."""
    return Exit.REFUSED if refused.is_the_callers else Exit.UNREACHABLE


def _lines_of_error(error: Mapping[str, Any]) -> Iterator[str]:
    pointer = str(error.get("pointer") or "").strip()
    message = str(error.get("message") or error.get("code") or "is wrong")
    yield f"  {pointer}: {message}" if pointer else f"  {message}"
    for key, words in (("allowed", "allowed"), ("served_by", "served by")):
        if error.get(key):
            yield f"      {words}: {', '.join(str(value) for value in error[key])}"
