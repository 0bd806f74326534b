"""Files that belong to nobody: stored, but never noted, since the process that stored them ended in between.

A file is only looked at when it has not been stored for an hour (storing it again makes it young), and it is removed
while its name is held (`storage.files.uses`): whoever stored it in this moment finds it gone, and stores it once more.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from storage.database import Database, uninterrupted
from storage.files.asset_store import AssetStore
from storage.files.uses import PICTURE, remove_if_unused
from storage.tables import asset_uses, images

OLD_SECONDS = 3600.0
_AT_ONCE = 500


async def remove(database: Database, assets: AssetStore, older_than_seconds: float = OLD_SECONDS) -> int:
    """Remove the files that nothing uses; return how many. Harmless to repeat, and several may do it at once.

    Raises:
        SQLAlchemyError: The database is away.
        OSError: The store cannot be read or changed.
    """
    old = await assets.stored_before(older_than_seconds)
    removed = 0
    for start in range(0, len(old), _AT_ONCE):
        for sha256, suffix in await _unused(database, old[start : start + _AT_ONCE]):
            removed += await _remove(database, assets, sha256, suffix)
    return removed


async def _unused(database: Database, files: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Return those that no row speaks of; a picture that is to be erased has its row still."""
    names = [sha256 for sha256, _ in files]
    async with database.read() as connection:
        by_takes = await connection.execute(
            select(asset_uses.c.sha256, asset_uses.c.suffix).where(asset_uses.c.sha256.in_(names))
        )
        used = {(row.sha256, row.suffix) for row in by_takes}
        by_images = await connection.execute(select(images.c.sha256).where(images.c.sha256.in_(names)))
        used |= {(row.sha256, PICTURE) for row in by_images}
    return [file for file in files if file not in used]


@uninterrupted
async def _remove(database: Database, assets: AssetStore, sha256: str, suffix: str) -> bool:
    async with database.write() as connection:
        await remove_if_unused(connection, assets, sha256, suffix)
        return not await assets.exists(sha256, suffix)
