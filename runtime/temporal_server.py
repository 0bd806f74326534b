"""The Temporal development server as `videoplanet up` and the tests start it: which binary, and its command line."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

SEARCH_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "VideoStatus": "Keyword",
        "VideoProvider": "Keyword",
        "TenantId": "Keyword",
        "ProjectId": "Keyword",
        "ScenarioId": "Keyword",
        "CostUsd": "Double",
    }
)
"""The search attributes of a generation's workflow, and their Temporal types."""

_SQLITE_PRAGMAS = {
    "journal_mode": "WAL",  # readers and the writer do not wait for each other
    "synchronous": "NORMAL",  # survives a kill of the process; SQL, not Temporal, is where wishes are committed
}
DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": "2000",  # the default of 20 makes steps wait under load
    # A closed run is deleted only once this has been saved; the default of 30 s leaves an erased prompt there as long.
    "history.transferProcessorUpdateAckInterval": '"1s"',
}


def find_binary() -> Path | None:
    """Return the `temporal` command: the one installed beside this Python, else the one on the path."""
    beside = Path(sys.executable).parent / "temporal"
    if beside.is_file():
        return beside
    found = shutil.which("temporal")
    return Path(found) if found else None


def command(binary: Path, *, port: int, ui_port: int, db_file: Path, headless: bool = False) -> list[str]:
    """Return the command line that starts the server on loopback.

    Args:
        binary: The `temporal` command.
        port: Where workers and clients connect (gRPC).
        ui_port: Where the web UI listens; unused when headless.
        db_file: The SQLite file that keeps the histories; made if absent.
        headless: Start without the web UI.
    """
    line = [str(binary), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    line += ["--headless"] if headless else ["--ui-port", str(ui_port)]
    line += ["--db-filename", str(db_file)]
    for name, value in _SQLITE_PRAGMAS.items():
        line += ["--sqlite-pragma", f"{name}={value}"]
    for name, value in DYNAMIC_CONFIG.items():
        line += ["--dynamic-config-value", f"{name}={value}"]
    for name, kind in SEARCH_ATTRIBUTES.items():
        line += ["--search-attribute", f"{name}={kind}"]
    return [*line, "--log-level", "warn"]
