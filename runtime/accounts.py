"""Which provider accounts this deployment has: the sandbox's, or those with real keys; never both."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import SecretStr

from domain.generation import DeploymentMode
from domain.line_up import LINE_UP, RUNWAY, SEEDANCE, STABLE_VIDEO
from domain.money import from_usd
from providers.registry import SANDBOX_KEY, SANDBOX_LISTING_DELAY, SANDBOX_POLL, Access
from runtime.settings import Settings

STABILITY_HOSTED = "https://api.stability.ai"
"""Where Stable Video was hosted until 2025-07-24."""


def access_of(settings: Settings) -> Mapping[str, Access]:
    """Return how each account is reached, by account id."""
    if settings.mode is DeploymentMode.SANDBOX:
        return {facts.id: _sandbox(settings) for facts in LINE_UP}
    return {account: how for account, how in _live(settings).items() if how is not None}


def _sandbox(settings: Settings) -> Access:
    return Access(
        base_url=settings.effective_sandbox_url,
        api_key=SANDBOX_KEY,
        poll_interval=_poll(settings) or SANDBOX_POLL,
        listing_delay=SANDBOX_LISTING_DELAY,
    )


def _live(settings: Settings) -> Mapping[str, Access | None]:
    own_server = settings.stability_base_url
    return {
        RUNWAY.id: _with_key(settings, settings.runway_api_key, settings.runway_base_url),
        SEEDANCE.id: _with_key(settings, settings.seedance_api_key, settings.seedance_base_url),
        STABLE_VIDEO.id: (
            _with_key(settings, settings.stability_api_key, STABILITY_HOSTED, is_retired=True)
            if own_server is None
            else _own_server(settings, own_server)
        ),
    }


def _own_server(settings: Settings, base_url: str) -> Access:
    """A server of one's own may need no key, and nobody bills what it makes."""
    key = settings.stability_api_key or SecretStr("")
    return Access(
        base_url=base_url,
        api_key=key.get_secret_value(),
        poll_interval=_poll(settings),
        price=from_usd(settings.stability_price_usd),
    )


def _with_key(
    settings: Settings, key: SecretStr | None, base_url: str, *, is_retired: bool = False
) -> Access | None:
    if key is None:
        return None
    return Access(
        base_url=base_url,
        api_key=key.get_secret_value(),
        poll_interval=_poll(settings),
        is_retired=is_retired,
    )


def _poll(settings: Settings) -> timedelta | None:
    return None if settings.poll_seconds is None else timedelta(seconds=settings.poll_seconds)
