"""What has been kept long enough: rows that nobody needs any more, found and removed in portions.

Finished generations and uploaded pictures go only where the deployment says after how long; they are deleted as their
owner would delete them. A generation with a kept take stays, and with it the picture it began with. What lets somebody
in, or keeps a request from being done twice, goes in any case once it has been over for long.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import Generation
from domain.status import TERMINAL
from storage.files import images
from storage.files.images import Image
from storage.idempotency import KEEP
from storage.tables import api_keys, generations, idempotency, passes, takes
from storage.tables import images as pictures

KEYS_ARE_KEPT = timedelta(days=90)
"""How long the row of a key stays after its end, so that one can see whose it was."""


async def finished_before(connection: AsyncConnection, moment: datetime, limit: int) -> Sequence[str]:
    """Return the ids of generations that are over, in which nothing has changed since a moment, oldest first."""
    kept = exists().where(takes.c.generation_id == generations.c.id, takes.c.kept)
    query = (
        select(generations.c.id)
        .where(
            generations.c.status.in_(TERMINAL),
            generations.c.updated_at < moment,
            generations.c.deleted_at.is_(None),
            ~kept,
        )
        .order_by(generations.c.updated_at)
        .limit(limit)
    )
    return (await connection.execute(query)).scalars().all()


def has_had_its_time(generation: Generation, moment: datetime) -> bool:
    """Tell the same of one generation, for whoever holds it by now."""
    is_kept = any(take.kept for take in generation.takes)
    is_there = generation.deleted_at is None
    return is_there and generation.is_over and generation.updated_at < moment and not is_kept


async def unused_before(connection: AsyncConnection, moment: datetime, limit: int) -> Sequence[Image]:
    """Return pictures that were uploaded before a moment and that no take begins with, oldest first."""
    used = exists().where(takes.c.image_id == pictures.c.id)
    query = (
        select(pictures.c.id, pictures.c.tenant_id)
        .where(pictures.c.created_at < moment, pictures.c.deleted_at.is_(None), ~used)
        .order_by(pictures.c.created_at)
        .limit(limit)
    )
    found = [await images.find(connection, row.tenant_id, row.id) for row in await connection.execute(query)]
    return [image for image in found if image is not None]


async def remove_picture(connection: AsyncConnection, image: Image, moment: datetime, now: datetime) -> bool:
    """Delete a picture, unless it was uploaded again or ordered with since it was found; tell whether."""
    held = select(pictures.c.created_at).where(pictures.c.id == image.id, pictures.c.deleted_at.is_(None))
    created_at = (await connection.execute(held.with_for_update())).scalar()
    used = select(takes.c.number).where(takes.c.image_id == image.id).limit(1)
    if created_at is None or created_at >= moment or (await connection.execute(used)).first() is not None:
        return False
    await images.remove(connection, image, now)
    return True


async def forget_passes(connection: AsyncConnection, now: datetime, limit: int) -> int:
    """Remove login links, sessions and tickets that are over; return how many."""
    over = select(passes.c.token_hmac).where(passes.c.expires_at < now).limit(limit)
    chosen = over.with_for_update(skip_locked=True)
    return (await connection.execute(delete(passes).where(passes.c.token_hmac.in_(chosen)))).rowcount


async def forget_replies(connection: AsyncConnection, now: datetime, limit: int) -> int:
    """Remove what was answered to idempotency keys that count no more; return how many."""
    over = select(idempotency.c.scope).where(idempotency.c.created_at < now - KEEP).limit(limit)
    chosen = over.with_for_update(skip_locked=True)
    return (await connection.execute(delete(idempotency).where(idempotency.c.scope.in_(chosen)))).rowcount


async def forget_keys(connection: AsyncConnection, now: datetime, limit: int) -> int:
    """Remove keys that ended long ago; return how many.

    The newest key of all stays, whatever it is worth: a house without any key would be open again.
    """
    before = now - KEYS_ARE_KEPT
    newest = select(api_keys.c.id).order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc()).limit(1)
    over = (
        select(api_keys.c.id)
        .where(
            or_(api_keys.c.revoked_at < before, api_keys.c.expires_at < before),
            api_keys.c.id != newest.scalar_subquery(),
        )
        .limit(limit)
    )
    return (await connection.execute(delete(api_keys).where(api_keys.c.id.in_(over)))).rowcount
