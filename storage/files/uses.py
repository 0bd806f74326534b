"""Which stored files are still used by anything: the only place from which one is ever removed.

Files are addressed by their content, so two takes may share one. Whoever begins or ends a use holds the file's
name meanwhile (`one_at_a_time`), so a file is never removed between its storing and the row that says so.
"""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import Video
from storage.database import one_at_a_time
from storage.files.asset_store import AssetStore
from storage.files.images import Image
from storage.tables import asset_uses, images

VIDEO, PICTURE = ".mp4", ".jpg"


class FileGone(LookupError):
    """A file that was stored a moment ago was removed with its last use: store it again."""


async def begin(
    connection: AsyncConnection, assets: AssetStore, generation_id: str, take: int, video: Video
) -> None:
    """Note that a take uses its video and poster.

    Raises:
        FileGone: One of them is not there (any more).
    """
    for sha256, suffix in sorted(_files(video)):
        await hold(connection, assets, sha256, suffix)
        noted = {"sha256": sha256, "suffix": suffix, "generation_id": generation_id, "take": take}
        same = [asset_uses.c[name] == value for name, value in noted.items()]
        if (await connection.execute(select(asset_uses).where(*same))).first() is None:
            await connection.execute(insert(asset_uses).values(noted))


async def hold(connection: AsyncConnection, assets: AssetStore, sha256: str, suffix: str) -> None:
    """Keep a stored file from being removed until this transaction ends, which notes its use.

    Raises:
        FileGone: It is not there (any more).
    """
    await one_at_a_time(connection, sha256)
    if not await assets.exists(sha256, suffix):
        raise FileGone(f"the file {sha256}{suffix} is not there")


async def end_all(connection: AsyncConnection, assets: AssetStore, generation_id: str) -> None:
    """End every use that a generation makes of files, and remove those that nothing else uses."""
    query = select(asset_uses.c.sha256, asset_uses.c.suffix).where(
        asset_uses.c.generation_id == generation_id
    )
    used = sorted({(row.sha256, row.suffix) for row in await connection.execute(query)})
    for sha256, _ in used:
        await one_at_a_time(connection, sha256)
    await connection.execute(delete(asset_uses).where(asset_uses.c.generation_id == generation_id))
    for sha256, suffix in used:
        await remove_if_unused(connection, assets, sha256, suffix)


async def erase_image(connection: AsyncConnection, assets: AssetStore, image: Image) -> None:
    """Erase a picture that was deleted, unless it was uploaded again meanwhile: first its file, then its row."""
    await remove_if_unused(connection, assets, image.sha256, PICTURE)
    await connection.execute(delete(images).where(images.c.id == image.id, images.c.deleted_at.is_not(None)))


async def remove_if_unused(connection: AsyncConnection, assets: AssetStore, sha256: str, suffix: str) -> None:
    """Remove a file that no take and no uploaded picture uses."""
    await one_at_a_time(connection, sha256)
    by_take = select(asset_uses.c.take).where(asset_uses.c.sha256 == sha256, asset_uses.c.suffix == suffix)
    by_image = select(images.c.id).where(images.c.sha256 == sha256, images.c.deleted_at.is_(None))
    is_used = (await connection.execute(by_take)).first() is not None or (
        suffix == PICTURE and (await connection.execute(by_image)).first() is not None
    )
    if not is_used:
        await assets.delete(sha256, suffix)


def _files(video: Video) -> list[tuple[str, str]]:
    return [(video.sha256, VIDEO), (video.poster_sha256, PICTURE)]
