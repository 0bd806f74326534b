"""Wishes that nobody seems to serve: what the reconciler nudges again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import CancelOutcome
from domain.generation import DeploymentMode
from domain.names import Signal
from domain.status import TERMINAL, Status
from storage.tables import generations, takes
from storage.tables.joins import GENERATION_OF_TAKE

_OPEN = sorted(set(Status) - TERMINAL)
_CERTAIN, _DOUBTED = 0, 1


@dataclass(frozen=True)
class Unheard:
    """A wish that nobody seems to be serving.

    Attributes:
        certain: False where a run has claimed the take and may well be working on it quietly: ask first.
        created_at: Of the take: its place in the list.
    """

    generation_id: str
    take: int
    signal: Signal
    certain: bool
    created_at: datetime | None = field(default=None, compare=False)


async def unheard_wishes(
    connection: AsyncConnection,
    now: datetime,
    *,
    mode: DeploymentMode,
    older_than: timedelta,
    quiet_for: timedelta,
    after: Unheard | None = None,
    limit: int = 200,
) -> Sequence[Unheard]:
    """Return a page of the wishes that should be nudged again: the certain ones first, of each kind the oldest.

    Args:
        connection: Where to read.
        now: The time.
        mode: Only what belongs to this mode; the rest waits until the deployment is in the other one.
        older_than: Age from which an unclaimed take, or a cancel without outcome, counts as unheard.
        quiet_for: Silence after which a claimed take may have lost its run.
        after: The last one of the page before; None for the first page.
        limit: How many at most.
    """
    unclaimed = and_(takes.c.claimed_at.is_(None), takes.c.created_at < now - older_than)
    uncancelled = and_(
        takes.c.cancel_outcome == CancelOutcome.REQUESTED, takes.c.cancel_requested_at < now - older_than
    )
    quiet = and_(takes.c.claimed_at.is_not(None), generations.c.updated_at < now - quiet_for)
    kind = case((or_(unclaimed, uncancelled), _CERTAIN), else_=_DOUBTED)
    query = (
        select(
            takes.c.generation_id,
            takes.c.number,
            takes.c.created_at,
            unclaimed.label("unclaimed"),
            uncancelled.label("uncancelled"),
        )
        .join(generations, GENERATION_OF_TAKE)
        .where(generations.c.mode == mode, takes.c.status.in_(_OPEN), or_(unclaimed, uncancelled, quiet))
        .order_by(kind, takes.c.created_at, takes.c.generation_id, takes.c.number)
        .limit(limit)
    )
    if after is not None:
        query = query.where(_comes_after(kind, after))
    return [
        Unheard(
            generation_id=row.generation_id,
            take=row.number,
            signal=Signal.CANCEL if row.uncancelled else Signal.REGENERATE,
            certain=bool(row.unclaimed or row.uncancelled),
            created_at=row.created_at,
        )
        for row in await connection.execute(query)
    ]


def _comes_after(kind: ColumnElement[int], place: Unheard) -> ColumnElement[bool]:
    """Tell what has its place in the list behind another wish."""
    own = _CERTAIN if place.certain else _DOUBTED
    behind = or_(
        takes.c.generation_id > place.generation_id,
        and_(takes.c.generation_id == place.generation_id, takes.c.number > place.take),
    )
    younger = or_(takes.c.created_at > place.created_at, and_(takes.c.created_at == place.created_at, behind))
    return or_(kind > own, and_(kind == own, younger))
