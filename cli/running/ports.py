"""The ports of a stack: those that were set, else those of the last time, else the defaults, else free ones.

A port that was set explicitly is never replaced: busy, it is an error. The others move up to the next free
number. Between the choice and the moment a part listens, a claim keeps a second stack on this machine from
choosing the same: a UDP socket bound to the same number, which the system gives back when its process ends.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.settings import Settings

_TRIED = 200
_FILE = "ports.json"


class Ports(BaseModel):
    """Where the parts of one stack listen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api: int
    sandbox: int
    temporal: int
    temporal_ui: int


class PortBusy(RuntimeError):
    """A port that was set explicitly is taken."""


class Claims:
    """The ports that this process has chosen, held until `release`."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def take(self, port: int) -> bool:
        """Claim a port for a stack; False if another stack on this machine has it."""
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            return False
        self._sockets.append(claim)
        return True

    def release(self) -> None:
        """Give all claims back."""
        while self._sockets:
            self._sockets.pop().close()


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # as the servers do; elsewhere it would allow stealing a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose(settings: Settings, claims: Claims, parts: tuple[str, ...] = tuple(Ports.model_fields)) -> Ports:
    """Choose the ports of a stack and remember them in its data folder.

    Args:
        settings: Which ports were set, and the data folder; a set port of 0 means any free one.
        claims: Holds what is chosen.
        parts: The parts that will listen; the ports of others are not looked at.

    Raises:
        PortBusy: A port that was set is taken; names its setting.
    """
    remembered = load(settings.data_dir)
    chosen: dict[str, int] = {}
    for part in Ports.model_fields:
        setting = f"{part}_port"
        port: int = getattr(settings, setting)
        if part not in parts:
            chosen[part] = port
        elif setting in settings.model_fields_set and port != 0:
            chosen[part] = _the_set_one(part, port, settings, claims)
        else:
            last = getattr(remembered, part) if remembered else None
            chosen[part] = _a_free_one(part, port, last, settings, claims)
    ports = Ports(**chosen)
    write_whole(settings.data_dir / _FILE, ports.model_dump_json(indent=2))
    return ports


def load(data_dir: Path) -> Ports | None:
    """Return the ports that the last stack in this folder had, if there was one."""
    with suppress(OSError, ValidationError):
        return Ports.model_validate_json((data_dir / _FILE).read_bytes())
    return None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _host_of(part: str, settings: Settings) -> str:
    return settings.api_host if part == "api" else "127.0.0.1"


def _the_set_one(part: str, port: int, settings: Settings, claims: Claims) -> int:
    if not is_free(port, _host_of(part, settings)):
        variable = f"VIDEOPLANET_{part.upper()}_PORT"
        raise PortBusy(
            f"port {port} is taken by another program: end that program, set {variable} to another number, "
            f"or unset {variable} and a free port will be chosen"
        )
    claims.take(port)  # may fail for an unrelated UDP service, which is no reason to refuse
    return port


def _a_free_one(part: str, default: int, last: int | None, settings: Settings, claims: Claims) -> int:
    for port in _candidates(default, last):
        if is_free(port, _host_of(part, settings)) and claims.take(port):
            return port
    raise PortBusy(f"no free port for {part} among {default} to {default + _TRIED}")


def _candidates(default: int, last: int | None) -> Iterator[int]:
    if last:
        yield last
    first = default or 20_000
    yield from range(first, min(first + _TRIED, 65_536))
