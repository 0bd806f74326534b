"""Which providers a deployment has keys for. A key itself is never said, and neither is a password in an address."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from domain.generation import DeploymentMode
from domain.orders.capabilities import Retirement
from domain.orders.line_up import ENTRIES
from runtime.accounts import access_of
from runtime.settings import Settings

VARIABLES: Final[Mapping[str, str]] = {entry.id: entry.door.key_variable for entry in ENTRIES}
"""What the keys are called in the environment, by account."""


class Account(BaseModel):
    """What is known of one account before anything is started.

    Attributes:
        variable: Where its key is looked for.
        server: The host of a server of one's own.
        retired: Of the vendor's own door, where that is closed: only a server of one's own is left.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    variable: str
    has_key: bool
    server: str = ""
    retired: Retirement | None = None

    @property
    def is_retired(self) -> bool:
        """Whether there is a key, and the door that it opens is closed."""
        return self.retired is not None and self.has_key and not self.server

    @property
    def retirement(self) -> str:
        """What is to be said of the closed door, as a sentence's beginning; empty where it is open."""
        return (
            f"{self.name}'s hosted API is retired since {self.retired.on.isoformat()}" if self.retired else ""
        )

    @property
    def instead(self) -> str:
        """What to do instead; empty where nothing is retired."""
        return self.retired.instead if self.retired else ""


def looked_at(settings: Settings) -> tuple[Account, ...]:
    """Return every account that there could be."""
    return tuple(
        Account(
            id=entry.id,
            name=entry.facts.name,
            variable=entry.door.key_variable,
            has_key=_says_something(settings.door(entry.id).key),
            server=_host(own) if (own := settings.door(entry.id).base_url) and entry.door.retired else "",
            retired=entry.door.retired,
        )
        for entry in ENTRIES
    )


def usable(settings: Settings) -> tuple[str, ...]:
    """Return the accounts that live mode could send orders to."""
    live = access_of(settings.model_copy(update={"mode": DeploymentMode.LIVE}))
    have = {account.id for account in looked_at(settings) if account.has_key or account.server}
    return tuple(account for account, how in live.items() if not how.is_retired and account in have)


def retired(settings: Settings) -> tuple[Account, ...]:
    """Return the accounts with a key for a door that is closed."""
    return tuple(account for account in looked_at(settings) if account.is_retired)


def choice() -> str:
    """Return what could be set, as part of a sentence."""
    ways = [
        f"{entry.door.base_url_variable} with its {entry.door.key_variable}"
        if entry.door.retired
        else entry.door.key_variable
        for entry in ENTRIES
    ]
    return f"{', '.join(ways[:-1])}, or {ways[-1]}"


def _says_something(key: SecretStr | None) -> bool:
    return key is not None and bool(key.get_secret_value())


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "an address that is no URL"
