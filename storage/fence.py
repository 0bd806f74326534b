"""The row of an attempt: what it says, and how it ends without a job."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from domain.failures import Category, Failure
from domain.messages import Order
from domain.outcomes import Accepted, AttemptState, NotSent, Rejected, SubmitResult, Unknown
from domain.recovery import CANCELLED_BEFORE_SENDING
from storage import events
from storage.catalog import failure_of
from storage.tables import attempts

_ENDS_FROM = {
    # Who holds no permission can only give up what nobody else has taken.
    AttemptState.NOT_SENT: [AttemptState.GRANTED],
    AttemptState.ABANDONED: [AttemptState.GRANTED],
    AttemptState.UNKNOWN: [AttemptState.GRANTED, AttemptState.SENDING],
    # A clear refusal that comes late is a fact all the same: then nothing is owed after all.
    AttemptState.REJECTED: [AttemptState.GRANTED, AttemptState.SENDING, AttemptState.UNKNOWN],
    AttemptState.ABSENT: [AttemptState.UNKNOWN],
}
SENT_BY_NOBODY_ELSE = (AttemptState.SENDING, AttemptState.UNKNOWN)
"""States from which only who holds the one permission to send may end an attempt as not sent."""


async def row_of(connection: AsyncConnection, ref: str) -> Row[Any]:
    """Return an attempt's row."""
    return (await connection.execute(select(attempts).where(attempts.c.ref == ref))).one()


def result_of(row: Row[Any]) -> SubmitResult | None:
    """Return what a row says of its attempt; None while the answer is still awaited."""
    failure = failure_of(row.failure)
    match AttemptState(row.state):
        case AttemptState.ACCEPTED | AttemptState.FOUND:
            return Accepted(job_id=row.job_id)
        case AttemptState.REJECTED if failure:
            return Rejected(failure=failure)
        case AttemptState.UNKNOWN if failure:
            return Unknown(client_reference=row.ref, failure=failure)
        case AttemptState.GRANTED | AttemptState.SENDING:
            return None
        case _:
            return NotSent(failure=failure or _cancelled())


def _cancelled() -> Failure:
    return Failure(
        category=Category.NETWORK,
        code=CANCELLED_BEFORE_SENDING,
        detail="Cancelled before the order was sent.",
        billed=False,
    )


async def end_attempt(
    connection: AsyncConnection,
    order: Order,
    state: AttemptState,
    failure: Failure,
    now: datetime,
    *,
    at_risk: int,
    also_from: tuple[AttemptState, ...] = (),
) -> bool:
    """End an attempt that did not become a job; nothing where it has ended otherwise.

    Args:
        connection: The transaction.
        order: Whose attempt.
        state: How it ended.
        failure: Why.
        now: The time.
        at_risk: What may be owed for it, in micro-dollars.
        also_from: States from which this caller may end it as well.
    """
    ended = await connection.execute(
        update(attempts)
        .where(attempts.c.ref == order.attempt.ref, attempts.c.state.in_([*_ENDS_FROM[state], *also_from]))
        .values(
            state=state,
            failure=failure.model_dump(mode="json"),
            reserved_micros=0,
            at_risk_micros=at_risk,
            ended_at=now,
        )
    )
    if ended.rowcount == 1 and state is not AttemptState.UNKNOWN:
        await events.append(
            connection,
            EventType.ATTEMPT_FAILED,
            generation_id=order.generation_id,
            take=order.take,
            attempt=order.attempt.number,
            at=now,
            message=failure.detail,
            data={"failure": failure.model_dump(mode="json", exclude_none=True), "cost_usd": "0.00"},
            key=f"failed/{order.attempt.ref}",
        )
    return ended.rowcount == 1
