"""Reading the catalog: generations with their takes, attempts and money."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.failures import Failure
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.generation import Attempt, Cost, DeploymentMode, Feedback, Generation, Take, Video
from domain.model import Frozen
from domain.orders.plans import Plan
from domain.orders.request import GenerationRequest
from domain.status import Stage, Status
from storage.tables import attempts, generations, takes


class Filters(Frozen):
    """What a list of generations is narrowed to; all of it must hold."""

    status: Status | None = None
    provider: str | None = None
    project_id: str | None = None
    scenario_id: str | None = None
    user_id: str | None = None
    q: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


async def find(connection: AsyncConnection, generation_id: str) -> Generation | None:
    """Return one generation, or None where there is none of that id."""
    found = await _assemble(connection, await _rows(connection, generations.c.id == generation_id))
    return found[0] if found else None


async def load(connection: AsyncConnection, generation_id: str) -> Generation:
    """Return one generation that is known to exist.

    Raises:
        LookupError: There is none of that id.
    """
    generation = await find(connection, generation_id)
    if generation is None:
        raise LookupError(f"no generation {generation_id}")
    return generation


async def page(
    connection: AsyncConnection, filters: Filters, *, before_id: str | None, limit: int
) -> Sequence[Generation]:
    """Return generations, the newest first.

    Args:
        connection: Where to read.
        filters: What they must be.
        before_id: Only those older than this one.
        limit: How many at most.
    """
    conditions = [
        generations.c.deleted_at.is_(None),
        *(
            generations.c[name] == value
            for name in ("status", "provider", "project_id", "scenario_id", "user_id")
            if (value := getattr(filters, name)) is not None
        ),
    ]
    if before_id is not None:
        conditions.append(generations.c.id < before_id)
    if filters.q is not None:
        conditions.append(generations.c.prompt.icontains(filters.q, autoescape=True))
    if filters.created_after is not None:
        conditions.append(generations.c.created_at > filters.created_after)
    if filters.created_before is not None:
        conditions.append(generations.c.created_at < filters.created_before)
    return await _assemble(connection, await _rows(connection, *conditions, limit=limit))


async def _rows(connection: AsyncConnection, *conditions: Any, limit: int = 1) -> Sequence[Row[Any]]:
    query = select(generations).where(*conditions).order_by(generations.c.id.desc()).limit(limit)
    return (await connection.execute(query)).all()


async def _assemble(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Generation]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    of_take: dict[tuple[str, int], list[Attempt]] = defaultdict(list)
    query = select(attempts).where(attempts.c.generation_id.in_(ids)).order_by(attempts.c.number)
    for row in await connection.execute(query):
        of_take[row.generation_id, row.take].append(attempt_of(row))
    of_generation: dict[str, list[Take]] = defaultdict(list)
    for row in await connection.execute(
        select(takes).where(takes.c.generation_id.in_(ids)).order_by(takes.c.number)
    ):
        of_generation[row.generation_id].append(take_of(row, of_take[row.generation_id, row.number]))
    return [_generation(row, of_generation[row.id]) for row in rows]


def _generation(row: Row[Any], of_takes: Iterable[Take]) -> Generation:
    return Generation(
        id=row.id,
        mode=DeploymentMode(row.mode),
        tenant_id=row.tenant_id,
        status=Status(row.status),
        stage=Stage(row.stage),
        progress_percent=row.progress_percent,
        progress_source=row.progress_source,
        progress_at=row.progress_at,
        last_seq=row.last_seq,
        project_id=row.project_id,
        scenario_id=row.scenario_id,
        user_id=row.user_id,
        metadata=row.metadata,
        takes=tuple(of_takes),
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
        deleted_at=row.deleted_at,
    )


def take_of(row: Row[Any], of_attempts: Iterable[Attempt]) -> Take:
    """Return the record of a row of `takes`."""
    return Take(
        number=row.number,
        status=Status(row.status),
        request=GenerationRequest.model_validate(row.request),
        plan=Plan.model_validate(row.plan),
        route=tuple(Plan.model_validate(plan) for plan in row.route or [row.plan]),
        cancel_requested_at=row.cancel_requested_at,
        cancel_outcome=None if row.cancel_outcome is None else CancelOutcome(row.cancel_outcome),
        cancel_billed=row.cancel_billed,
        failure=failure_of(row.failure),
        video=None if row.video is None else Video.model_validate(row.video),
        reserved=row.reserved_micros,
        superseded_by=row.superseded_by,
        kept=row.kept,
        feedback=None if row.feedback is None else Feedback.model_validate(row.feedback),
        attempts=tuple(of_attempts),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def attempt_of(row: Row[Any]) -> Attempt:
    """Return the record of a row of `attempts`."""
    return Attempt(
        ref=row.ref,
        number=row.number,
        provider=row.provider,
        account=row.account,
        model=row.model,
        state=AttemptState(row.state),
        job_id=row.job_id,
        failure=failure_of(row.failure),
        cost=Cost(reserved=row.reserved_micros, settled=row.settled_micros, at_risk=row.at_risk_micros),
        started_at=row.started_at,
        ended_at=row.ended_at,
        plan=None if row.plan is None else Plan.model_validate(row.plan),
        job_state=None if row.job_state is None else JobState(row.job_state),
        not_before=row.not_before,
        give_up_at=row.give_up_at,
        may_leave=row.may_leave,
        deadline=row.deadline,
        given_up_at=row.given_up_at,
    )


def failure_of(data: dict[str, Any] | None) -> Failure | None:
    """Return the failure stored as JSON."""
    return None if data is None else Failure.model_validate(data)
