"""Who works in a data folder: one `videoplanet up` at a time, and none while parts of a killed one still run.

Two locks of the operating system, which a killed process gives back by itself. `up.lock` is the supervisor's
own. `parts.lock` is inherited by every part that it starts, so it is free only when the last part has ended.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

_UP = "up.lock"
_PARTS = "parts.lock"
_PATIENCE_SECONDS = 0.5  # a mere look at the lock, by `running`, holds it for a moment


class FolderInUse(RuntimeError):
    """Another `videoplanet up` works in this data folder."""


class FolderLock:
    """The two locks of a data folder, held from `take_up` and `take_parts` until `release`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptors: list[int] = []

    def take_up(self) -> None:
        """Become the one supervisor of this folder.

        Raises:
            FolderInUse: There is another.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        path = self._data_dir / _UP
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while not _lock(descriptor):
            if time.monotonic() > give_up_at:
                owner = path.read_text(encoding="ascii").strip()
                os.close(descriptor)
                raise FolderInUse(
                    f"another `videoplanet up` (process {owner or 'unknown'}) works in {self._data_dir}: "
                    "end it first, or set VIDEOPLANET_DATA_DIR to another folder"
                )
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptors.append(descriptor)

    def take_parts(self) -> int | None:
        """Return the descriptor that the parts shall inherit, or None while parts of a killed `up` still run."""
        descriptor = os.open(self._data_dir / _PARTS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _lock(descriptor):
            os.close(descriptor)
            return None
        self._descriptors.append(descriptor)
        return descriptor

    def leftovers(self) -> list[int]:
        """Return the processes that hold the parts' lock, where the system can tell (Linux)."""
        wanted = (self._data_dir / _PARTS).stat()
        found = []
        for folder in Path("/proc").glob("[0-9]*/fd"):
            with suppress(OSError):  # another user's process, or one that has just ended
                if any(os.path.samestat(entry.stat(), wanted) for entry in folder.iterdir()):
                    found.append(int(folder.parent.name))
        return [pid for pid in found if pid != os.getpid()]

    def release(self) -> None:
        """Give both locks back."""
        while self._descriptors:
            os.close(self._descriptors.pop())


def running(data_dir: Path) -> bool:
    """Tell whether a `videoplanet up` works in this folder."""
    try:
        descriptor = os.open(data_dir / _UP, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
