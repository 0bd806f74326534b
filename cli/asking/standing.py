"""How an account stands, in words, and how moments and times are said."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cli.client import Json

STATES = {
    "open": ("open", "green"),
    "paused": ("paused", "yellow"),
    "breaker_open": ("left alone", "red"),
    "half_open": ("being tried", "yellow"),
    "unknown": ("does not answer", "red"),
}
"""What the states of an account are called, and their colours."""

_MINUTES_FROM = 120
_TENTHS_BELOW = 10


def health_words(health: Json) -> str:
    """Return how an account stands, in one line."""
    words = [STATES.get(health["state"], (health["state"], ""))[0], *notes(health)]
    words.append(f"{health['running']} of {health['max_concurrent']} running, {health['waiting']} waiting")
    if health["job_seconds"] is not None:
        words.append(f"a job takes {span(health['job_seconds'])}")
    return "; ".join(words)


def notes(account: Json) -> Iterator[str]:
    """Return why an account stands as it does: who paused it, and until when it is left alone."""
    if account["pause_reason"]:
        yield str(account["pause_reason"])
    breaker = account["breaker"]
    if breaker["state"] == "open":
        cause = f" after {breaker['cause']}" if breaker["cause"] else ""
        yield (
            f"no orders{cause} until {_clock(breaker['until'])}" if breaker["until"] else f"no orders{cause}"
        )
    if account["hold_off_until"]:
        yield f"asked everybody to wait until {_clock(account['hold_off_until'])}"


def when(moment: str) -> str:
    """Return a moment to come as `in 12 s`, and one that has passed as `now`."""
    left = _moment(moment) - datetime.now(UTC)
    return f"in {span(left.total_seconds())}" if left > timedelta() else "now"


def span(seconds: float) -> str:
    """Return a time in words, as exact as one needs it."""
    if seconds < _MINUTES_FROM:
        return f"{seconds:.1f} s" if seconds < _TENTHS_BELOW and seconds % 1 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _clock(moment: str) -> str:
    return f"{_moment(moment).astimezone():%H:%M:%S}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
