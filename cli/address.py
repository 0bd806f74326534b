"""Where the service is, and who asks: as the environment says, else what `videoplanet up` runs, else the default."""

import os
from urllib.parse import urlsplit

from cli.running import lock, operator_key, ports
from runtime.settings import Settings


def api_url(settings: Settings) -> str:
    """Return the base URL of the API."""
    if named := os.environ.get("VIDEOPLANET_URL"):
        return named
    port = settings.api_port
    if lock.running(settings.data_dir) and (chosen := ports.load(settings.data_dir)):
        port = chosen.api
    return f"http://{reachable_host(settings.api_host)}:{port}"


def key_for(settings: Settings, url: str) -> str | None:
    """Return the key to show at an address: the environment's, else the operator's, which stays on this machine."""
    if named := os.environ.get("VIDEOPLANET_KEY"):
        return named.strip()
    on_this_machine = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    is_ours = on_this_machine or not os.environ.get("VIDEOPLANET_URL")
    return operator_key.read(settings.data_dir) if is_ours else None


def reachable_host(listening_host: str) -> str:
    """Return the host to connect to where a server listens on this one, which may mean every address."""
    if listening_host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared with, not listened on
        return "127.0.0.1"
    return f"[{listening_host}]" if ":" in listening_host else listening_host
