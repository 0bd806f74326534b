"""The accounts of a deployment: which providers can be asked, and with which key.

In sandbox mode every account is the sandbox's, in live mode only accounts with real keys exist; the two never mix.
"""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module

from domain.costs.pricing import repriced
from domain.generation import DeploymentMode
from domain.orders.capabilities import ProviderFacts
from domain.orders.entries import Entry
from domain.orders.line_up import ENTRIES
from providers.base import Access, OpenAccount, Provider
from providers.outgoing.doors import Doors, Origin
from providers.outgoing.fetching import Outgoing

SANDBOX_KEY = "sandbox"
SANDBOX_POLL = timedelta(milliseconds=500)
SANDBOX_LISTING_DELAY = timedelta(seconds=1)

__all__ = [
    "SANDBOX_KEY",
    "SANDBOX_LISTING_DELAY",
    "SANDBOX_POLL",
    "Access",
    "Accounts",
    "UnknownAccount",
    "WrongMode",
    "adapter_of",
    "facts_of",
    "outgoing_at",
]


class UnknownAccount(LookupError):
    """An attempt belongs to an account that this deployment does not have."""


class WrongMode(Exception):
    """A pretend order met a deployment with real keys, or the other way round: nothing may be asked or sent."""


def adapter_of(provider_id: str) -> OpenAccount:
    """Return what opens an account of a provider: the package that is named like it, with underscores for hyphens.

    Raises:
        ModuleNotFoundError: The provider is in the line-up, and nobody has written its adapter.
    """
    package = import_module(f"providers.{provider_id.replace('-', '_')}")
    open_account: OpenAccount = package.open_account
    return open_account


class Accounts:
    """The open accounts, by account id."""

    def __init__(self, access: Mapping[str, Access], *, mode: DeploymentMode, answer_seconds: float) -> None:
        """Make an adapter for each account; connections open when used."""
        self.mode = mode
        self._providers = {
            account: adapter_of(account)(how, answer_seconds) for account, how in access.items()
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
    return tuple(_facts_at(access[entry.id], entry) for entry in ENTRIES if entry.id in access)


def _facts_at(how: Access, entry: Entry) -> ProviderFacts:
    if how.is_retired:
        return entry.facts.model_copy(update={"retired": entry.door.retired})
    return repriced(entry.facts, how.prices)
