"""What people say of takes: the ones to keep, and feedback. Neither changes what was made or what it costs."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from domain.generation import Feedback, Generation
from storage import events
from storage.tables import takes
from storage.tables.joins import is_take


class NothingToSee(ValueError):
    """The take has no video (yet) that somebody could have an opinion about."""


async def keep(connection: AsyncConnection, generation: Generation, number: int, now: datetime) -> None:
    """Mark a take as one to keep; told once until the mark is taken back.

    Raises:
        NothingToSee: It has no video.
    """
    _seen(generation, number)
    await _mark(connection, generation, number, now, kept=True, message=f"Take {number} is one to keep.")


async def let_go(connection: AsyncConnection, generation: Generation, number: int, now: datetime) -> None:
    """Take the mark of a take back; nothing where it has none."""
    message = f"Take {number} is not marked any more."
    await _mark(connection, generation, number, now, kept=False, message=message)


async def rate(
    connection: AsyncConnection, generation: Generation, number: int, feedback: Feedback, now: datetime
) -> None:
    """Write feedback on a take; it replaces an earlier one, which stays in the event log.

    Raises:
        NothingToSee: It has no video.
    """
    _seen(generation, number)
    await _write(connection, generation, number, feedback=feedback.model_dump(mode="json"))
    await events.append(
        connection,
        EventType.FEEDBACK_ADDED,
        generation_id=generation.id,
        take=number,
        at=now,
        message=f"Take {number} was rated {feedback.rating} of 5.",
        data=feedback.model_dump(mode="json", exclude={"at"}),
    )


async def _mark(
    connection: AsyncConnection,
    generation: Generation,
    number: int,
    now: datetime,
    *,
    kept: bool,
    message: str,
) -> None:
    if generation.take(number).kept is kept:
        return
    await _write(connection, generation, number, kept=kept)
    await events.append(
        connection,
        EventType.TAKE_KEPT,
        generation_id=generation.id,
        take=number,
        at=now,
        message=message,
        data={"kept": kept},
    )


def _seen(generation: Generation, number: int) -> None:
    take = generation.take(number)
    if take.video is None:
        raise NothingToSee(f"take {number} has no video")


async def _write(connection: AsyncConnection, generation: Generation, number: int, **values: object) -> None:
    await connection.execute(update(takes).where(is_take(generation.id, number)).values(values))
