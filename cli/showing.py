"""How generations, lists, events and providers read in a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.client import Json
from cli.console import line, print_table
from cli.following import video_of
from cli.progress import describe, percent_of

_PROMPT_SHOWN = 48
_STYLES = {"completed": "green", "failed": "red", "cancelled": "yellow"}


def generation(console: Console, document: Json, base_url: str) -> None:
    """Print one generation."""
    status = str(document["status"])
    style = _STYLES.get(status, "cyan")
    line(console, f"{document['id']}  {describe(document)}, {percent_of(document)} %", style)
    for name, value in _facts(document, base_url):
        line(console, f"  {name:<9} {value}")


def generations(console: Console, page: Json) -> None:
    """Print a page of a list."""
    table = _table("id", "status", "%", "provider", "cost", "created", "prompt")
    for document in page["data"]:
        status = str(document["status"])
        prompt = str((document.get("request") or {}).get("prompt") or "")
        table.add_row(
            str(document["id"]),
            Text(status, style=_STYLES.get(status, "cyan")),
            str(percent_of(document)),
            Text(str(document.get("provider") or "")),
            money(document),
            str(document.get("created_at") or "")[:19],
            Text(prompt if len(prompt) <= _PROMPT_SHOWN else prompt[: _PROMPT_SHOWN - 1] + "…"),
        )
    print_table(console, table)
    if page.get("has_more"):
        line(console, f"more with --cursor {page['next']}")


def event(console: Console, document: Json) -> None:
    """Print one event."""
    at = str(document.get("at") or "")[:19].replace("T", " ")
    line(console, f"{document['seq']:>4}  {at}  {document['type']:<24} {document.get('message') or ''}")


def providers(console: Console, page: Json) -> None:
    """Print what providers there are and what their models can do."""
    table = _table("provider", "model", "mode", "seconds", "sizes", "US dollars a second")
    for provider in page["data"]:
        for model in provider["models"]:
            for able in model["modes"]:
                table.add_row(
                    str(provider["id"]),
                    str(model["id"]),
                    str(able["mode"]),
                    ", ".join(str(seconds) for seconds in able["duration_seconds"]),
                    ", ".join(able["resolutions"]),
                    str(able["price_usd_per_second"]),
                )
    print_table(console, table)


def money(document: Json) -> str:
    """Return what a generation costs: what is billed, and what else may be owed."""
    cost = document.get("cost") or {}
    words = [f"${cost.get('settled_usd', '0.00')}"]
    if float(cost.get("reserved_usd") or 0):
        words.append(f"{cost['reserved_usd']} reserved")
    if float(cost.get("at_risk_usd") or 0):
        words.append(f"{cost['at_risk_usd']} at risk")
    return ", ".join(words)


def real_money(document: Json) -> str:
    """Return what a generation costs in real money; pretend money is said to be none."""
    if document.get("mode") == "sandbox":
        return f"sandbox, $0.00 real (a real provider: {money(document)})"
    return money(document)


def link(base_url: str, url: str) -> str:
    """Return a link of the API as one that can be clicked."""
    return url if "://" in url else f"{base_url.rstrip('/')}{url}"


def _facts(document: Json, base_url: str) -> Iterator[tuple[str, str]]:
    request = document.get("request") or {}
    yield "prompt", str(request.get("prompt") or "")
    yield "provider", " ".join(str(document[key]) for key in ("provider", "model") if document.get(key))
    takes = document.get("takes") or []
    yield "take", f"{len(takes)}, attempts: {sum(len(take.get('attempts') or ()) for take in takes)}"
    yield "cost", real_money(document)
    if video := video_of(document):
        size = f"{video.get('width')}x{video.get('height')}"
        yield "video", f"{link(base_url, str(video['url']))}  {video.get('duration_seconds')} s, {size}"
    if error := document.get("error"):
        yield "error", f"{error.get('category')}: {error.get('message')}"
        if error.get("advice"):
            yield "advice", str(error["advice"])
    if temporal := (document.get("links") or {}).get("temporal"):
        yield "Temporal", str(temporal)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column not in {"sizes", "seconds", "prompt"})
    return table
