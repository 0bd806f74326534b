"""Limits over HTTP: what a caller may not do, and what is used up, said as problems.

402 where money is missing, 429 where waiting helps, 403 where neither does.
"""

import math
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.problems import FieldError, Problem, ProblemDocument
from api.service import Service, now
from domain.orders.plans import Plan
from domain.orders.request import AUTO, GenerationRequest
from domain.people.quota_words import quota_json, refusal
from domain.people.quotas import Ask, Gauge, LimitKind, Refused
from domain.people.tenants import Entitlement
from storage.money import quotas

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDocument, "description": description}
    for status, description in (
        (402, "A budget is used up: see `limit`, `used` and `resets_at`"),
        (403, "The tenant or user may not have this priority or provider"),
        (429, "Too many today, or at once: see `limit`, `used` and `Retry-After`"),
    )
}
"""How routes that order something refuse."""

_CODES = {
    LimitKind.DAILY_GENERATIONS: "too_many_generations",
    LimitKind.DAILY_BUDGET: "over_budget",
    LimitKind.MONTHLY_BUDGET: "over_budget",
    LimitKind.IN_FLIGHT: "too_many_in_flight",
}
_GUESS_SECONDS = 15
"""When to ask again where generations under way are in the way: one of them may be over by then."""


def as_allowed(entitlement: Entitlement, request: GenerationRequest) -> GenerationRequest:
    """Return an order as the caller may have it; a priority that it does not mention is no more than is allowed.

    Raises:
        Problem: It asks for a priority or a provider that the caller may not have.
    """
    if "priority" not in request.model_fields_set:
        request = request.model_copy(update={"priority": entitlement.at_most(request.priority)})
    if request.priority not in entitlement.priorities:
        allowed = [priority.value for priority in entitlement.priorities]
        message = f"may be {allowed[0]} at most"
        field = FieldError(
            pointer="/priority", code="priority_not_allowed", message=message, allowed=list(allowed)
        )
        raise Problem("priority_not_allowed", f"/priority: {message}", [field])
    refuse_providers(entitlement, request)
    return request


def refuse_providers(entitlement: Entitlement, request: GenerationRequest) -> None:
    """Refuse a provider that is named and may not be used.

    Raises:
        Problem: It names one.
    """
    allowed = entitlement.providers
    if allowed is None:
        return
    named = [("/provider", request.provider)] if request.provider != AUTO else []
    if request.fallback_providers != AUTO:
        named += [(f"/fallback_providers/{n}", one) for n, one in enumerate(request.fallback_providers)]
    errors = [
        FieldError(
            pointer=pointer,
            code="provider_not_allowed",
            message=f"{provider} may not be used here",
            allowed=[*([AUTO] if pointer == "/provider" else []), *allowed],
        )
        for pointer, provider in named
        if provider not in allowed
    ]
    if errors:
        raise Problem("provider_not_allowed", f"{errors[0].pointer}: {errors[0].message}", errors)


async def admit(
    service: Service, connection: AsyncConnection, entitlement: Entitlement, plan: Plan, *, joins: bool
) -> tuple[Gauge, ...]:
    """Let an order in, or refuse it; nobody else spends the tenant's money until the transaction ends.

    Args:
        service: Here.
        connection: The transaction that writes the order next.
        entitlement: What the caller may do.
        plan: The preferred plan: what is reserved for it.
        joins: Whether it adds a generation to those that are under way.

    Returns:
        The limits of which the order uses up so much that its owner is to be told.

    Raises:
        Problem: A limit is used up.
    """
    moment = now()
    ask = Ask(price=plan.price, joins=joins)
    decision = await quotas.admit(connection, entitlement, service.settings.mode, ask, moment)
    if isinstance(decision, Refused):
        raise used_up(decision, moment)
    return decision.notices


def used_up(refused: Refused, now: datetime) -> Problem:
    """Return the problem of a limit that is used up."""
    gauge = refused.gauge
    headers = {}
    if refused.fits_later:
        seconds = _GUESS_SECONDS
        if gauge.resets_at is not None:
            seconds = max(1, math.ceil((gauge.resets_at - now).total_seconds()))
        headers["Retry-After"] = str(seconds)
    told = quota_json(gauge)
    more = {"quota": told.pop("kind"), **told}
    return Problem(_CODES[gauge.kind], refusal(refused), headers=headers, more=more)
