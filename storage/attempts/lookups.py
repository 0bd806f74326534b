"""Looking a job up after a lost answer: what is known of the order, and what the provider's list has shown."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.codes import SURELY_ABSENT
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import AttemptState, NotSent, Unknown
from domain.messages import Order, Submitted
from domain.orders.line_up import name_of
from domain.status import Position, Stage, Step
from storage.attempts.answers import accepted_unless_taken
from storage.attempts.fence import end_attempt, result_of, row_of
from storage.projection import project
from storage.tables import attempts


@dataclass(frozen=True)
class Lost:
    """An order whose answer was lost.

    Attributes:
        known: How it stands by its row; anything but Unknown means that the answer came after all.
        sent_at: When it was sent; None where surely nothing was.
    """

    known: Submitted | None
    sent_at: datetime | None


async def looking_up(connection: AsyncConnection, order: Order, now: datetime) -> None:
    """Show that nobody knows yet what became of a submit."""
    position = Position(take=order.take, attempt=order.attempt.number, step=Step.SUBMIT)
    await project(connection, order.generation_id, position, now, stage=Stage.LOOKING_UP)


async def lost(connection: AsyncConnection, order: Order, now: datetime) -> Lost:
    """Return what is known of an order by now."""
    row = await row_of(connection, order.attempt.ref)
    if row.job_id is not None:
        return Lost(await accepted_unless_taken(connection, order, row.job_id, now), row.sent_at)
    result = result_of(row)
    return Lost(None if result is None else Submitted(result=result), row.sent_at)


async def absent(connection: AsyncConnection, order: Order, now: datetime) -> Submitted:
    """Write that surely no job came of an order: nothing is owed, and it may be sent again."""
    failure = Failure(
        category=Category.NETWORK,
        code=SURELY_ABSENT,
        detail=f"{name_of(order.plan.provider)} has no job of this order: it never arrived.",
        billed=False,
    )
    if await end_attempt(connection, order, AttemptState.ABSENT, failure, now, at_risk=0):
        return Submitted(result=NotSent(failure=failure))
    result = result_of(await row_of(connection, order.attempt.ref))
    if result is None:
        raise ValueError("an order that is looked up was sent, and its answer was lost")
    return Submitted(result=result)


async def in_vain(connection: AsyncConnection, order: Order, now: datetime) -> None:
    """Write that the job was looked for as long as the order's limits allow: what follows is decided without it."""
    await connection.execute(
        update(attempts)
        .where(
            attempts.c.ref == order.attempt.ref,
            attempts.c.state == AttemptState.UNKNOWN,
            attempts.c.given_up_at.is_(None),
        )
        .values(given_up_at=now)
    )


def still_unknown(order: Order, why: str) -> Submitted:
    """Return that nobody can tell what became of an order.

    Args:
        order: Which.
        why: A sentence for a person.
    """
    failure = Failure(category=Category.SUBMISSION_UNKNOWN, code="not_found", detail=why)
    return Submitted(result=Unknown(client_reference=order.attempt.ref, failure=failure))
