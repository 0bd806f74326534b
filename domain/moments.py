"""Moments as messages carry them: whole microseconds since 1970, in UTC."""

from datetime import UTC, datetime

_MICROS = 1_000_000


def micros_of(moment: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return round(moment.timestamp() * _MICROS)


def moment_of(micros: int) -> datetime:
    """Return the moment of so many microseconds since 1970, in UTC."""
    return datetime.fromtimestamp(micros / _MICROS, UTC)
