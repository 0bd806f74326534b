"""How generations, takes, lists, events and workflows read in a terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from cli.asking.following import video_of
from cli.asking.progress import describe, percent_of
from cli.client import Json
from cli.console import line, print_table, table

_PROMPT_SHOWN = 48
_STYLES = {"completed": "green", "failed": "red", "cancelled": "yellow"}


def generation(console: Console, document: Json, base_url: str) -> None:
    """Print one generation."""
    status = str(document["status"])
    style = _STYLES.get(status, "cyan")
    line(console, f"{document['id']}  {describe(document)}, {percent_of(document)} %", style)
    for name, value in _facts(document, base_url):
        line(console, f"  {name:<9} {value}")
    shown = document.get("takes") or []
    if len(shown) > 1 or any(take.get("kept") or take.get("feedback") for take in shown):
        takes(console, document)


def generations(console: Console, page: Json) -> None:
    """Print a page of a list."""
    rows = table("id", "status", "%", "provider", "cost", "created", "prompt", folded={"prompt"})
    for document in page["data"]:
        status = str(document["status"])
        prompt = str((document.get("request") or {}).get("prompt") or "")
        rows.add_row(
            str(document["id"]),
            Text(status, style=_STYLES.get(status, "cyan")),
            str(percent_of(document)),
            Text(str(document.get("provider") or "")),
            money(document),
            str(document.get("created_at") or "")[:19],
            Text(prompt if len(prompt) <= _PROMPT_SHOWN else prompt[: _PROMPT_SHOWN - 1] + "…"),
        )
    print_table(console, rows)
    if page.get("has_more"):
        line(console, f"more with --cursor {page['next']}")


def event(console: Console, document: Json) -> None:
    """Print one event."""
    line(
        console,
        f"{document['seq']:>4}  {moment(document.get('at'))}  {document['type']:<24} {document.get('message') or ''}",
    )


def takes(console: Console, document: Json) -> None:
    """Print what is to be said of each take."""
    for take in document.get("takes") or []:
        line(console, f"  take {take['number']:<4} {', '.join(_words_of(take))}")


def adjustments(console: Console, document: Json) -> None:
    """Print in what the newest take differs from what was asked for."""
    for take in (document.get("takes") or [])[-1:]:
        for adjustment in take.get("adjustments") or ():
            line(console, f"  adjusted: {adjustment['message']}", "yellow")


def workflow(console: Console, document: Json) -> None:
    """Print what a workflow says of itself."""
    line(console, f"{document['workflow_id']}  {document['status']}")
    view = document.get("view") or {}
    for name, value in (
        ("run", document["run_id"]),
        ("since", moment(document["started_at"])),
        ("until", moment(document.get("closed_at"))),
        ("events", document["history_events"]),
        ("doing", view.get("doing") or "no worker answers for it now"),
        ("job", view.get("job_id")),
        ("Temporal", document["temporal_url"]),
    ):
        if value not in {None, ""}:
            line(console, f"  {name:<9} {value}")
    for told in view.get("story") or ():
        line(console, f"  - {told}")


def moment(text: str | None) -> str:
    """Return a moment of the API to the second, in UTC as it came; nothing for none."""
    return (text or "")[:19].replace("T", " ")


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


def _words_of(take: Json) -> Iterator[str]:
    yield str(take["status"])
    if take.get("superseded_by"):
        yield f"replaced by take {take['superseded_by']}"
    if cancel := take.get("cancel"):
        yield cancel_words(cancel)
    if take.get("kept"):
        yield "kept"
    if feedback := take.get("feedback"):
        comment = f": {feedback['comment']}" if feedback.get("comment") else ""
        reasons = f" ({', '.join(feedback['reasons'])})" if feedback.get("reasons") else ""
        yield f"rated {feedback['rating']} of 5{reasons}{comment}"


def cancel_words(cancel: Json) -> str:
    """Return what came of a cancel."""
    outcome = str(cancel.get("outcome") or "asked for").replace("_", " ")
    billed = {"True": ", billed", "False": ", not billed"}.get(str(cancel.get("billed")), "")
    return f"cancel {outcome}{billed}"
