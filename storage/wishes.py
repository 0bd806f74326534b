"""What people want, written down before anything is done about it.

Each wish is one transaction: the row, the money's reservation where an attempt exists, and the event. Whether
Temporal is up does not matter here; the nudge comes afterwards, and may be repeated by anyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.capabilities import Plan
from domain.events import EventType
from domain.generation import Cost, DeploymentMode, Generation, Take
from domain.messages import Signal
from domain.money import to_usd
from domain.outcomes import AttemptState, CancelOutcome
from domain.request import GenerationRequest
from domain.status import TERMINAL, Move, Position, Stage, Status, after
from storage import catalog, events
from storage.tables import attempts, generations, takes


@dataclass(frozen=True)
class Person:
    """On whose behalf a wish is made, and under which conditions."""

    tenant_id: str
    mode: DeploymentMode


class StillRunning(ValueError):
    """A new take is asked for while the last one is not over."""


class AlreadyOver(ValueError):
    """A cancel is asked for after the end."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"the generation is {status} already")
        self.status = status


async def create(
    connection: AsyncConnection,
    generation_id: str,
    person: Person,
    request: GenerationRequest,
    plan: Plan,
    now: datetime,
) -> Generation:
    """Write a new generation with its first take."""
    await connection.execute(
        insert(generations).values(
            id=generation_id,
            mode=person.mode,
            tenant_id=person.tenant_id,
            status=Status.PENDING,
            stage=Stage.ACCEPTED,
            provider=plan.provider,
            prompt=request.prompt,
            current_take=1,
            position=Position(take=1).as_int(),
            project_id=request.project_id,
            scenario_id=request.scenario_id,
            user_id=request.user_id,
            metadata=request.metadata,
            created_at=now,
            updated_at=now,
        )
    )
    await _insert_take(connection, generation_id, 1, request, plan, now, wish_key=None)
    await events.append(
        connection,
        EventType.GENERATION_ACCEPTED,
        generation_id=generation_id,
        take=1,
        at=now,
        message=f"Accepted: {plan.duration_seconds} seconds by {plan.provider} {plan.model}.",
        data={
            "request": request.model_dump(mode="json", exclude_none=True),
            "mode": person.mode,
            "cost": {"estimate_usd": to_usd(plan.price)},
        },
    )
    return await catalog.load(connection, generation_id)


async def regenerate(
    connection: AsyncConnection,
    generation: Generation,
    request: GenerationRequest,
    plan: Plan,
    now: datetime,
    *,
    wish_key: str | None = None,
) -> Generation:
    """Write the next take of a finished generation.

    Raises:
        StillRunning: Its last take is not over.
    """
    if not generation.status.is_terminal:
        raise StillRunning("the last take is not over")
    number = generation.current.number + 1
    await _insert_take(connection, generation.id, number, request, plan, now, wish_key=wish_key)
    await connection.execute(
        update(generations)
        .where(generations.c.id == generation.id)
        .values(
            status=after(generation.status, Move.REGENERATE),
            stage=Stage.ACCEPTED,
            provider=plan.provider,
            prompt=request.prompt,
            current_take=number,
            position=Position(take=number).as_int(),
            progress_percent=0,
            progress_source=None,
            progress_at=None,
            completed_at=None,
            updated_at=now,
        )
    )
    before = generation.current.request.model_dump(mode="json")
    changes = {
        name: value for name, value in request.model_dump(mode="json").items() if value != before[name]
    }
    await events.append(
        connection,
        EventType.TAKE_STARTED,
        generation_id=generation.id,
        take=number,
        at=now,
        message=f"Take {number} was asked for.",
        data={"cause": "regenerate", "changes": changes},
    )
    return await catalog.load(connection, generation.id)


async def was_granted(connection: AsyncConnection, generation_id: str, wish_key: str) -> bool:
    """Tell whether a person's signal has become a take before."""
    query = select(takes.c.number).where(takes.c.generation_id == generation_id, takes.c.wish_key == wish_key)
    return (await connection.execute(query)).first() is not None


