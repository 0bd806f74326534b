"""Taking a picture in, wherever it comes from: decoded in the limited child only, kept as a JPEG of the tenant."""

import asyncio
from pathlib import Path

import structlog

from api.problems import FieldError, Problem
from api.service import Service, now
from storage.files import images, uses
from storage.files.confined import InspectionFailed
from storage.files.pictures import Picture, UnusablePicture, take_in

MAX_IMAGE_BYTES = 20 * 1024 * 1024

log = structlog.get_logger(__name__)


async def decoded(file: Path, made: Path, pointer: str) -> tuple[bytes, Picture]:
    """Return a picture as the JPEG that is kept; the caller holds a turn of `Service.decoding`.

    Args:
        file: What came from outside.
        made: Where the JPEG may be put for a moment.
        pointer: The field that brought it.

    Raises:
        Problem: It is no picture that can be used, or cannot be looked at now.
    """
    try:
        picture = await take_in(file, made)
    except UnusablePicture as error:
        raise unusable(pointer, error.code, error.reason) from error
    except InspectionFailed as error:
        log.exception("a picture could not be inspected")
        detail = "The picture could not be inspected now; try again."
        raise Problem("unavailable", detail, headers={"Retry-After": "2"}) from error
    return await asyncio.to_thread(made.read_bytes), picture


def unusable(pointer: str, code: str, reason: str) -> Problem:
    """Return the problem of a file that is no picture to begin with."""
    return Problem("unusable_image", reason, [FieldError(pointer=pointer, code=code, message=reason)])


async def keep(service: Service, jpeg: bytes, picture: Picture) -> tuple[images.Image, bool]:
    """Store a picture and its row; tell whether it is new."""
    while True:
        stored = await service.assets.put_bytes(jpeg, images.SUFFIX)
        image = images.Image(
            id=images.id_of(service.tenant, service.caller.only_user, stored.sha256),
            sha256=stored.sha256,
            width=picture.width,
            height=picture.height,
            size_bytes=stored.size_bytes,
            source_type=picture.source_type,
            created_at=now(),
        )
        try:
            async with service.database.write() as connection:
                await uses.hold(connection, service.assets, stored.sha256, images.SUFFIX)
                known = await images.find(connection, service.tenant, image.id)
                if known is None:
                    await images.add(connection, service.tenant, image)
                elif service.settings.keep_for is not None:
                    await images.renew(connection, known, now())
                return known or image, known is None
        except uses.FileGone:
            log.info("the file was removed with its last use in this moment; storing it again")
