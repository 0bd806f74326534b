"""The accounts of a deployment: which providers can be asked, and with which key.

In sandbox mode every account is the sandbox's, in live mode only accounts with real keys exist; the two never mix.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from domain.costs.prices import ModelPrice
from domain.costs.pricing import repriced
from domain.generation import DeploymentMode
from domain.orders.capabilities import ProviderFacts
from domain.orders.line_up import LINE_UP, RETIREMENT, RUNWAY, SEEDANCE, STABLE_VIDEO
from providers import runway, seedance, stability
from providers.base import Provider
from providers.outgoing.doors import Doors, Origin
from providers.outgoing.fetching import Outgoing
from providers.seedance_tasks import token_prices

SANDBOX_KEY = "sandbox"
SANDBOX_POLL = timedelta(milliseconds=500)
SANDBOX_LISTING_DELAY = timedelta(seconds=1)


@dataclass(frozen=True)
class Access:
    """How to reach one provider account.

    Attributes:
        poll_interval: None for the provider's own rule.
        listing_delay: How long a new job may be missing from the provider's list; None for the provider's own rule.
        is_retired: The provider has closed this door: nothing is sent through it.
        prices: What models cost here, by model, where that is not what is built in.
    """

    base_url: str
    api_key: str
    poll_interval: timedelta | None = None
    listing_delay: timedelta | None = None
    is_retired: bool = False
    prices: Mapping[str, ModelPrice] = field(default_factory=dict)


class UnknownAccount(LookupError):
    """An attempt belongs to an account that this deployment does not have."""


class WrongMode(Exception):
    """A pretend order met a deployment with real keys, or the other way round: nothing may be asked or sent."""


def _runway(how: Access, answer_seconds: float) -> Provider:
    return runway.Runway(
        base_url=how.base_url,
        api_key=how.api_key,
        answer_seconds=answer_seconds,
        poll_interval=_or(how.poll_interval, runway.POLL_INTERVAL),
    )


def _seedance(how: Access, answer_seconds: float) -> Provider:
    return seedance.Seedance(
        base_url=how.base_url,
        api_key=how.api_key,
        answer_seconds=answer_seconds,
        poll_interval=_or(how.poll_interval, seedance.POLL_INTERVAL),
        listing_delay=_or(how.listing_delay, seedance.LISTING_DELAY),
        prices=token_prices(repriced(SEEDANCE, how.prices)),
    )


def _stability(how: Access, answer_seconds: float) -> Provider:
    return stability.Stability(
        base_url=how.base_url,
        api_key=how.api_key,
        answer_seconds=answer_seconds,
        poll_interval=_or(how.poll_interval, stability.POLL_INTERVAL),
        is_retired=how.is_retired,
    )


def _or(given: timedelta | None, default: timedelta) -> timedelta:
    return default if given is None else given


_ADAPTERS: Final[Mapping[str, Callable[[Access, float], Provider]]] = {
    RUNWAY.id: _runway,
    SEEDANCE.id: _seedance,
    STABLE_VIDEO.id: _stability,
}


class Accounts:
    """The open accounts, by account id."""

    def __init__(self, access: Mapping[str, Access], *, mode: DeploymentMode, answer_seconds: float) -> None:
        """Make an adapter for each account; connections open when used."""
        self.mode = mode
        self._providers = {
            account: _ADAPTERS[account](how, answer_seconds) for account, how in access.items()
        }
        self._outgoing = {account: outgoing_at(how.base_url, mode) for account, how in access.items()}

    def get(self, account: str, mode: DeploymentMode) -> Provider:
        """Return the adapter of an account, for an order of the deployment's own mode only.

        Raises:
            WrongMode: The order is of the other mode.
            UnknownAccount: This deployment has no such account.
        """
        if mode is not self.mode:
            raise WrongMode(f"this is a {mode} order, and this deployment is in {self.mode} mode")
        try:
            return self._providers[account]
        except KeyError:
            raise UnknownAccount(f"this deployment has no account {account!r}") from None

    def outgoing(self, account: str) -> Outgoing:
        """Return the way to the outputs of an account: to https on the public internet, or to its own door.

        Raises:
            UnknownAccount: This deployment has no such account.
        """
        try:
            return self._outgoing[account]
        except KeyError:
            raise UnknownAccount(f"this deployment has no account {account!r}") from None

    async def close(self) -> None:
        """Close every connection."""
        for provider in self._providers.values():
            await provider.close()


def outgoing_at(base_url: str, mode: DeploymentMode) -> Outgoing:
    """Return the way out that also leads to the scheme, host and port of a URL that the operator has configured."""
    own = frozenset({Origin.of(base_url)})
    return Outgoing(Doors(own=own, allows_http=mode is DeploymentMode.SANDBOX))


def facts_of(access: Mapping[str, Access]) -> tuple[ProviderFacts, ...]:
    """Return what the accounts of this deployment can do."""
    return tuple(_facts_at(access[facts.id], facts) for facts in LINE_UP if facts.id in access)


def _facts_at(how: Access, facts: ProviderFacts) -> ProviderFacts:
    if how.is_retired:
        return facts.model_copy(update={"retired": RETIREMENT})
    return repriced(facts, how.prices)
