"""What the commands about keys do, on the database itself."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter, ValidationError
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from cli import configured, console
from cli.exits import Exit, Stop
from domain.fields import Name, Slug
from domain.people.callers import Caller, Scope
from domain.people.keys import Key, KeyState, WrittenKey
from runtime import keyring
from runtime.secret import Seal, seal_of
from storage.database import Database
from storage.people import keys

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_ACTOR = "videoplanet keys"
_PAGE = 100
_STYLES = {KeyState.GOOD: "green", KeyState.EXPIRED: "dim", KeyState.REVOKED: "red"}


@dataclass(frozen=True)
class House:
    """Where keys are made, and for whom."""

    database: Database
    seal: Seal
    owner: Caller


def run(task: Callable[[House], Awaitable[Exit]], tenant: str | None) -> Exit:
    """Do something with the keys of a tenant; every way it can end becomes a line for a person and an exit code."""
    errors = console.errors()
    settings = configured.settings()

    async def opened() -> Exit:
        owner = Caller(tenant_id=_checked(_SLUG, "--tenant", tenant or settings.tenant_id))
        async with Database(settings.effective_database_url) as database:
            return await task(House(database, seal_of(settings), owner))

    try:
        return asyncio.run(opened())
    except Stop as stop:
        console.line(errors, str(stop))
        return stop.code
    except SQLAlchemyError:
        console.line(errors, "the database does not answer, or has no tables yet: run `videoplanet migrate`")
        return Exit.UNREACHABLE
    except (OSError, ValueError) as error:
        console.line(errors, f"the deployment's secret cannot be read or made: {error}")
        return Exit.REFUSED


async def create(
    house: House,
    name: str,
    scopes: frozenset[Scope],
    *,
    user: str | None,
    days: float | None,
    as_json: bool,
) -> Exit:
    """Make a key and print it."""
    wanted = keyring.NewKey(
        tenant_id=house.owner.tenant_id,
        user_id=None if user is None else _checked(_NAME, "--user", user),
        name=_checked(_NAME, "NAME", name),
        scopes=scopes,
        expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
    )
    async with house.database.write() as connection:
        key, written = await keyring.make(connection, house.seal, wanted, house.owner, actor=_ACTOR)
    if as_json:
        console.print_json(_as_json(key) | {"key": str(written)})
        return Exit.OK
    sys.stdout.write(f"{written}\n")
    sys.stdout.flush()
    console.line(console.errors(), "keep it: it is shown this once", "dim")
    return Exit.OK


async def show(house: House, *, as_json: bool) -> Exit:
    """List the keys."""
    found: list[Key] = []
    async with house.database.read() as connection:
        while True:
            last = (found[-1].created_at, found[-1].id) if found else None
            page = await keys.page(connection, house.owner.tenant_id, before=last, limit=_PAGE)
            found.extend(page)
            if len(page) < _PAGE:
                break
    if as_json:
        console.print_json({"data": [_as_json(key) for key in found]})
    else:
        _print(found)
    return Exit.OK


async def revoke(house: House, key_id: str) -> Exit:
    """Revoke a key; also one that is pasted as a whole."""
    written = WrittenKey.read(key_id.strip())
    wanted = key_id.strip() if written is None else written.id
    async with house.database.write() as connection:
        found = await keys.find(connection, wanted)
        if found is None or found[0].tenant_id != house.owner.tenant_id:
            raise Stop("there is no key of this id; `videoplanet keys list` shows them", Exit.REFUSED)
        await keyring.revoke(connection, found[0], house.owner, actor=_ACTOR)
    console.line(console.output(), f"{wanted} is revoked")
    return Exit.OK


def _checked(kind: TypeAdapter[str], what: str, text: str) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        raise Stop(f"{what}: {error.errors()[0]['msg']}", Exit.REFUSED) from None


def _as_json(key: Key) -> dict[str, object]:
    listed = [scope for scope in Scope if scope in key.scopes]
    return key.model_dump(mode="json") | {"scopes": listed, "state": key.state(datetime.now(UTC))}


def _print(found: list[Key]) -> None:
    columns = ("id", "name", "state", "scopes", "user", "made", "used", "until")
    table = console.table(*columns, folded=columns)
    for key in found:
        table.add_row(*_cells(key))
    console.print_table(console.output(), table)


def _cells(key: Key) -> Iterator[str | Text]:
    state = key.state(datetime.now(UTC))
    yield key.id
    yield Text(key.name)
    yield Text(state, style=_STYLES[state])
    yield ", ".join(scope for scope in Scope if scope in key.scopes)
    yield Text(key.user_id or "-")
    for moment in (key.created_at, key.last_used_at, key.expires_at):
        yield "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
