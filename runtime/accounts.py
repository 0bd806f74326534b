"""Which provider accounts this deployment has: the sandbox's, or those with real keys; never both."""

from collections.abc import Mapping
from datetime import timedelta

from domain.generation import DeploymentMode
from domain.line_up import RUNWAY
from providers.registry import SANDBOX_KEY, SANDBOX_POLL, Access
from runtime.settings import Settings


def access_of(settings: Settings) -> Mapping[str, Access]:
    """Return how each account is reached, by account id."""
    poll = None if settings.poll_seconds is None else timedelta(seconds=settings.poll_seconds)
    if settings.mode is DeploymentMode.SANDBOX:
        return {
            RUNWAY.id: Access(
                base_url=settings.effective_sandbox_url,
                api_key=SANDBOX_KEY,
                poll_interval=poll or SANDBOX_POLL,
            )
        }
    if settings.runway_api_key is None:
        return {}
    key = settings.runway_api_key.get_secret_value()
    return {RUNWAY.id: Access(base_url=settings.runway_base_url, api_key=key, poll_interval=poll)}
