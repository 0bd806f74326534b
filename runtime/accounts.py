"""Which provider accounts this deployment has: the sandbox's, or those with real keys; never both.

Every model of theirs has a price. What a server of one's own costs nobody else can know: who has one says it, even
where it is nothing.
"""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import SecretStr

from domain.costs.prices import ModelPrice, PerVideo
from domain.generation import DeploymentMode
from domain.money import from_usd
from domain.orders.line_up import LINE_UP
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.line_up.stable_video import STABLE_VIDEO
from providers.registry import SANDBOX_KEY, SANDBOX_LISTING_DELAY, SANDBOX_POLL, Access
from runtime.misconfigured import Misconfigured
from runtime.providers_file import prices_of
from runtime.settings import Settings

Prices = Mapping[str, ModelPrice]
"""By model; see `Access`."""

STABILITY_HOSTED = "https://api.stability.ai"
"""Where Stable Video was hosted until 2025-07-24."""


def access_of(settings: Settings) -> Mapping[str, Access]:
    """Return how each account is reached, by account id.

    Raises:
        BadProvidersFile: `providers.toml` says something that nobody understands.
        NoPrice: Nobody has said what a video costs on a server of one's own.
    """
    prices = prices_of(settings)
    if settings.mode is DeploymentMode.SANDBOX:
        return {facts.id: _sandbox(settings, prices.get(facts.id, {})) for facts in LINE_UP}
    return {account: how for account, how in _live(settings, prices).items() if how is not None}


class NoPrice(Misconfigured):
    """Nobody has said what a video costs on a server of one's own."""


def _sandbox(settings: Settings, prices: Prices) -> Access:
    return Access(
        prices=prices,
        base_url=settings.effective_sandbox_url,
        api_key=SANDBOX_KEY,
        poll_interval=_poll(settings) or SANDBOX_POLL,
        listing_delay=SANDBOX_LISTING_DELAY,
    )


def _live(settings: Settings, prices: Mapping[str, Prices]) -> Mapping[str, Access | None]:
    def with_key(account: str, key: SecretStr | None, base_url: str, **more: bool) -> Access | None:
        return _with_key(settings, key, base_url, prices.get(account, {}), **more)

    own_server = settings.stability_base_url
    return {
        RUNWAY.id: with_key(RUNWAY.id, settings.runway_api_key, settings.runway_base_url),
        SEEDANCE.id: with_key(SEEDANCE.id, settings.seedance_api_key, settings.seedance_base_url),
        STABLE_VIDEO.id: (
            with_key(STABLE_VIDEO.id, settings.stability_api_key, STABILITY_HOSTED, is_retired=True)
            if own_server is None
            else _own_server(settings, own_server, prices.get(STABLE_VIDEO.id, {}))
        ),
    }


def _own_server(settings: Settings, base_url: str, prices: Prices) -> Access:
    """A server of one's own may need no key; what it costs is what its operator says, who may say nothing at all.

    Raises:
        NoPrice: Nobody says it.
    """
    if settings.stability_price_usd is not None:
        said = PerVideo(micros=from_usd(settings.stability_price_usd))
        prices = {model.id: ModelPrice(price=said) for model in STABLE_VIDEO.models} | dict(prices)
    for model in STABLE_VIDEO.models:
        if model.id not in prices:
            raise NoPrice(
                f"VIDEOPLANET_STABILITY_PRICE_USD is not set: nobody knows what a video of {model.id} costs on the "
                "server at VIDEOPLANET_STABILITY_BASE_URL; set it to US dollars for a video, or to 0"
            )
    key = settings.stability_api_key or SecretStr("")
    return Access(
        base_url=base_url,
        api_key=key.get_secret_value(),
        poll_interval=_poll(settings),
        prices=prices,
    )


def _with_key(
    settings: Settings, key: SecretStr | None, base_url: str, prices: Prices, *, is_retired: bool = False
) -> Access | None:
    if key is None:
        return None
    return Access(
        base_url=base_url,
        api_key=key.get_secret_value(),
        poll_interval=_poll(settings),
        is_retired=is_retired,
        prices=prices,
    )


def _poll(settings: Settings) -> timedelta | None:
    return None if settings.poll_seconds is None else timedelta(seconds=settings.poll_seconds)
