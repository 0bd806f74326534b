"""The environment that `videoplanet up` gives to its parts: ports, folder, and no keys where money is pretend."""

import os
from collections.abc import Mapping
from pathlib import Path

import cli
from cli.running.ports import Ports
from domain.generation import DeploymentMode
from domain.orders.line_up import ENTRIES
from runtime.settings import Settings

_STRANGERS = frozenset(
    {"GOOGLE_API_KEY", "GEMINI_API_KEY", "REPLICATE_API_TOKEN", "FAL_KEY", "OPENAI_API_KEY"}
)
"""Keys of vendors that are not in the line-up: nothing of ours reads them, and no part sees them all the same."""

PROVIDER_KEYS = _STRANGERS.union(
    name for entry in ENTRIES for name in (entry.door.key_variable, *entry.door.vendor_variables)
)
"""What providers' keys are called, ours and the vendors' own names."""


def for_parts(environ: Mapping[str, str], settings: Settings, ports: Ports) -> dict[str, str]:
    """Return the whole environment of every part.

    Args:
        environ: That of the supervisor.
        settings: Mode and data folder.
        ports: The chosen ones.
    """
    environment = dict(environ)
    if settings.mode is DeploymentMode.SANDBOX:
        environment = {
            name: value for name, value in environment.items() if name.upper() not in PROVIDER_KEYS
        }
    if not environ.get("TEMPORAL_ADDRESS"):
        # Our own server: a namespace, a key or a profile that the user has for another one must not reach it.
        environment = {name: value for name, value in environment.items() if not name.startswith("TEMPORAL_")}
        environment |= {
            "TEMPORAL_ADDRESS": f"127.0.0.1:{ports.temporal}",
            "TEMPORAL_CONFIG_FILE": os.devnull,
        }
    code = str(Path(cli.__file__).parent.parent)
    return environment | {
        "VIDEOPLANET_MODE": settings.mode.value,
        "VIDEOPLANET_DATA_DIR": str(settings.data_dir.absolute()),
        "VIDEOPLANET_API_PORT": str(ports.api),
        "VIDEOPLANET_SANDBOX_PORT": str(ports.sandbox),
        "VIDEOPLANET_TEMPORAL_PORT": str(ports.temporal),
        "VIDEOPLANET_TEMPORAL_UI_PORT": str(ports.temporal_ui),
        "PYTHONPATH": os.pathsep.join(filter(None, [code, environ.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",  # a log shows what was said before a kill
    }
