"""What was spent, by whom and on what, and what of it was for nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import JobState
from domain.generation import DeploymentMode
from domain.model import Frozen
from domain.money import Micros
from domain.people.quotas import Spent, next_month, this_month
from domain.status import Status
from storage.money.quotas import in_month, spent_of, sums
from storage.tables import attempts, generations, spending, takes
from storage.tables.joins import GENERATION_OF_TAKE, TAKE_OF_ATTEMPT

ROWS_MAX = 100
"""How many projects, providers or users are told apart; those that cost the most this month."""


Column = Literal["project_id", "provider", "user_id"]
COLUMNS: tuple[Column, ...] = ("project_id", "provider", "user_id")
"""What is told apart."""


class Share(Frozen):
    """What one project, provider or user has of it.

    Attributes:
        name: None for what belongs to none.
    """

    name: str | None
    today: Spent
    month: Spent


class Wasted(Frozen):
    """What was billed this month and gave nobody a video to keep, in micro-dollars.

    Attributes:
        failed: By attempts that failed, also where another one then made the video.
        cancelled: By takes that were cancelled or replaced.
        unkept: By older takes that nobody marked to keep, where a newer one has a video.
    """

    failed: Micros = 0
    cancelled: Micros = 0
    unkept: Micros = 0

    @property
    def total(self) -> Micros:
        """All of it."""
        return self.failed + self.cancelled + self.unkept


async def shares(
    connection: AsyncConnection,
    by: Column,
    tenant_id: str,
    user_id: str | None,
    mode: DeploymentMode,
    now: datetime,
) -> Sequence[Share]:
    """Return what was spent this month by project, provider or user; what cost the most first.

    Args:
        connection: Where to read.
        by: What is told apart, one of `COLUMNS`.
        tenant_id: Whose.
        user_id: Of this user only; None: of the whole tenant.
        mode: Of which mode.
        now: The time, which says which day and which month.
    """
    column = spending.c[by]
    costs = func.sum(spending.c.reserved_micros + spending.c.settled_micros + spending.c.at_risk_micros)
    query = (
        select(column, *sums(now))
        .where(*in_month(tenant_id, user_id, mode, now))
        .group_by(column)
        .order_by(costs.desc(), column)
        .limit(ROWS_MAX)
    )
    found = []
    for row in (await connection.execute(query)).all():
        name, *values = row
        today, month = spent_of(tuple(values))
        found.append(Share(name=name or None, today=today, month=month))
    return found


async def wasted(
    connection: AsyncConnection, tenant_id: str, user_id: str | None, mode: DeploymentMode, now: datetime
) -> Wasted:
    """Return what was billed for nothing, for takes that were accepted this month."""
    failed = _failed()
    unkept = and_(
        takes.c.status == Status.COMPLETED, not_(failed), takes.c.kept.is_(False), _has_newer_video()
    )
    cancelled = takes.c.status == Status.CANCELLED
    query = (
        select(*(_sum_where(condition) for condition in (failed, cancelled, unkept)))
        .select_from(attempts)
        .join(takes, TAKE_OF_ATTEMPT)
        .join(generations, GENERATION_OF_TAKE)
        .where(
            generations.c.tenant_id == tenant_id,
            generations.c.mode == mode,
            takes.c.created_at >= this_month(now),
            takes.c.created_at < next_month(now),
            attempts.c.settled_micros != 0,
            *([] if user_id is None else [generations.c.user_id == user_id]),
        )
    )
    row = (await connection.execute(query)).one()
    return Wasted(failed=int(row[0]), cancelled=int(row[1]), unkept=int(row[2]))


def _failed() -> ColumnElement[bool]:
    """Whether an attempt gave its take no video; one that came late has, unless another one was there first."""
    other = attempts.alias("other")
    has_another_video = exists().where(
        other.c.generation_id == attempts.c.generation_id,
        other.c.take == attempts.c.take,
        other.c.ref != attempts.c.ref,
        other.c.job_state == JobState.SUCCEEDED,
        other.c.given_up_at.is_(None),
    )
    made_nothing = attempts.c.job_state.is_distinct_from(JobState.SUCCEEDED)
    was_given_up = and_(
        takes.c.status != Status.CANCELLED,
        attempts.c.given_up_at.is_not(None),
        or_(made_nothing, has_another_video),
    )
    return or_(takes.c.status == Status.FAILED, was_given_up)


def _has_newer_video() -> ColumnElement[bool]:
    newer = takes.alias("newer")
    return exists().where(
        newer.c.generation_id == takes.c.generation_id,
        newer.c.number > takes.c.number,
        newer.c.status == Status.COMPLETED,
    )


def _sum_where(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, attempts.c.settled_micros), else_=0)), 0)
