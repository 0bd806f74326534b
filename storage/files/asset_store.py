"""What a store of assets can do, wherever it keeps them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field


class AssetTooLarge(Exception):
    """The content received is larger than the caller allowed."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the content is larger than the {limit_bytes} bytes allowed")
        self.limit_bytes = limit_bytes


class Asset(BaseModel):
    """What is known of a stored file: `sha256` (64 lower-case hex digits), its size and its suffix."""

    model_config = ConfigDict(frozen=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)
    suffix: str = Field(pattern=r"^\.[a-z0-9]{1,8}$")


class Incoming(Protocol):
    """Content on its way into the store, not yet visible."""

    async def write(self, chunk: bytes) -> None:
        """Append bytes. Raises `AssetTooLarge` as soon as the limit is passed."""

    async def local_copy(self) -> Path:
        """Return a local file with all bytes written so far, to be read (never moved) before `commit`."""

    async def commit(self) -> Asset:
        """Make the content durable and visible; the last call."""


class AssetStore(Protocol):
    """Where videos and posters are kept; the local folder is one, an object store may be another."""

    def receive(
        self, *, suffix: str, limit_bytes: int | None = None
    ) -> AbstractAsyncContextManager[Incoming]:
        """Take in a stream; leaving the block without `commit` forgets it."""

    async def put_bytes(self, data: bytes, suffix: str) -> Asset:
        """Store small content in one call."""

    async def exists(self, sha256: str, suffix: str) -> bool:
        """Tell whether the asset is there."""

    async def size(self, sha256: str, suffix: str) -> int:
        """Return its bytes. Raises `FileNotFoundError`."""

    def open(
        self, sha256: str, suffix: str, *, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read `length` bytes from `start`, in chunks. Raises `FileNotFoundError` at the first chunk."""

    async def delete(self, sha256: str, suffix: str) -> bool:
        """Remove the asset; tells whether it was there."""

    def scratch(self) -> AbstractAsyncContextManager[Path]:
        """Return a folder for work on files, which is gone afterwards."""

    async def stored_before(self, older_than_seconds: float) -> Sequence[tuple[str, str]]:
        """Return the hash and suffix of each asset that nobody has stored for so long."""

    async def sweep(self, older_than_seconds: float) -> int:
        """Remove what killed processes left half received; returns how many."""
