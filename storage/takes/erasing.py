"""Deleting a generation: what a person wrote and what was made of it goes, what it cost stays.

In two steps, since files and histories are no part of a transaction: `delete` erases the texts here and now and
makes the generation invisible, and `runtime.housekeeping.erase` erases the rest, however often it is interrupted.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete as delete_rows
from sqlalchemy import null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attempts.failures import Failure
from domain.events import EventType
from domain.generation import Generation, Take
from domain.orders.request import GenerationRequest
from storage import events, idempotency
from storage.files import uses
from storage.files.asset_store import AssetStore
from storage.records import failure_of
from storage.tables import attempts, generations, takes
from storage.tables import events as log
from storage.tables.joins import is_take

ERASED = "(erased)"


class NotOver(ValueError):
    """A take is still being worked on: it is to be cancelled first."""


async def delete(connection: AsyncConnection, generation: Generation, now: datetime) -> None:
    """Erase every text of a generation and make it invisible; attempts and their money stay.

    Raises:
        NotOver: A take is not over.
    """
    if not generation.is_over:
        raise NotOver("a take is not over")
    await connection.execute(
        update(generations)
        .where(generations.c.id == generation.id)
        .values(prompt=ERASED, metadata={}, deleted_at=now, updated_at=now)
    )
    for take in generation.takes:
        await _erase_take(connection, generation, take)
    await connection.execute(delete_rows(log).where(log.c.generation_id == generation.id))
    await idempotency.forget(connection, generation.id)
    await events.append(
        connection,
        EventType.GENERATION_DELETED,
        generation_id=generation.id,
        take=generation.current.number,
        at=now,
        message="The generation was deleted: its prompt and its files are erased, what it cost stays.",
    )


async def _erase_take(connection: AsyncConnection, generation: Generation, take: Take) -> None:
    request = GenerationRequest(prompt=ERASED, provider=take.request.provider, model=take.request.model)
    plan = take.plan.model_copy(update={"prompt": ERASED, "first_frame": None, "adjustments": ()})
    await connection.execute(
        update(takes)
        .where(is_take(generation.id, take.number))
        .values(
            request=request.model_dump(mode="json", exclude_none=True),
            plan=plan.model_dump(mode="json"),
            route=[plan.model_dump(mode="json")],
            image_id=None,
            cancel_reason=None,
            failure=_without_text(take.failure),
            feedback=None,
        )
    )
    for attempt in take.attempts:
        await _erase_attempt(connection, attempt.ref, attempt.failure)


async def _erase_attempt(connection: AsyncConnection, ref: str, failure: Failure | None) -> None:
    await connection.execute(
        update(attempts).where(attempts.c.ref == ref).values(failure=_without_text(failure), plan=null())
    )


def _without_text(failure: Failure | None) -> dict[str, object] | None:
    """A provider's message may quote the prompt."""
    return None if failure is None else failure.model_copy(update={"detail": ERASED}).model_dump(mode="json")


async def to_be_erased(connection: AsyncConnection, limit: int = 100) -> Sequence[str]:
    """Return the ids of deleted generations whose files and histories may still be there, oldest first."""
    query = (
        select(generations.c.id)
        .where(generations.c.deleted_at.is_not(None), generations.c.erased_at.is_(None))
        .order_by(generations.c.deleted_at)
        .limit(limit)
    )
    return (await connection.execute(query)).scalars().all()


async def erase_files(
    connection: AsyncConnection, assets: AssetStore, generation_id: str, now: datetime
) -> None:
    """Erase the files of a deleted generation that nothing else uses, and write that it is erased.

    Also what came after it was deleted, from a job that its provider would not stop: its video, its failure.
    """
    await uses.end_all(connection, assets, generation_id)
    for attempt in (
        await connection.execute(select(attempts).where(attempts.c.generation_id == generation_id))
    ).all():
        await _erase_attempt(connection, attempt.ref, failure_of(attempt.failure))
    await connection.execute(update(takes).where(takes.c.generation_id == generation_id).values(video=None))
    await connection.execute(
        update(generations).where(generations.c.id == generation_id).values(erased_at=now)
    )
