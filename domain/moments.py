"""Moments and spans as messages carry them: whole microseconds, moments since 1970 in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
"""In microseconds."""


def micros_of(moment: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return round(moment.timestamp() * SECOND)


def moment_of(micros: int) -> datetime:
    """Return the moment of so many microseconds since 1970, in UTC."""
    return datetime.fromtimestamp(micros / SECOND, UTC)


def micros_in(span: timedelta) -> int:
    """Return how many microseconds a span has."""
    return span // timedelta(microseconds=1)
