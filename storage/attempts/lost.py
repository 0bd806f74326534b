"""Orders whose job was looked for in vain and given up: what the reconciler looks for again, for a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.outcomes import AttemptState
from domain.generation import Attempt, DeploymentMode, Generation, Take
from domain.limits import Limits
from domain.messages import ClaimedAttempt, Order
from storage import catalog
from storage.tables import attempts, generations
from storage.tables.joins import GENERATION_OF_ATTEMPT

LOOKED_FOR = timedelta(hours=24)
"""How long after its sending an order's job is looked for: as long as its output would live."""


@dataclass(frozen=True)
class Lost:
    """An order whose job may exist."""

    order: Order
    sent_at: datetime


async def given_up(
    connection: AsyncConnection,
    provider: str,
    now: datetime,
    *,
    mode: DeploymentMode,
    limits: Limits,
    turn: int,
    limit: int = 20,
) -> Sequence[Lost]:
    """Return some of a provider's orders that were given up without knowing whether they became a job.

    Args:
        connection: Where to read.
        provider: At whose account.
        now: The time.
        mode: Only what belongs to this mode.
        limits: What an order that is found carries: how long its job may take.
        turn: Counts the looks: where there are more than `limit`, each look is given the next of them.
        limit: How many at most.
    """
    conditions = [
        attempts.c.state == AttemptState.UNKNOWN,
        # The job id is missing, the order is over in the eyes of its take, and it is not too long ago.
        attempts.c.ended_at > now - LOOKED_FOR,
        attempts.c.sent_at > now - LOOKED_FOR,
        attempts.c.given_up_at.is_not(None),
        attempts.c.provider == provider,
        generations.c.mode == mode,
        generations.c.deleted_at.is_(None),
    ]
    joined = attempts.join(generations, GENERATION_OF_ATTEMPT)
    count = (
        await connection.execute(select(func.count()).select_from(joined).where(*conditions))
    ).scalar_one()
    if not count:
        return []
    pages = -(-count // limit)
    query = (
        select(
            attempts.c.ref, attempts.c.generation_id, attempts.c.take, attempts.c.number, attempts.c.sent_at
        )
        .select_from(joined)
        .where(*conditions)
        .order_by(attempts.c.ref)
        .offset(turn % pages * limit)
        .limit(limit)
    )
    lost = []
    for row in (await connection.execute(query)).all():
        generation = await catalog.load(connection, row.generation_id)
        take = generation.take(row.take)
        attempt = next(one for one in take.attempts if one.ref == row.ref)
        lost.append(Lost(_order(generation, take, attempt, limits), row.sent_at))
    return lost


def _order(generation: Generation, take: Take, attempt: Attempt, limits: Limits) -> Order:
    return Order(
        generation_id=generation.id,
        take=take.number,
        mode=generation.mode,
        plan=attempt.plan or take.plan,
        attempt=ClaimedAttempt(
            ref=attempt.ref,
            number=attempt.number,
            state=attempt.state,
            account=attempt.account,
            failure=attempt.failure,
        ),
        limits=limits,
        is_last=take.number == generation.current.number,
    )
