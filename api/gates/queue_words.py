"""Why something waits, as a sentence for a person."""

from datetime import datetime, timedelta

from domain.attempts.failures import Category
from domain.gate.status import GateStatus, WaitReason
from domain.gate.tickets import BreakerState
from domain.moments import moment_of
from domain.orders.line_up import name_of

_MINUTES_FROM = timedelta(seconds=120)


def why(status: GateStatus, reason: WaitReason, now: datetime) -> str:
    """Return why a ticket waits at its account.

    Args:
        status: How the account's gate stands.
        reason: The gate's own word.
        now: The time, for spans.
    """
    name = name_of(status.account)
    match reason:
        case WaitReason.PAUSED:
            return paused(name, status.pause_reason)
        case WaitReason.TENANT_PAUSED:
            return "You have paused your queue; it waits until you resume it."
        case WaitReason.BREAKER:
            return _broken(name, status, now)
        case WaitReason.HOLD_OFF:
            return f"{name} asked everybody to wait{_until(status.hold_off_until, now)}."
        case WaitReason.SPACING:
            seconds = status.limits.spacing.total_seconds()
            return (
                f"{name} is sent one order every {seconds:g} s; the next one goes{_at(status.turn_at, now)}."
            )
        case WaitReason.CAP:
            return _full(name, status, now)


def paused(name: str, reason: str | None) -> str:
    """Return that an account is paused, and why."""
    if not reason:
        return f"{name} is paused by the operator."
    return f"{name} is paused by the operator: {reason}" + ("" if reason[-1] in ".!?" else ".")


def _broken(name: str, status: GateStatus, now: datetime) -> str:
    fault = {
        Category.AUTH: "did not accept the service's key",
        Category.QUOTA: "is out of credit",
    }.get(status.breaker.cause or Category.SERVER_ERROR, "has failed too often just now")
    if status.breaker.state is BreakerState.HALF_OPEN:
        return f"{name} {fault}; a single order is trying whether it works again."
    return f"{name} {fault} and is left alone{_until(status.breaker.until, now)}."


def _full(name: str, status: GateStatus, now: datetime) -> str:
    most = status.limits.max_concurrent
    if len(status.leases) < most:
        return f"The next order goes to {name}{_at(status.turn_at, now)}."
    return f"The only place at {name} is taken." if most == 1 else f"All {most} places at {name} are taken."


def _at(moment: int | None, now: datetime) -> str:
    return (
        " in a moment"
        if moment is None or moment_of(moment) <= now
        else f" in {span(moment_of(moment) - now)}"
    )


def _until(moment: int | None, now: datetime) -> str:
    return (
        "" if moment is None or moment_of(moment) <= now else f" for another {span(moment_of(moment) - now)}"
    )


def span(wait: timedelta) -> str:
    """Return a time to wait in words, rounded up."""
    seconds = max(1, -(-wait // timedelta(seconds=1)))
    return f"{seconds} s" if wait < _MINUTES_FROM else f"{-(-seconds // 60)} min"
