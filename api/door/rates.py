"""How many requests a caller may make in a time, and how many wrong keys an address may try.

Counted in windows that begin with a caller's first request and end a fixed time later, when all of it is given back: so
what the headers promise is exactly what happens. The counters are shared through Redis where there is one. A Redis that
is away takes nothing down: each process counts for itself meanwhile, which lets through a little more, and looks again
after a while.
"""

import math
import time
from dataclasses import dataclass
from enum import StrEnum

import structlog
from limits import parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from runtime.settings import Settings

_LOOK_AGAIN_SECONDS = 10.0
_REDIS_SECONDS = 0.25
"""A request waits no longer for Redis than it would be missed."""

log = structlog.get_logger(__name__)


class Counted(StrEnum):
    """What is counted."""

    READS = "reads"
    WRITES = "writes"
    WRONG_KEYS = "wrong-keys"


@dataclass(frozen=True)
class Standing:
    """How somebody stands with one bound.

    Attributes:
        limit: How many there may be in a window.
        window_seconds: How long it is.
        remaining: How many are left; below zero where there were too many.
        resets_in: Seconds until all of it is given back, rounded up.
    """

    counted: Counted
    limit: int
    window_seconds: int
    remaining: int
    resets_in: int

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers writes it."""
        return {
            "RateLimit-Policy": f'"{self.counted}";q={self.limit};w={self.window_seconds}',
            "RateLimit": f'"{self.counted}";r={max(0, self.remaining)};t={self.resets_in}',
        }


class Rates:
    """The counters of one process, or of all that share a Redis."""

    def __init__(self, settings: Settings) -> None:
        """Connect to nothing yet."""
        self._limits = {
            Counted.READS: parse(settings.rate_reads),
            Counted.WRITES: parse(settings.rate_writes),
            Counted.WRONG_KEYS: parse(settings.rate_wrong_keys),
        }
        self._own = MemoryStorage()
        self._pool: ConnectionPool | None = None
        self._shared: Storage | None = None
        if settings.redis_url is not None:
            self._pool = _pool(settings.redis_url.get_secret_value())
            self._shared = _redis(self._pool)
        self._alone_until = 0.0
        self._is_alone = False

    async def count(self, what: Counted, who: str) -> Standing:
        """Count one more, and tell how somebody stands now."""
        return await self._stand(what, who, more=1)

    async def look(self, what: Counted, who: str) -> Standing:
        """Tell how somebody stands, and count nothing."""
        return await self._stand(what, who, more=0)

    async def close(self) -> None:
        """Leave Redis."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _stand(self, what: Counted, who: str, *, more: int) -> Standing:
        if self._shared is not None and time.monotonic() >= self._alone_until:
            try:
                standing = await self._stand_at(self._shared, what, who, more)
            except (RedisError, OSError, TimeoutError) as error:
                self._leave(error)
            else:
                self._come_back()
                return standing
        return await self._stand_at(self._own, what, who, more)

    def _leave(self, error: Exception) -> None:
        self._alone_until = time.monotonic() + _LOOK_AGAIN_SECONDS
        if not self._is_alone:
            self._is_alone = True
            log.warning("Redis is away: this process counts requests for itself", error=type(error).__name__)

    def _come_back(self) -> None:
        if self._is_alone:
            self._is_alone = False
            log.info("Redis is back: processes count requests together again")

    async def _stand_at(self, storage: Storage, what: Counted, who: str, more: int) -> Standing:
        limit = self._limits[what]
        key = limit.key_for(what, who)
        used = await (storage.incr(key, limit.get_expiry(), more) if more else storage.get(key))
        resets_in = await storage.get_expiry(key) - time.time() if more or used >= limit.amount else 0
        return Standing(
            counted=what,
            limit=limit.amount,
            window_seconds=limit.get_expiry(),
            remaining=limit.amount - used,
            resets_in=max(1, math.ceil(min(resets_in, limit.get_expiry()))),
        )


def _pool(url: str) -> ConnectionPool:
    return ConnectionPool.from_url(
        url,
        socket_connect_timeout=_REDIS_SECONDS,
        socket_timeout=_REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _redis(pool: ConnectionPool) -> Storage:
    return RedisStorage(
        "async+redis://",
        implementation="redispy",
        key_prefix="videoplanet",
        connection_pool=pool,  # type: ignore[arg-type]  # the library's types know plain options only
    )
