"""The operator's key: whoever owns the data folder may do everything, and needs to look nowhere for how."""

from pathlib import Path

from domain.people.callers import Caller, Scope
from domain.people.keys import WrittenKey
from runtime.settings import Settings

FILE = "operator.key"


def read(data_dir: Path) -> str | None:
    """Return the operator's key, as the folder has it; None where it has none that can be read."""
    try:
        text = (data_dir / FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if WrittenKey.read(text) is not None else None


async def ensure(settings: Settings) -> str:
    """Return the operator's key; makes one where the folder has none, or the database does not know it any more.

    Raises:
        OSError: The folder cannot be written to.
        SQLAlchemyError: The database does not answer.
    """
    # `videoplanet --help` does not wait for these.
    from runtime import keyring  # noqa: PLC0415 - slow to import
    from runtime.secret import seal_of, write_private  # noqa: PLC0415 - slow to import
    from storage.database import Database  # noqa: PLC0415 - slow to import

    seal, text = seal_of(settings), read(settings.data_dir)
    async with Database(settings.effective_database_url) as database:
        async with database.read() as connection:
            if text is not None and await keyring.find_good(connection, seal, text) is not None:
                return text
        written = WrittenKey.new()
        # The file first: a key that nobody has would close the house to everybody.
        write_private(settings.data_dir / FILE, f"{written}\n", replace=True)
        wanted = keyring.NewKey(tenant_id=settings.tenant_id, name="operator", scopes=frozenset(Scope))
        owner = Caller(tenant_id=settings.tenant_id)
        async with database.write() as connection:
            await keyring.make(
                connection, seal, wanted, owner, written=written, actor="the data folder's owner"
            )
    return str(written)
