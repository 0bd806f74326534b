"""Which provider accounts this deployment has: the sandbox's, or those with real keys; never both.

Every model of theirs has a price. What a server of one's own costs nobody else can know: who has one says it, even
where it is nothing.
"""

from collections.abc import Mapping
from datetime import timedelta

from domain.costs.prices import ModelPrice, PerVideo
from domain.generation import DeploymentMode
from domain.money import from_usd
from domain.orders.entries import Entry
from domain.orders.line_up import ENTRIES
from providers.registry import SANDBOX_KEY, SANDBOX_LISTING_DELAY, SANDBOX_POLL, Access
from runtime.misconfigured import Misconfigured
from runtime.providers_file import prices_of
from runtime.settings import Settings

Prices = Mapping[str, ModelPrice]
"""By model; see `Access`."""


def access_of(settings: Settings) -> Mapping[str, Access]:
    """Return how each account is reached, by account id.

    Raises:
        BadProvidersFile: `providers.toml` says something that nobody understands.
        NoPrice: Nobody has said what a video costs on a server of one's own.
    """
    prices = prices_of(settings)
    how_of = _sandbox if settings.mode is DeploymentMode.SANDBOX else _live
    ways = {entry.id: how_of(settings, entry, prices.get(entry.id, {})) for entry in ENTRIES}
    return {account: how for account, how in ways.items() if how is not None}


class NoPrice(Misconfigured):
    """Nobody has said what a video costs on a server of one's own."""


def _sandbox(settings: Settings, _: Entry, prices: Prices) -> Access:
    return Access(
        prices=prices,
        base_url=settings.effective_sandbox_url,
        api_key=SANDBOX_KEY,
        poll_interval=_poll(settings) or SANDBOX_POLL,
        listing_delay=SANDBOX_LISTING_DELAY,
    )


def _live(settings: Settings, entry: Entry, prices: Prices) -> Access | None:
    """Return how a provider is reached with a key of one's own; None where there is none."""
    said, is_retired = settings.door(entry.id), entry.door.retired is not None
    is_own_server = is_retired and said.base_url is not None
    if said.key is None and not is_own_server:
        return None
    return Access(
        base_url=said.base_url or entry.door.base_url,
        api_key="" if said.key is None else said.key.get_secret_value(),
        poll_interval=_poll(settings),
        is_retired=is_retired and not is_own_server,
        prices=_prices_of_own_server(settings, entry, prices) if is_own_server else prices,
    )


def _prices_of_own_server(settings: Settings, entry: Entry, prices: Prices) -> Prices:
    """A server of one's own costs what its operator says, who may say nothing at all.

    Raises:
        NoPrice: Nobody says it.
    """
    usd, door = settings.door(entry.id).price_usd, entry.door
    if usd is not None:
        said = PerVideo(micros=from_usd(usd))
        prices = {model.id: ModelPrice(price=said) for model in entry.facts.models} | dict(prices)
    for model in entry.facts.models:
        if model.id not in prices:
            raise NoPrice(
                f"{door.price_variable} is not set: nobody knows what a video of {model.id} costs on the server at "
                f"{door.base_url_variable}; set it to US dollars for a video, or to 0"
            )
    return prices


def _poll(settings: Settings) -> timedelta | None:
    return None if settings.poll_seconds is None else timedelta(seconds=settings.poll_seconds)
