"""Keys and passes as rows, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

from domain.people.callers import Scope
from domain.people.keys import Key, Pass, PassKind
from storage.database import Database
from storage.people import keys, passes

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_key(number: int, *, user: str | None = None, tenant: str = "default") -> Key:
    return Key(
        id=f"{number:016}",
        tenant_id=tenant,
        user_id=user,
        name="a",
        scopes=frozenset({Scope.READ}),
        created_at=NOW + timedelta(seconds=number // 2),
    )


def a_pass(kind: PassKind = PassKind.LOGIN, *, minutes: float = 5) -> Pass:
    return Pass(
        kind=kind,
        key_id="k",
        tenant_id="default",
        user_id=None,
        scopes=frozenset({Scope.READ}),
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=minutes),
    )


async def test_a_key_is_found_as_it_was_written(database: Database) -> None:
    async with database.write() as connection:
        assert not await keys.exist(connection)
        await keys.add(connection, a_key(1, user="ann"), "s" * 64)
        assert await keys.exist(connection)
        assert await keys.find(connection, a_key(1).id) == (a_key(1, user="ann"), "s" * 64)
        assert await keys.find(connection, "nobody") is None
        await keys.revoke(connection, a_key(1).id, NOW)
        await keys.revoke(connection, a_key(1).id, NOW + timedelta(days=1))
        found = await keys.find(connection, a_key(1).id)
        assert found
        assert found[0].revoked_at == NOW
        assert await keys.exist(connection)


async def test_pages_of_keys_made_in_the_same_moment_leave_none_out(database: Database) -> None:
    async with database.write() as connection:
        for number in range(7):
            await keys.add(connection, a_key(number, user="ann" if number % 2 else None), "")
        await keys.add(connection, a_key(99, tenant="another"), "")
        seen: list[Key] = []
        while page := await keys.page(
            connection, "default", before=(seen[-1].created_at, seen[-1].id) if seen else None, limit=2
        ):
            seen += page
        assert [int(key.id) for key in seen] == [6, 5, 4, 3, 2, 1, 0]
        anns = await keys.page(connection, "default", user_id="ann", limit=10)
        assert [int(key.id) for key in anns] == [5, 3, 1]


async def test_of_many_at_once_one_uses_a_link_up(database: Database) -> None:
    async with database.write() as connection:
        await passes.add(connection, "seal", a_pass())

    async def use() -> Pass | None:
        async with database.write() as connection:
            return await passes.use_up(connection, "seal", PassKind.LOGIN, NOW)

    assert sum(used is not None for used in await asyncio.gather(*(use() for _ in range(8)))) == 1


async def test_a_pass_is_for_its_kind_and_its_time(database: Database) -> None:
    async with database.write() as connection:
        await passes.add(connection, "seal", a_pass(PassKind.SESSION))
        assert await passes.find(connection, "seal", PassKind.SESSION, NOW) == a_pass(PassKind.SESSION)
        assert await passes.find(connection, "seal", PassKind.TICKET, NOW) is None
        assert await passes.use_up(connection, "seal", PassKind.LOGIN, NOW) is None
        late = NOW + timedelta(minutes=5)
        assert await passes.find(connection, "seal", PassKind.SESSION, late) is None
        await passes.remove(connection, "seal")
        assert await passes.find(connection, "seal", PassKind.SESSION, NOW) is None


async def test_passes_that_are_over_are_removed_with_the_next_one(database: Database) -> None:
    async with database.write() as connection:
        await passes.add(connection, "old", a_pass(minutes=-1))
        await passes.add(connection, "new", a_pass())
        long_ago = NOW - timedelta(days=1)
        assert await passes.find(connection, "old", PassKind.LOGIN, long_ago) is None
        assert await passes.find(connection, "new", PassKind.LOGIN, NOW) is not None
