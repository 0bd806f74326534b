"""Which providers a deployment has keys for. A key itself is never said, and neither is a password in an address."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from domain.generation import DeploymentMode
from domain.orders.line_up import LINE_UP
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.line_up.stable_video import RETIREMENT, STABLE_VIDEO
from runtime.accounts import access_of
from runtime.settings import Settings

VARIABLES: Final[Mapping[str, str]] = {
    RUNWAY.id: "RUNWAY_API_KEY",
    SEEDANCE.id: "SEEDANCE_API_KEY",
    STABLE_VIDEO.id: "STABILITY_API_KEY",
}
"""What the keys are called in the environment, by account."""

_OWN_SERVER = "VIDEOPLANET_STABILITY_BASE_URL"

RETIRED = f"Stability's hosted API is retired since {RETIREMENT.on.isoformat()}"
INSTEAD = RETIREMENT.instead


class Account(BaseModel):
    """What is known of one account before anything is started.

    Attributes:
        variable: Where its key is looked for.
        server: The host of a server of one's own.
        is_retired: There is a key, and the door that it opens is closed.
        was_hosted: The provider has closed its own door; only a server of one's own is left.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    variable: str
    has_key: bool
    server: str = ""
    is_retired: bool = False
    was_hosted: bool = False


def looked_at(settings: Settings) -> tuple[Account, ...]:
    """Return every account that there could be."""
    keys = {
        RUNWAY.id: settings.runway_api_key,
        SEEDANCE.id: settings.seedance_api_key,
        STABLE_VIDEO.id: settings.stability_api_key,
    }
    own = settings.stability_base_url
    return tuple(
        Account(
            id=facts.id,
            name=facts.name,
            variable=VARIABLES[facts.id],
            has_key=_says_something(keys[facts.id]),
            server=_host(own) if own and facts is STABLE_VIDEO else "",
            is_retired=facts is STABLE_VIDEO and is_retired(settings),
            was_hosted=facts is STABLE_VIDEO,
        )
        for facts in LINE_UP
    )


def usable(settings: Settings) -> tuple[str, ...]:
    """Return the accounts that live mode could send orders to."""
    live = access_of(settings.model_copy(update={"mode": DeploymentMode.LIVE}))
    have = {account.id for account in looked_at(settings) if account.has_key or account.server}
    return tuple(account for account, how in live.items() if not how.is_retired and account in have)


def is_retired(settings: Settings) -> bool:
    """Tell whether there is a key for Stability's hosted API, which is gone."""
    return settings.stability_base_url is None and _says_something(settings.stability_api_key)


def choice() -> str:
    """Return what could be set, as part of a sentence."""
    return f"{VARIABLES[RUNWAY.id]}, {VARIABLES[SEEDANCE.id]}, or {_OWN_SERVER} with its {VARIABLES[STABLE_VIDEO.id]}"


def _says_something(key: SecretStr | None) -> bool:
    return key is not None and bool(key.get_secret_value())


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "an address that is no URL"
