"""Wishes that nobody seems to serve: what the reconciler nudges again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import DeploymentMode
from domain.messages import Signal
from domain.outcomes import (
    CancelOutcome,
)
from domain.status import TERMINAL
from storage.tables import generations, takes


@dataclass(frozen=True)
class Unheard:
    """A wish that nobody seems to be serving.

    Attributes:
        certain: False where a run has claimed the take and may well be working on it quietly: ask first.
    """

    generation_id: str
    take: int
    signal: Signal
    certain: bool


async def unheard_wishes(
    connection: AsyncConnection,
    now: datetime,
    *,
    mode: DeploymentMode,
    older_than: timedelta,
    quiet_for: timedelta,
    limit: int = 200,
) -> Sequence[Unheard]:
    """Return the wishes that should be nudged again: the certain ones first, of those the oldest.

    Args:
        connection: Where to read.
        now: The time.
        mode: Only what belongs to this mode; the rest waits until the deployment is in the other one.
        older_than: Age from which an unclaimed take, or a cancel without outcome, counts as unheard.
        quiet_for: Silence after which a claimed take may have lost its run.
        limit: How many at most.
    """
    open_take = takes.c.status.not_in(TERMINAL)
    unclaimed = and_(takes.c.claimed_at.is_(None), takes.c.created_at < now - older_than)
    uncancelled = and_(
        takes.c.cancel_outcome == CancelOutcome.REQUESTED, takes.c.cancel_requested_at < now - older_than
    )
    quiet = and_(takes.c.claimed_at.is_not(None), generations.c.updated_at < now - quiet_for)
    query = (
        select(
            takes.c.generation_id,
            takes.c.number,
            unclaimed.label("unclaimed"),
            uncancelled.label("uncancelled"),
        )
        .join(generations, generations.c.id == takes.c.generation_id)
        .where(generations.c.mode == mode, open_take, or_(unclaimed, uncancelled, quiet))
        .order_by(case((or_(unclaimed, uncancelled), 0), else_=1), takes.c.created_at)
        .limit(limit)
    )
    return [
        Unheard(
            generation_id=row.generation_id,
            take=row.number,
            signal=Signal.CANCEL if row.uncancelled else Signal.REGENERATE,
            certain=bool(row.unclaimed or row.uncancelled),
        )
        for row in await connection.execute(query)
    ]
