"""How each account stands, from what SQL knows: its gate's last news, its queue, and how long jobs took there."""

import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import AttemptState, JobState
from domain.attempts.routing import Health
from domain.gate.tickets import AccountLimits, BreakerRecord, BreakerState
from domain.generation import DeploymentMode
from domain.moments import moment_of
from storage.tables import attempts, gates, generations
from storage.tables.joins import GENERATION_OF_ATTEMPT

_KEEP_SECONDS = 1.0
_GUESSED_JOB_SECONDS = 60.0
_KEEP_MEASURED_SECONDS = 15.0
_MEASURED = 20
_UNDER_WAY = (AttemptState.SENDING, AttemptState.ACCEPTED, AttemptState.FOUND)


class Healths:
    """The accounts of a deployment, looked at not more than once a second."""

    def __init__(self, accounts: Mapping[str, AccountLimits], mode: DeploymentMode) -> None:
        """Look at nothing yet.

        Args:
            accounts: What each can bear.
            mode: Times are measured with jobs of this mode only.
        """
        self._accounts = accounts
        self._mode = mode
        self._longest = max((limits.job for limits in accounts.values()), default=timedelta())
        self._known: dict[str, Health] = {}
        self._known_at = float("-inf")
        self._seconds: dict[str, float] = {}
        self._measured_at = float("-inf")

    async def look(self, connection: AsyncConnection, now: datetime) -> Mapping[str, Health]:
        """Return how each account stands."""
        if time.monotonic() - self._known_at > _KEEP_SECONDS:
            self._known = await self._read(connection, now)
            self._known_at = time.monotonic()
        return self._known

    async def _read(self, connection: AsyncConnection, now: datetime) -> dict[str, Health]:
        if time.monotonic() - self._measured_at > _KEEP_MEASURED_SECONDS:
            self._seconds = {account: await self._measure(connection, account) for account in self._accounts}
            self._measured_at = time.monotonic()
        rows = {row.account: row for row in await connection.execute(select(gates))}
        waiting, running = await _counts(connection, self._mode, now - self._longest)
        healths = {}
        for account, limits in self._accounts.items():
            row, measured = rows.get(account), self._seconds.get(account, 0.0)
            known = {} if not measured else {"job_seconds": measured, "is_measured": True}
            healths[account] = Health.model_validate(
                {
                    "account": account,
                    "is_paused": row is not None and row.pause_reason is not None,
                    "breaker_until": None
                    if row is None
                    else _open_until(row, self._seconds.get(account), now),
                    "hold_off_until": None if row is None else row.hold_off_until,
                    "max_concurrent": limits.max_concurrent,
                    "spacing": limits.spacing,
                    "waiting": waiting[account],
                    "running": running[account],
                }
                | known
            )
        return healths

    async def _measure(self, connection: AsyncConnection, account: str) -> float:
        """Return how long the last jobs of an account took, in seconds; 0 where none is known."""
        query = (
            select(attempts.c.accepted_at, attempts.c.ended_at)
            .join(generations, GENERATION_OF_ATTEMPT)
            .where(
                attempts.c.account == account,
                attempts.c.state.in_((AttemptState.ACCEPTED, AttemptState.FOUND)),
                attempts.c.job_state == JobState.SUCCEEDED,
                generations.c.mode == self._mode,
                attempts.c.ended_at.is_not(None),
            )
            .order_by(attempts.c.ended_at.desc())
            .limit(_MEASURED)
        )
        seconds = [
            (row.ended_at - row.accepted_at).total_seconds() for row in await connection.execute(query)
        ]
        return fmean(seconds) if seconds else 0.0


def _open_until(row: Row[Any], job_seconds: float | None, now: datetime) -> datetime | None:
    """Return until when a breaker lets nobody through; while its probe is out, about as long as a job takes."""
    breaker = BreakerRecord.model_validate(row.breaker or {})
    match breaker.state:
        case BreakerState.CLOSED:
            return None
        case BreakerState.HALF_OPEN:
            until = row.updated_at + timedelta(seconds=job_seconds or _GUESSED_JOB_SECONDS)
        case BreakerState.OPEN:
            until = now if breaker.until is None else moment_of(breaker.until)
    return until if until > now else None


async def _counts(
    connection: AsyncConnection, mode: DeploymentMode, lost_before: datetime
) -> tuple[defaultdict[str, int], defaultdict[str, int]]:
    """Return how many attempts wait and are under way, by account.

    A job that was not seen to end, and whose time was over long ago, is under way no more.
    """
    waiting: defaultdict[str, int] = defaultdict(int)
    running: defaultdict[str, int] = defaultdict(int)
    query = (
        select(attempts.c.account, attempts.c.state, func.count())
        .join(generations, GENERATION_OF_ATTEMPT)
        .where(
            generations.c.mode == mode,
            or_(
                attempts.c.state == AttemptState.QUEUED,
                and_(
                    attempts.c.state.in_(_UNDER_WAY),
                    attempts.c.ended_at.is_(None),
                    or_(attempts.c.deadline.is_(None), attempts.c.deadline > lost_before),
                ),
            ),
        )
        .group_by(attempts.c.account, attempts.c.state)
    )
    for account, state, count in await connection.execute(query):
        (waiting if state == AttemptState.QUEUED else running)[account] += count
    return waiting, running
