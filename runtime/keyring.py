"""Making keys, and telling whether one is good: the same for the API and for whoever sits at the database."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.model import Frozen
from domain.people.callers import Caller, Scope
from domain.people.keys import Key, KeyState, WrittenKey
from runtime.secret import Purpose, Seal
from storage.people import audit, keys


class NewKey(Frozen):
    """What a key that is to be made is for.

    Attributes:
        user_id: Whose requests these are; None: the tenant's own.
    """

    tenant_id: str
    user_id: str | None = None
    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None


async def make(
    connection: AsyncConnection,
    seal: Seal,
    wanted: NewKey,
    by: Caller,
    *,
    written: WrittenKey | None = None,
    request_id: str = "",
    actor: str | None = None,
) -> tuple[Key, WrittenKey]:
    """Make a key, and note who did.

    Args:
        connection: The transaction.
        seal: Of this deployment.
        wanted: What it is for.
        by: Who makes it.
        written: The key's text, where it was thought out before; a new one if None.
        request_id: Of the request that asks for it.
        actor: Who makes it, where the caller does not tell.

    Returns:
        What is known of it, and its text, which is kept nowhere.
    """
    written = written or WrittenKey.new()
    key = Key(id=written.id, created_at=datetime.now(UTC), **wanted.model_dump())
    await keys.add(connection, key, seal.of(Purpose.KEY, written.id, written.secret))
    told = {"scopes": sorted(key.scopes), "user_id": key.user_id}
    await audit.note(connection, by, audit.Action.KEY_MADE, key.id, told, request_id, actor=actor)
    return key, written


async def revoke(
    connection: AsyncConnection, key: Key, by: Caller, *, request_id: str = "", actor: str | None = None
) -> None:
    """Make a key worth nothing, and note who did; twice is once."""
    if key.revoked_at is None:
        await keys.revoke(connection, key.id, datetime.now(UTC))
        await audit.note(connection, by, audit.Action.KEY_REVOKED, key.id, request_id=request_id, actor=actor)


async def find_good(connection: AsyncConnection, seal: Seal, text: str) -> Key | None:
    """Return the key that a text is, if it is good; None where it is not."""
    known = await _known(connection, seal, text)
    if known is None:
        return None
    key, fits_seal = known
    return key if fits_seal and key.state(datetime.now(UTC)) is KeyState.GOOD else None


async def fits(connection: AsyncConnection, seal: Seal, text: str) -> bool | None:
    """Tell whether a key was made with this secret; None where nobody knows such a key."""
    known = await _known(connection, seal, text)
    return None if known is None else known[1]


async def _known(connection: AsyncConnection, seal: Seal, text: str) -> tuple[Key, bool] | None:
    """Return the key that a text names, and whether the text's secret is the key's own."""
    written = WrittenKey.read(text)
    found = None if written is None else await keys.find(connection, written.id)
    if written is None or found is None:
        return None
    key, sealed = found
    return key, seal.fits(sealed, Purpose.KEY, written.id, written.secret)
