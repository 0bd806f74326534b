"""What each account can bear: built-in defaults, the environment, and `providers.toml`, the last one wins."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.gate.tickets import AccountLimits, BreakerLimits
from domain.orders.line_up import LINE_UP, SPACING
from runtime.providers_file import Account, Breaker, accounts_told
from runtime.settings import Settings


def account_limits_of(settings: Settings) -> Mapping[str, AccountLimits]:
    """Return what each account can bear, by account id.

    Raises:
        BadProvidersFile: The file is missing though it was named, or says something that nobody understands.
    """
    told = accounts_told(settings)
    known = sorted(facts.id for facts in LINE_UP)
    return {account: _limits(settings, account, told.get(account, Account())) for account in known}


def _limits(settings: Settings, account: str, told: Account) -> AccountLimits:
    spacing = SPACING[account]
    if settings.spacing_seconds is not None:
        spacing = timedelta(seconds=settings.spacing_seconds)
    if told.spacing_seconds is not None:
        spacing = timedelta(seconds=told.spacing_seconds)
    more: dict[str, Any] = {}
    if told.ageing_seconds is not None:
        more["ageing"] = timedelta(seconds=told.ageing_seconds)
    return AccountLimits(
        max_concurrent=told.max_concurrent or settings.max_concurrent,
        spacing=spacing,
        send_within=settings.limits.send_within,
        job=settings.limits.job,
        breaker=_breaker(told.breaker),
        **more,
    )


def _breaker(told: Breaker) -> BreakerLimits:
    said = told.model_dump(exclude_none=True, exclude={"open_seconds"})
    if told.open_seconds is not None:
        said["open_for"] = timedelta(seconds=told.open_seconds)
    return BreakerLimits(**said)
