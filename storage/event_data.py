"""How money and failures are written in the data of events: JSON, as users read it."""

from typing import Any

from domain.attempts.failures import Failure, advice_for, is_retryable
from domain.generation import Cost
from domain.money import to_usd


def failed_json(failure: Failure, cost: Cost) -> dict[str, Any]:
    """Return why an attempt failed, and what it costs by now."""
    return {"failure": failure.model_dump(mode="json", exclude_none=True), "cost": cost_json(cost)}


def error_json(failure: Failure) -> dict[str, Any]:
    """Return a failure as users are told it."""
    return {
        "category": failure.category,
        "code": failure.code,
        "message": failure.detail,
        "advice": advice_for(failure.category),
        "retryable": is_retryable(failure.category),
    }


def cost_json(cost: Cost) -> dict[str, str]:
    """Return the three numbers as decimal strings of dollars."""
    return {
        "reserved_usd": to_usd(cost.reserved),
        "settled_usd": to_usd(cost.settled),
        "at_risk_usd": to_usd(cost.at_risk),
    }
