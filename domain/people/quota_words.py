"""Limits as people and programs read them."""

from datetime import UTC, datetime
from typing import Any

from domain.money import to_usd
from domain.people.quotas import Gauge, LimitKind, Refused, Whose

_NAMES = {
    LimitKind.DAILY_GENERATIONS: "daily number of generations",
    LimitKind.DAILY_BUDGET: "daily budget",
    LimitKind.MONTHLY_BUDGET: "monthly budget",
    LimitKind.IN_FLIGHT: "number of generations under way at once",
}
_OWNERS = {Whose.TENANT: "The tenant's", Whose.USER: "The user's"}


def quota_json(gauge: Gauge) -> dict[str, Any]:
    """Return a limit as JSON: counts are numbers, money is a decimal string of US dollars."""
    return {
        "kind": gauge.kind.value,
        "whose": gauge.whose.value,
        "limit": _plain(gauge, gauge.limit),
        "used": _plain(gauge, gauge.used),
        "resets_at": None if gauge.resets_at is None else gauge.resets_at.isoformat().replace("+00:00", "Z"),
    }


def notice(gauge: Gauge) -> str:
    """Return the sentence that tells of a limit which is nearly used up."""
    return f"{_name(gauge)} is used up to {_told(gauge, gauge.used)} of {_told(gauge, gauge.limit)}{_anew(gauge)}."


def refusal(refused: Refused) -> str:
    """Return the sentence that tells why an order does not fit, and what would help."""
    gauge = refused.gauge
    limit, used = _told(gauge, gauge.limit), _told(gauge, gauge.used)
    if gauge.kind is LimitKind.IN_FLIGHT:
        return f"{_name(gauge)} is {limit}, and {used} are: wait until one is over, or cancel one."
    if not gauge.kind.is_money:
        return f"{_name(gauge)} is {limit}, and {used} were ordered{_anew(gauge)}."
    needed = _told(gauge, refused.needed)
    if not refused.fits_later:
        return f"{_name(gauge)} is {limit}, and this video alone costs {needed}: choose a cheaper one."
    left = _told(gauge, gauge.left)
    return f"{_name(gauge)} of {limit} has {left} left, and this video costs {needed}{_anew(gauge)}."


def _name(gauge: Gauge) -> str:
    return f"{_OWNERS[gauge.whose]} {_NAMES[gauge.kind]}"


def _anew(gauge: Gauge) -> str:
    return "" if gauge.resets_at is None else f"; it begins anew at {_moment(gauge.resets_at)}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _told(gauge: Gauge, amount: int) -> str:
    return f"${to_usd(amount)}" if gauge.kind.is_money else str(amount)


def _plain(gauge: Gauge, amount: int) -> int | str:
    return to_usd(amount) if gauge.kind.is_money else amount
