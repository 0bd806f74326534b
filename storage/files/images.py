"""The pictures that users upload: rows that name stored files, and the first frames that requests make of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.orders.plans import FirstFrame
from domain.orders.refusals import Problem, RequestRefused
from domain.orders.request import GenerationRequest
from domain.status import TERMINAL
from storage.tables import images, takes

SUFFIX = ".jpg"
"""Of every stored picture: uploads are encoded anew."""


@dataclass(frozen=True)
class Image:
    """One uploaded picture, as it is stored.

    Attributes:
        sha256: Of the stored JPEG.
        source_type: The media type of what was uploaded.
    """

    id: str
    sha256: str
    width: int
    height: int
    size_bytes: int
    source_type: str
    created_at: datetime


class ImageInUse(ValueError):
    """A take that is not over needs the picture."""


async def add(connection: AsyncConnection, tenant_id: str, image: Image) -> None:
    """Write an uploaded picture, whose file is stored and held (`uses.hold`); it may have been deleted a moment ago."""
    await connection.execute(delete(images).where(images.c.id == image.id))
    await connection.execute(
        insert(images).values(
            id=image.id,
            tenant_id=tenant_id,
            sha256=image.sha256,
            width=image.width,
            height=image.height,
            size_bytes=image.size_bytes,
            source_type=image.source_type,
            created_at=image.created_at,
        )
    )


async def renew(connection: AsyncConnection, image: Image, now: datetime) -> None:
    """Count a picture that was uploaded again as new, so that it is there for the order that follows."""
    await connection.execute(update(images).where(images.c.id == image.id).values(created_at=now))


def id_of(tenant_id: str, user_id: str | None, sha256: str) -> str:
    """Return the id of a picture: it says whose it is, to those who know its content."""
    whose = tenant_id if user_id is None else f"{tenant_id}\0{user_id}"
    return f"img_{hashlib.sha256(f'{whose}/{sha256}'.encode()).hexdigest()[:32]}"


async def find(
    connection: AsyncConnection, tenant_id: str, image_id: str, only_user: str | None = None
) -> Image | None:
    """Return a picture of a tenant; None where there is none of that id, or it is not this one user's."""
    row = (await connection.execute(select(images).where(*_is(tenant_id, image_id)))).first()
    return None if row is None or not _is_shown(row, only_user) else _image(row)


async def first_frame(
    connection: AsyncConnection, tenant_id: str, request: GenerationRequest, only_user: str | None = None
) -> FirstFrame | None:
    """Return the picture that a request starts from; nobody deletes it before this transaction ends.

    Raises:
        RequestRefused: It names a picture that is not there.
    """
    image_id = request.params.image_id
    if image_id is None:
        return None
    query = select(images).where(*_is(tenant_id, image_id)).with_for_update(read=True)
    row = (await connection.execute(query)).first()
    if row is None or not _is_shown(row, only_user):
        message = "there is no picture of this id: upload it with POST /v1/images"
        raise RequestRefused([Problem(pointer="/params/image_id", code="unknown_image", message=message)])
    return FirstFrame(image_id=row.id, sha256=row.sha256, width=row.width, height=row.height)


async def remove(connection: AsyncConnection, image: Image, now: datetime) -> None:
    """Make a picture invisible; `storage.files.uses.erase_image` erases it once this is committed.

    Raises:
        ImageInUse: A take that is not over needs it.
    """
    await connection.execute(select(images.c.id).where(images.c.id == image.id).with_for_update())
    waiting = select(takes.c.number).where(takes.c.image_id == image.id, takes.c.status.not_in(TERMINAL))
    if (await connection.execute(waiting)).first() is not None:
        raise ImageInUse("a generation that is not over needs this picture")
    await connection.execute(update(images).where(images.c.id == image.id).values(deleted_at=now))


async def to_be_erased(connection: AsyncConnection, limit: int = 100) -> Sequence[Image]:
    """Return deleted pictures whose files may still be there, oldest first."""
    query = select(images).where(images.c.deleted_at.is_not(None)).order_by(images.c.deleted_at).limit(limit)
    return [_image(row) for row in await connection.execute(query)]


def _is(tenant_id: str, image_id: str) -> list[ColumnElement[bool]]:
    return [images.c.id == image_id, images.c.tenant_id == tenant_id, images.c.deleted_at.is_(None)]


def _is_shown(row: Row[Any], only_user: str | None) -> bool:
    """Tell whether a picture is shown to a caller who is shown nothing but one user's things."""
    return only_user is None or row.id == id_of(row.tenant_id, only_user, row.sha256)


def _image(row: Row[Any]) -> Image:
    return Image(
        id=row.id,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        source_type=row.source_type,
        created_at=row.created_at,
    )
