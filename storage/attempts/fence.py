"""The fence around submitting: who may send, and how an attempt ends without a job.

`attempts.state` is the only thing that decides whether an order may be written to a provider's socket:
queued -> sending happens at most once per attempt, in one guarded UPDATE, whoever asks, how often and how late.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.codes import CANCELLED_BEFORE_SENDING
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import Accepted, AttemptState, NotSent, Rejected, SubmitResult, Unknown
from domain.events import EventType
from domain.generation import Cost
from domain.messages import Job, Order
from domain.moments import micros_of, moment_of
from domain.orders.line_up import name_of
from domain.status import TERMINAL, Position, Stage, Step
from storage import events
from storage.event_data import failed_json
from storage.money import ledger
from storage.projection import project
from storage.records import failure_of
from storage.tables import attempts, takes
from storage.tables.joins import is_of_take, is_take

_ENDS_FROM = {
    # Who holds no permission can only give up what nobody else has taken.
    AttemptState.NOT_SENT: [AttemptState.QUEUED],
    AttemptState.ABANDONED: [AttemptState.QUEUED],
    AttemptState.UNKNOWN: [AttemptState.QUEUED, AttemptState.SENDING],
    # A clear refusal that comes late is a fact all the same: then nothing is owed after all.
    AttemptState.REJECTED: [AttemptState.QUEUED, AttemptState.SENDING, AttemptState.UNKNOWN],
    AttemptState.ABSENT: [AttemptState.UNKNOWN],
}
SENT_BY_NOBODY_ELSE = (AttemptState.SENDING, AttemptState.UNKNOWN)
"""States from which only who holds the one permission to send may end an attempt as not sent."""


async def row_of(connection: AsyncConnection, ref: str) -> Row[Any]:
    """Return an attempt's row."""
    return (await connection.execute(select(attempts).where(attempts.c.ref == ref))).one()


async def begin_sending(connection: AsyncConnection, order: Order, run_id: str, now: datetime) -> bool:
    """Take the one permission to send: the last thing before the order is written to the socket.

    Args:
        connection: The transaction.
        order: Whose; it carries the slot's `send_by`.
        run_id: Of the run that sends it.
        now: The time.

    Returns:
        True where the caller, and nobody else ever, may send now.
    """
    ref = order.attempt.ref
    if order.send_by is None or micros_of(now) > order.send_by:
        return False
    wanted = exists().where(
        is_take(order.generation_id, order.take),
        takes.c.status.not_in(TERMINAL),
        takes.c.cancel_requested_at.is_(None),
    )
    sending = await connection.execute(
        update(attempts)
        .where(attempts.c.ref == ref, attempts.c.state == AttemptState.QUEUED, wanted)
        .values(state=AttemptState.SENDING, run_id=run_id, sent_at=now, send_by=moment_of(order.send_by))
    )
    if sending.rowcount == 0:
        return False
    message = f"Sending the order to {name_of(order.plan.provider)}."
    await events.tell(connection, order, EventType.ATTEMPT_SUBMITTING, message, now, key=f"submitting/{ref}")
    await project(
        connection,
        order.generation_id,
        Position(take=order.take, attempt=order.attempt.number, step=Step.SUBMIT),
        now,
        stage=Stage.SUBMITTING,
    )
    return True


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
        case AttemptState.QUEUED | AttemptState.SENDING:
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
            ended_at=now,
            **({} if state is AttemptState.UNKNOWN else {"given_up_at": now}),
        )
    )
    if ended.rowcount == 0:
        return False
    cost = Cost(at_risk=at_risk)
    await ledger.write(connection, order.attempt.ref, cost, now)
    if state is not AttemptState.UNKNOWN:
        await tell_failed(connection, order, order.attempt.ref, failure, cost, now)
    return True


async def tell_failed(
    connection: AsyncConnection, subject: Order | Job, ref: str, failure: Failure, cost: Cost, now: datetime
) -> None:
    """Tell, once, that an attempt gives its take no video, and what it costs by now."""
    await events.tell(
        connection,
        subject,
        EventType.ATTEMPT_FAILED,
        failure.detail,
        now,
        data=failed_json(failure, cost),
        key=f"failed/{ref}",
    )


async def withdraw(connection: AsyncConnection, generation_id: str, take: int, now: datetime) -> None:
    """End a take's attempts that nobody has begun to send: nothing is sent for them any more, and nothing is owed."""
    withdrawn = await connection.execute(
        update(attempts)
        .where(
            is_of_take(generation_id, take),
            attempts.c.state == AttemptState.QUEUED,
        )
        .values(state=AttemptState.ABANDONED, ended_at=now, given_up_at=now)
        .returning(attempts.c.ref)
    )
    for ref in withdrawn.scalars().all():
        await ledger.write(connection, ref, ledger.NOTHING, now)
