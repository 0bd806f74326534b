"""The accounts of a deployment: which providers can be asked, and with which key.

In sandbox mode every account is the sandbox's, in live mode only accounts with real keys exist; the two never mix.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from domain.capabilities import ProviderFacts
from domain.generation import DeploymentMode
from domain.line_up import RUNWAY
from providers.base import Provider
from providers.runway import POLL_INTERVAL, Runway

SANDBOX_KEY = "sandbox"
SANDBOX_POLL = timedelta(milliseconds=500)


@dataclass(frozen=True)
class Access:
    """How to reach one provider account.

    Attributes:
        poll_interval: None for the provider's own rule.
    """

    base_url: str
    api_key: str
    poll_interval: timedelta | None = None


class UnknownAccount(LookupError):
    """An attempt belongs to an account that this deployment does not have."""


class WrongMode(Exception):
    """A pretend order met a deployment with real keys, or the other way round: nothing may be asked or sent."""


class Accounts:
    """The open accounts, by account id."""

    def __init__(self, access: Mapping[str, Access], *, mode: DeploymentMode, answer_seconds: float) -> None:
        """Make an adapter for each account; connections open when used."""
        self.mode = mode
        self._runway: dict[str, Runway] = {
            account: Runway(
                base_url=how.base_url,
                api_key=how.api_key,
                answer_seconds=answer_seconds,
                poll_interval=POLL_INTERVAL if how.poll_interval is None else how.poll_interval,
            )
            for account, how in access.items()
            if account == RUNWAY.id
        }

    def get(self, account: str, mode: DeploymentMode) -> Provider:
        """Return the adapter of an account, for an order of the deployment's own mode only.

        Raises:
            WrongMode: The order is of the other mode.
            UnknownAccount: This deployment has no such account.
        """
        if mode is not self.mode:
            raise WrongMode(f"this is a {mode} order, and this deployment is in {self.mode} mode")
        try:
            return self._runway[account]
        except KeyError:
            raise UnknownAccount(f"this deployment has no account {account!r}") from None

    async def close(self) -> None:
        """Close every connection."""
        for provider in self._runway.values():
            await provider.close()


def facts_of(access: Mapping[str, Access]) -> tuple[ProviderFacts, ...]:
    """Return what the accounts of this deployment can do."""
    return tuple(facts for facts in (RUNWAY,) if facts.id in access)
