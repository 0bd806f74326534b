"""The asset store: videos and posters as files, addressed by the SHA-256 of their content.

Promises: an asset is visible under its name only when it is whole and on the disk (temporary name on the
same file system, fsync, rename, fsync of the folders), so a process killed at any moment leaves at most a
temporary file, which `sweep` removes. Storing the same content twice, also at the same time, is harmless.
Hashing and disk work happen in threads, never on the event loop.

Refuses: content over the caller's limit, and every address that is not a plain SHA-256 and a plain suffix,
so that no address can leave the store's folder. Counting who still refers to an asset is the catalog's job;
`delete` believes its caller.
"""

import asyncio
import hashlib
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from storage.files.asset_store import Asset, AssetTooLarge, Incoming

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_INCOMING = "incoming"  # cannot collide with a fan-out folder: those have two characters
_WRITE_BYTES = 1024 * 1024
_READ_BYTES = 256 * 1024


class LocalAssets:
    """An `AssetStore` in one local folder: `<root>/ab/cd/abcd....mp4`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._incoming = self.root / _INCOMING

    def path_of(self, sha256: str, suffix: str) -> Path:
        """Return where this asset is, or would be.

        Raises:
            ValueError: not 64 lower-case hex digits, or not a dot followed by 1 to 8 of a-z and 0-9.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError("an asset is addressed by the 64 lower-case hex digits of its SHA-256")
        return self.root / sha256[:2] / sha256[2:4] / (sha256 + _plain_suffix(suffix))

    @asynccontextmanager
    async def receive(self, *, suffix: str, limit_bytes: int | None = None) -> AsyncIterator[Incoming]:
        """Take in a stream under a temporary name.

        Args:
            suffix: of the later file, such as `.mp4`.
            limit_bytes: the most bytes to accept; `None` is no limit.
        """
        incoming = _LocalIncoming(self, _plain_suffix(suffix), limit_bytes)
        try:
            await asyncio.to_thread(incoming.create, self._incoming)
            yield incoming
        finally:
            # Shielded: a second cancellation must not stop the clean-up before it has begun.
            await asyncio.shield(asyncio.to_thread(incoming.discard))

    async def put_bytes(self, data: bytes, suffix: str) -> Asset:
        """Store small content in one call, as durably as a stream."""
        async with self.receive(suffix=suffix) as incoming:
            await incoming.write(data)
            return await incoming.commit()

    async def exists(self, sha256: str, suffix: str) -> bool:
        """Tell whether the asset is there."""
        return await asyncio.to_thread(self.path_of(sha256, suffix).is_file)

    async def size(self, sha256: str, suffix: str) -> int:
        """Return its bytes. Raises `FileNotFoundError`."""
        return (await asyncio.to_thread(self.path_of(sha256, suffix).stat)).st_size

    async def open(
        self, sha256: str, suffix: str, *, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read `length` bytes (`None`: to the end) from `start`, in chunks of 256 KiB at most."""
        file = await asyncio.to_thread(self.path_of(sha256, suffix).open, "rb")
        try:
            await asyncio.to_thread(file.seek, start)
            while length is None or length > 0:
                wanted = _READ_BYTES if length is None else min(length, _READ_BYTES)
                chunk = await asyncio.to_thread(file.read, wanted)
                if not chunk:
                    return
                if length is not None:
                    length -= len(chunk)
                yield chunk
        finally:
            file.close()

    async def delete(self, sha256: str, suffix: str) -> bool:
        """Remove the asset; tells whether it was there."""
        return await asyncio.to_thread(_remove, self.path_of(sha256, suffix))

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        """A folder for work on files; it is gone afterwards, or with the next `sweep` if we are killed."""
        folder = self._incoming / f"work-{secrets.token_hex(8)}"
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            yield folder
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    async def sweep(self, older_than_seconds: float) -> int:
        """Remove temporary files and folders that nobody wrote to for `older_than_seconds`; returns how many."""
        return await asyncio.to_thread(self._sweep, time.time() - older_than_seconds)

    async def stored_before(self, older_than_seconds: float) -> Sequence[tuple[str, str]]:
        """Return the hash and suffix of each asset that nobody has stored for `older_than_seconds`."""
        return await asyncio.to_thread(self._stored_before, time.time() - older_than_seconds)

    def _stored_before(self, before: float) -> Sequence[tuple[str, str]]:
        found = []
        for path in self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            with suppress(FileNotFoundError):  # removed meanwhile
                if _SHA256.fullmatch(path.stem) and path.stat().st_mtime <= before:
                    found.append((path.stem, path.suffix))
        return found

    def _sweep(self, before: float) -> int:
        removed = 0
        for left_over in self._incoming.glob("*"):
            try:
                stale = left_over.stat().st_mtime <= before
            except FileNotFoundError:
                continue  # its owner was faster
            removed += stale and _remove(left_over)
        return removed


class _LocalIncoming:
    """A temporary file being filled. The lock puts `discard` after a cancelled write still in its thread."""

    def __init__(self, store: LocalAssets, suffix: str, limit_bytes: int | None) -> None:
        self._store = store
        self._suffix = suffix
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._size_bytes = 0
        self._hash = hashlib.sha256()
        self._intact = True
        self._lock = threading.Lock()
        self._file: tuple[int, Path] | None = None  # descriptor and temporary name, while there is one
        self._over = False

    async def write(self, chunk: bytes) -> None:
        self._require_intact()
        self._size_bytes += len(chunk)
        if self._limit_bytes is not None and self._size_bytes > self._limit_bytes:
            self._intact = False
            raise AssetTooLarge(self._limit_bytes)
        self._buffer += chunk
        if len(self._buffer) >= _WRITE_BYTES:
            await self._flush()

    async def local_copy(self) -> Path:
        await self._flush()
        return self._opened()[1]

    async def commit(self) -> Asset:
        await self._flush()
        asset = Asset(sha256=self._hash.hexdigest(), size_bytes=self._size_bytes, suffix=self._suffix)
        await asyncio.to_thread(self._publish, self._store.path_of(asset.sha256, asset.suffix))
        return asset

    async def _flush(self) -> None:
        self._require_intact()
        chunk, self._buffer = self._buffer, bytearray()
        self._intact = False  # until the thread is done: a cancelled write leaves a hole
        await asyncio.to_thread(self._append, chunk)
        self._intact = True

    def _require_intact(self) -> None:
        if not self._intact:
            raise RuntimeError("an earlier write of this content did not complete; it must be received again")

    def _opened(self) -> tuple[int, Path]:
        if self._file is None:
            raise RuntimeError("this content is already committed or discarded")
        return self._file

    def create(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{secrets.token_hex(16)}{self._suffix}"
        with self._lock:
            if self._over:
                return  # cancelled before this thread began
            self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644), path

    def _append(self, chunk: bytearray) -> None:
        self._hash.update(chunk)
        with self._lock, memoryview(chunk) as view:
            descriptor, _ = self._opened()
            written = 0
            while written < len(view):
                written += os.write(descriptor, view[written:])

    def _publish(self, target: Path) -> None:
        with self._lock:
            descriptor, path = self._opened()
            os.fsync(descriptor)
            target.parent.mkdir(parents=True, exist_ok=True)
            # Also where it is there already: a damaged file is mended, and stored now it is no old file of nobody's.
            path.replace(target)
            self._file = None
            os.close(descriptor)
            # Also for content found in place: its first writer may have died just before this line.
            for folder in (target.parent, target.parent.parent, self._store.root):
                _fsync_folder(folder)

    def discard(self) -> None:
        with self._lock:
            self._over = True
            if self._file is not None:
                descriptor, path = self._file
                self._file = None
                os.close(descriptor)
                path.unlink(missing_ok=True)


def _plain_suffix(suffix: str) -> str:
    if not _SUFFIX.fullmatch(suffix):
        raise ValueError(f"{suffix!r} is not a file suffix such as '.mp4'")
    return suffix


def _remove(path: Path) -> bool:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return False
    return True


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
