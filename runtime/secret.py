"""The deployment's own secret, and the seals that are made with it.

It is not in the database: who has a copy of that cannot make a key, a session or a link from it. It is
`VIDEOPLANET_SECRET_KEY`, or the file `secret.key` in the data folder, made once by whoever comes first.
"""

import hashlib
import hmac
import json
import os
import secrets
from enum import StrEnum
from pathlib import Path

from runtime.settings import Settings

_FILE = "secret.key"
_BYTES = 32


class Purpose(StrEnum):
    """What a seal is for: one that was made for another purpose does not fit."""

    KEY = "key"
    PASS = "pass"  # noqa: S105 - a word, no password
    LINK = "link"
    CACHE = "cache"
    COOKIE = "cookie"


class Seal:
    """Seals texts with a secret.

    Args:
        secret: Known to every process of the deployment, and to nobody else.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, purpose: Purpose, *parts: str) -> str:
        """Return the seal of some texts: 64 hexadecimal digits, HMAC-SHA256."""
        return hmac.new(self._secret, json.dumps([purpose, *parts]).encode(), hashlib.sha256).hexdigest()

    def fits(self, seal: str, purpose: Purpose, *parts: str) -> bool:
        """Tell whether it is the seal of these texts; takes as long whether it is or not."""
        return hmac.compare_digest(seal.encode(), self.of(purpose, *parts).encode())


def secret_file(settings: Settings) -> Path:
    """Return where the secret is kept, unless `VIDEOPLANET_SECRET_KEY` says it."""
    return settings.data_dir / _FILE


def seal_of(settings: Settings) -> Seal:
    """Return what a deployment seals with; makes its secret where there is none.

    Raises:
        OSError: The file cannot be read, or not be made.
        ValueError: It holds no secret.
    """
    if settings.secret_key is not None:
        return Seal(settings.secret_key.get_secret_value().encode())
    path = secret_file(settings)
    if not path.exists():
        write_private(path, secrets.token_hex(_BYTES) + "\n", replace=False)
    text = path.read_text(encoding="ascii").strip()
    if len(text) < _BYTES:
        raise ValueError(f"{path} holds no secret: remove it (every key is void then), or bring it back")
    return Seal(text.encode())


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        path: Where; its folder is made if need be.
        text: What.
        replace: Whether a file that is there already is replaced; else it stays, also if it came a moment ago.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            made.replace(path)
        else:
            try:
                os.link(made, path)
            except FileExistsError:
                return  # another process was quicker: its text counts
    finally:
        made.unlink(missing_ok=True)