async def cancel(
    connection: AsyncConnection, generation: Generation, now: datetime, *, by: str, reason: str | None
) -> Take:
    """Write the wish to cancel the current take; where nothing was sent yet, it is cancelled here and now.

    Returns:
        The take with its outcome: `stopped_before_submit` is final and exact, because the claim that precedes
        every send reads this row; `requested` means that a job may exist, which the workflow will cancel.

    Raises:
        AlreadyOver: It is over, and not by an earlier cancel.
    """
    take = generation.current
    if take.cancel_requested_at is not None:
        return take
    if generation.status.is_terminal:
        raise AlreadyOver(generation.status)
    await connection.execute(
        update(attempts)
        .where(
            attempts.c.generation_id == generation.id,
            attempts.c.take == take.number,
            attempts.c.state == AttemptState.GRANTED,
        )
        .values(state=AttemptState.ABANDONED, reserved_micros=0, ended_at=now)
    )
    # Read again: on PostgreSQL a sender may have won the permission between the caller's look and the withdrawal.
    take = (await catalog.load(connection, generation.id)).current
    unsent = [attempt.state.is_unsent for attempt in take.attempts]
    await connection.execute(
        update(takes)
        .where(takes.c.generation_id == generation.id, takes.c.number == take.number)
        .values(cancel_requested_at=now, cancel_reason=reason, cancel_outcome=CancelOutcome.REQUESTED)
    )
    await events.append(
        connection,
        EventType.CANCEL_REQUESTED,
        generation_id=generation.id,
        take=take.number,
        at=now,
        message="Cancel was asked for." if reason is None else f"Cancel was asked for: {reason}",
        data={"by": by, "reason": reason},
    )
    if not all(unsent):
        await connection.execute(
            update(generations).where(generations.c.id == generation.id).values(stage=Stage.CANCELLING)
        )
    else:
        await close_cancelled(
            connection, generation, take, CancelOutcome.STOPPED_BEFORE_SUBMIT, now, billed=False
        )
    return (await catalog.load(connection, generation.id)).current


async def close_cancelled(
    connection: AsyncConnection,
    generation: Generation,
    take: Take,
    outcome: CancelOutcome,
    now: datetime,
    *,
    billed: bool | None,
) -> None:
    """Write that a take is cancelled, with the true outcome; nothing where the take is over."""
    closed = await connection.execute(
        update(takes)
        .where(
            takes.c.generation_id == generation.id,
            takes.c.number == take.number,
            takes.c.status.not_in(TERMINAL),
        )
        .values(
            status=after(take.status, Move.CANCEL) if not take.status.is_terminal else take.status,
            cancel_outcome=outcome,
            cancel_billed=billed,
            ended_at=now,
        )
    )
    if closed.rowcount == 0:
        return
    if generation.current.number == take.number:
        await connection.execute(
            update(generations)
            .where(generations.c.id == generation.id)
            .values(status=Status.CANCELLED, stage=Stage.DONE, completed_at=now, updated_at=now)
        )
    cost = await cost_of(connection, generation.id)
    words = {
        CancelOutcome.STOPPED_BEFORE_SUBMIT: "Cancelled before anything was sent; it costs nothing.",
        CancelOutcome.STOPPED: "Cancelled; the provider stopped the job.",
        CancelOutcome.GOES_ON: "Cancelled here; the provider does not stop the job, which may still be billed.",
    }
    await events.append(
        connection,
        EventType.CANCEL_OUTCOME,
        generation_id=generation.id,
        take=take.number,
        at=now,
        message=words[outcome],
        data={"outcome": outcome, "billed": billed, "cost": cost_json(cost)},
        key=f"cancel.outcome/{take.number}",
    )
    await events.append(
        connection,
        EventType.GENERATION_CANCELLED,
        generation_id=generation.id,
        take=take.number,
        at=now,
        message="The generation is cancelled.",
        data={"cost": cost_json(cost), "actions": ["regenerate"]},
        key=f"cancelled/{take.number}",
    )


async def _insert_take(
    connection: AsyncConnection,
    generation_id: str,
    number: int,
    request: GenerationRequest,
    plan: Plan,
    now: datetime,
    *,
    wish_key: str | None,
) -> None:
    await connection.execute(
        insert(takes).values(
            generation_id=generation_id,
            number=number,
            status=Status.PENDING,
            request=request.model_dump(mode="json", exclude_none=True),
            plan=plan.model_dump(mode="json"),
            wish_key=wish_key,
            created_at=now,
        )
    )


async def cost_of(connection: AsyncConnection, generation_id: str) -> Cost:
    """Return the money of a generation, as it stands in this transaction."""
    return (await catalog.load(connection, generation_id)).cost


def cost_json(cost: Cost) -> dict[str, str]:
    """Return the three numbers as decimal strings of dollars."""
    return {
        "reserved_usd": to_usd(cost.reserved),
        "settled_usd": to_usd(cost.settled),
        "at_risk_usd": to_usd(cost.at_risk),
    }


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


async def unheard(
    connection: AsyncConnection,
    now: datetime,
    *,
    older_than: timedelta,
    quiet_for: timedelta,
    limit: int = 200,
) -> Sequence[Unheard]:
    """Return the wishes that should be nudged again: the certain ones first, of those the oldest.

    Args:
        connection: Where to read.
        now: The time.
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
        .where(open_take, or_(unclaimed, uncancelled, quiet))
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
