"""The event log: append-only, dense per generation, and told once.

`seq` is taken by an update of the generation's row in the writer's own transaction: the row lock makes the order
of commits equal the order of numbers, so a reader that has seen `n` misses nothing by asking for more than `n`.
The transaction holds that row from its beginning (`Database.write`), so a key is never told by two at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import Event, EventType
from domain.messages import Job, Order
from storage.tables import events, generations


async def append(
    connection: AsyncConnection,
    kind: EventType,
    *,
    generation_id: str,
    take: int,
    at: datetime,
    message: str,
    attempt: int | None = None,
    data: dict[str, Any] | None = None,
    key: str | None = None,
) -> bool:
    """Write one event.

    Args:
        connection: The transaction that also writes what the event tells of.
        kind: What happened.
        generation_id: Whose log.
        take: Which take.
        at: When.
        message: A sentence for a person.
        attempt: Which attempt, where it is about one.
        data: Facts for programs, JSON.
        key: Told once per generation under this key; a second call changes nothing.

    Returns:
        False where the key had been told before, or the generation is deleted: of that nothing more is told, since
        a provider's message may quote the prompt.
    """
    if key is not None and await told(connection, generation_id, key) is not None:
        return False
    taken = (
        update(generations)
        .where(
            generations.c.id == generation_id,
            or_(generations.c.deleted_at.is_(None), literal(kind is EventType.GENERATION_DELETED)),
        )
        .values(last_seq=generations.c.last_seq + 1, updated_at=at)
        .returning(generations.c.last_seq)
    )
    seq = (await connection.execute(taken)).scalar_one_or_none()
    if seq is None:
        # What it came with may hold a text, too: to be erased once more.
        await connection.execute(
            update(generations).where(generations.c.id == generation_id).values(erased_at=None)
        )
        return False
    await connection.execute(
        insert(events).values(
            generation_id=generation_id,
            seq=seq,
            type=kind,
            take=take,
            attempt=attempt,
            key=key,
            at=at,
            message=message,
            data=data or {},
        )
    )
    return True


async def told(connection: AsyncConnection, generation_id: str, key: str) -> Event | None:
    """Return the event that was told under a key, if any."""
    query = select(events).where(events.c.generation_id == generation_id, events.c.key == key)
    row = (await connection.execute(query)).first()
    return None if row is None else _event(row)


async def tell(
    connection: AsyncConnection,
    subject: Order | Job,
    kind: EventType,
    message: str,
    now: datetime,
    *,
    key: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Write one event about an order, or the job it became, once under its key."""
    await append(
        connection,
        kind,
        generation_id=subject.generation_id,
        take=subject.take,
        attempt=subject.attempt if isinstance(subject, Job) else subject.attempt.number,
        at=now,
        message=message,
        data=data,
        key=key,
    )


async def after(connection: AsyncConnection, generation_id: str, seq: int, limit: int) -> Sequence[Event]:
    """Return the events that follow `seq`, oldest first, at most `limit`."""
    query = (
        select(events)
        .where(events.c.generation_id == generation_id, events.c.seq > seq)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [_event(row) for row in await connection.execute(query)]


def _event(row: Row[Any]) -> Event:
    return Event(
        seq=row.seq,
        type=EventType(row.type),
        generation_id=row.generation_id,
        take=row.take,
        attempt=row.attempt,
        at=row.at,
        message=row.message,
        data=row.data,
    )
