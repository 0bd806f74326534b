"""What people want, written down before anything is done about it.

Each wish is one transaction: the row, the money's reservation where an attempt exists, and the event. Whether
Temporal is up does not matter here; the nudge comes afterwards, and may be repeated by anyone. The caller holds the
generation's row (`Database.write`, `alone_with`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import CancelOutcome
from domain.events import EventType
from domain.generation import DeploymentMode, Generation, Take
from domain.money import to_usd
from domain.orders.line_up import name_of
from domain.orders.plans import Plan
from domain.orders.request import GenerationRequest, IfRunning
from domain.status import Move, Position, Stage, Status, after
from storage import catalog, events
from storage.attempts.fence import withdraw
from storage.money import ledger
from storage.tables import generations, takes
from storage.tables.joins import is_take
from storage.takes.endings import close_at_rest


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
    route: Sequence[Plan],
    now: datetime,
) -> Generation:
    """Write a new generation with its first take.

    Args:
        connection: The transaction.
        generation_id: Its id.
        person: Whose it is.
        request: What is asked for.
        route: The plans that may serve it, the preferred one first.
        now: The time.
    """
    plan = route[0]
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
    await _insert_take(connection, generation_id, 1, request, route, now, wish_key=None)
    await ledger.hold(connection, generation_id, 1, plan.provider, plan.price, now)
    await events.append(
        connection,
        EventType.GENERATION_ACCEPTED,
        generation_id=generation_id,
        take=1,
        at=now,
        message=f"Accepted: {plan.duration_seconds} seconds by {name_of(plan.provider)} {plan.model}.",
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
    route: Sequence[Plan],
    now: datetime,
    *,
    if_running: IfRunning = IfRunning.REFUSE,
    wish_key: str | None = None,
) -> Generation:
    """Write the next take; a take that is running is replaced, where that is wished.

    Raises:
        StillRunning: The last take is not over, and is not to be replaced.
    """
    plan = route[0]
    is_over = generation.status.is_terminal
    if not is_over and if_running is not IfRunning.REPLACE:
        raise StillRunning("the last take is not over")
    number = generation.current.number + 1
    waits_for = None if is_over else await _replace(connection, generation, number, now)
    await _insert_take(connection, generation.id, number, request, route, now, wish_key=wish_key)
    await ledger.hold(connection, generation.id, number, plan.provider, plan.price, now)
    await connection.execute(
        update(generations)
        .where(generations.c.id == generation.id)
        .values(
            status=after(generation.status, Move.REGENERATE if is_over else Move.REPLACE),
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
        message=f"Take {number} was asked for."
        + (f" It begins when it is known whether take {waits_for} could be stopped." if waits_for else ""),
        data={
            "cause": Move.REGENERATE if is_over else Move.REPLACE,
            "changes": changes,
            "waits_for": waits_for,
        },
    )
    return await catalog.load(connection, generation.id)


async def was_granted(connection: AsyncConnection, generation_id: str, wish_key: str) -> bool:
    """Tell whether a person's signal has become a take before."""
    query = select(takes.c.number).where(takes.c.generation_id == generation_id, takes.c.wish_key == wish_key)
    return (await connection.execute(query)).first() is not None


async def cancel(
    connection: AsyncConnection,
    generation: Generation,
    now: datetime,
    *,
    by: str,
    reason: str | None,
    wish_key: str | None = None,
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
    if not await _stop(connection, generation, now, by=by, reason=reason, wish_key=wish_key):
        await connection.execute(
            update(generations).where(generations.c.id == generation.id).values(stage=Stage.CANCELLING)
        )
    return (await catalog.load(connection, generation.id)).current


async def _replace(connection: AsyncConnection, generation: Generation, by: int, now: datetime) -> int | None:
    """Write that the current take is replaced by another, and is to be cancelled.

    Returns:
        The take's number where a job of it may exist, which is to be stopped first.
    """
    take = generation.current
    await connection.execute(
        update(takes).where(is_take(generation.id, take.number)).values(superseded_by=by)
    )
    if take.cancel_requested_at is None:
        reason = f"Replaced by take {by}."
        if await _stop(connection, generation, now, by="user", reason=reason, wish_key=None):
            return None
    return take.number


async def _stop(
    connection: AsyncConnection,
    generation: Generation,
    now: datetime,
    *,
    by: str,
    reason: str | None,
    wish_key: str | None,
) -> bool:
    """Write the wish to stop the current take; tell whether that has ended it, since nothing was sent."""
    number = generation.current.number
    await withdraw(connection, generation.id, number, now)
    await connection.execute(
        update(takes)
        .where(is_take(generation.id, number))
        .values(cancel_requested_at=now, cancel_reason=reason, cancel_outcome=CancelOutcome.REQUESTED)
    )
    await events.append(
        connection,
        EventType.CANCEL_REQUESTED,
        generation_id=generation.id,
        take=number,
        at=now,
        message="Cancel was asked for." if reason is None else f"Cancel was asked for: {reason}",
        data={"by": by, "reason": reason},
        key=wish_key,
    )
    take = (await catalog.load(connection, generation.id)).current
    if any(attempt.is_open for attempt in take.attempts):
        return False
    await close_at_rest(connection, generation, take, now)
    return True


async def _insert_take(
    connection: AsyncConnection,
    generation_id: str,
    number: int,
    request: GenerationRequest,
    route: Sequence[Plan],
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
            plan=route[0].model_dump(mode="json"),
            route=[plan.model_dump(mode="json") for plan in route],
            image_id=request.params.image_id,
            wish_key=wish_key,
            created_at=now,
        )
    )
