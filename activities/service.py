"""What every activity works with, and how each reaches it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity

from activities.first_frames import FirstFrames
from domain.gate.tickets import AccountLimits, Release, Ticket
from domain.limits import Limits
from domain.orders.capabilities import ProviderFacts
from domain.people.tenants import Tenants
from providers.registry import Accounts
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.gate.healths import Healths

Result = TypeVar("Result")


class Gates(Protocol):
    """How the accounts' gates are reached; see `runtime.gates`."""

    async def join(self, account: str, ticket: Ticket) -> None:
        """Put a ticket into an account's queue."""
        ...

    async def ack(self, account: str, ref: str) -> None:
        """Say that an order was written."""
        ...

    async def release(self, account: str, release: Release) -> None:
        """Give a slot back."""
        ...


@dataclass(frozen=True)
class Service:
    """The stores and accounts of one worker process.

    Attributes:
        gates: How the accounts' gates are reached.
        healths: How the accounts stand.
        account_limits: What each can bear.
        providers: What the accounts can do.
        limits: Given to each order when it is claimed.
        max_output_bytes: The largest video that is fetched.
        tenants: What each tenant and user may do.
    """

    database: Database
    accounts: Accounts
    gates: Gates
    healths: Healths
    account_limits: Mapping[str, AccountLimits]
    providers: tuple[ProviderFacts, ...]
    assets: LocalAssets
    first_frames: FirstFrames
    limits: Limits
    max_output_bytes: int
    tenants: Tenants = field(default_factory=Tenants)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


async def insistently(work: Callable[[], Awaitable[Result]], *, during: timedelta) -> Result:
    """Write something that must not be given up lightly: repeat it while the database is away.

    Args:
        work: One transaction, harmless to repeat.
        during: For how long.

    Raises:
        SQLAlchemyError: The database was away for all that time.
    """
    until = asyncio.get_running_loop().time() + during.total_seconds()
    while True:
        try:
            return await work()
        except (SQLAlchemyError, OSError):
            if asyncio.get_running_loop().time() >= until:
                raise
            activity.logger.warning("The database is away; trying again.", exc_info=True)
            await asyncio.sleep(0.5)


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Tell the server that we live, as often as its heartbeat time-out asks for."""
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield
        return

    async def beat(interval: float) -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(interval)

    task = asyncio.create_task(beat(timeout.total_seconds() / 3))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
