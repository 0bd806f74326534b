"""Closing what a run left behind that was terminated from outside: its takes, and nothing that a newer run serves.

What the terminated run had promised to a provider stays true: an order without an answer may have become a job, and a
job goes on. Both are facts that may still come, and are looked for and followed like any other
(`domain.attempts.late`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.failures import Failure
from domain.attempts.outcomes import AttemptState, CancelOutcome
from domain.attempts.terminated import failure_of_terminated
from domain.events import EventType
from domain.generation import Generation, Take
from domain.money import to_usd
from domain.status import TERMINAL
from storage import catalog, events
from storage.tables import attempts, takes
from storage.takes import endings


@dataclass(frozen=True)
class Withdrawn:
    """A ticket whose take is over: its place in the account's queue, or its slot, is to be given back."""

    account: str
    ref: str


@dataclass(frozen=True)
class Closed:
    """What was closed.

    Attributes:
        takes: Their numbers; none where the run had no open take (any more).
    """

    takes: tuple[int, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()


async def close(
    connection: AsyncConnection, generation_id: str, run_id: str, reason: str, now: datetime
) -> Closed:
    """Write the end of every open take that a terminated run had claimed.

    A take whose cancel is asked for is left alone: a new run finds out what becomes of that, and tells the truth.

    Args:
        connection: The transaction.
        generation_id: Whose.
        run_id: The run that was terminated.
        reason: What the operator gave as the reason; may be empty.
        now: The time.
    """
    query = (
        select(takes.c.number)
        .where(
            takes.c.generation_id == generation_id,
            takes.c.run_id == run_id,
            takes.c.status.not_in(TERMINAL),
            func.coalesce(takes.c.cancel_outcome, "") != CancelOutcome.REQUESTED,
        )
        .order_by(takes.c.number)
    )
    numbers = tuple((await connection.execute(query)).scalars().all())
    withdrawn: list[Withdrawn] = []
    for number in numbers:
        generation = await catalog.load(connection, generation_id)
        take = generation.take(number)
        failure = failure_of_terminated(take, reason)
        withdrawn += [
            Withdrawn(attempt.account, attempt.ref)
            for attempt in take.attempts
            if attempt.state is AttemptState.QUEUED
        ]
        await _give_up(connection, generation, take, failure, now)
        await endings.close_failed(connection, generation, take, failure, now)
    return Closed(takes=numbers, withdrawn=tuple(withdrawn))


async def _give_up(
    connection: AsyncConnection, generation: Generation, take: Take, failure: Failure, now: datetime
) -> None:
    """Write of each order that was sent that nobody waits for it: it may be looked for, its job be followed."""
    for attempt in take.attempts:
        if not attempt.is_open or attempt.state is AttemptState.QUEUED:
            continue
        is_unanswered = attempt.state is AttemptState.SENDING
        known = failure if attempt.failure is None else attempt.failure
        await connection.execute(
            update(attempts)
            .where(attempts.c.ref == attempt.ref, attempts.c.given_up_at.is_(None))
            .values(
                given_up_at=now,
                failure=known.model_dump(mode="json"),
                **({"state": AttemptState.UNKNOWN, "ended_at": now} if is_unanswered else {}),
            )
        )
        if is_unanswered:
            at_risk = to_usd(attempt.cost.reserved)
            await events.append(
                connection,
                EventType.ATTEMPT_UNKNOWN,
                generation_id=generation.id,
                take=take.number,
                attempt=attempt.number,
                at=now,
                message=f"Nobody waits for the answer any more. ${at_risk} may be owed.",
                data={"at_risk_usd": at_risk, "looking_until": None},
                key=f"unknown/{attempt.ref}",
            )
