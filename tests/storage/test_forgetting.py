"""What lets somebody in, or keeps a request from being done twice, goes once it has been over for long."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select

from domain.people.callers import Scope
from domain.people.keys import Key, Pass, PassKind
from runtime.housekeeping.retention import Retention
from storage.database import Database
from storage.idempotency import KEEP
from storage.people import keys, passes
from storage.retention import (
    KEYS_ARE_KEPT,
)
from storage.tables import api_keys, idempotency
from storage.tables import passes as pass_rows
from tests.factories import NOW, SECOND

DAY = timedelta(days=1)


async def a_pass(database: Database, name: str, until: datetime) -> None:
    made = Pass(
        kind=PassKind.SESSION,
        key_id="k",
        tenant_id="t",
        user_id=None,
        scopes=frozenset(Scope),
        created_at=NOW - DAY,
        expires_at=until,
    )
    async with database.write() as connection:
        await passes.add(connection, name, made)


async def test_passes_and_replies_that_are_over_go_in_any_case(database: Database) -> None:
    for name, until in (("over", NOW - SECOND), ("good", NOW + DAY)):
        await a_pass(database, name, until)
    for name, at in (("old", NOW - KEEP - SECOND), ("young", NOW - KEEP + SECOND)):
        values = {
            "scope": name,
            "body_sha256": "",
            "status": 202,
            "headers": {},
            "body": {},
            "created_at": at,
        }
        async with database.write() as connection:
            await connection.execute(insert(idempotency).values(**values))
    await Retention(database, None).sweep(NOW)
    async with database.read() as connection:
        assert (await connection.execute(select(pass_rows.c.token_hmac))).scalars().all() == ["good"]
        assert (await connection.execute(select(idempotency.c.scope))).scalars().all() == ["young"]


async def test_keys_go_long_after_their_end_but_never_the_last_one(database: Database) -> None:
    long_ago = NOW - KEYS_ARE_KEPT - SECOND

    async def make(name: str, made: datetime, **more: datetime) -> None:
        key = Key(
            id=name, tenant_id="t", user_id=None, name=name, scopes=frozenset(Scope), created_at=made, **more
        )
        async with database.write() as connection:
            await keys.add(connection, key, name)

    async def left() -> list[str]:
        async with database.read() as connection:
            return sorted((await connection.execute(select(api_keys.c.id))).scalars())

    await make("revoked", long_ago - 2 * DAY, revoked_at=long_ago)
    await make("expired", long_ago - 2 * DAY, expires_at=long_ago)
    await make("just-revoked", long_ago - 2 * DAY, revoked_at=NOW - DAY)
    await make("good", long_ago - 2 * DAY)
    await make("newest", long_ago - DAY, revoked_at=long_ago)
    await Retention(database, None).sweep(NOW)
    assert await left() == ["good", "just-revoked", "newest"]
    await Retention(database, None).sweep(NOW + 2 * KEYS_ARE_KEPT)
    assert await left() == ["good", "newest"]
    async with database.write() as connection:
        await keys.revoke(connection, "good", NOW)
    await Retention(database, None).sweep(NOW + 2 * KEYS_ARE_KEPT)
    assert await left() == ["newest"], "without any row the house would be open again"


async def test_more_than_a_portion_of_them_goes_in_one_sweep(database: Database) -> None:
    for number in range(5):
        await a_pass(database, f"over-{number}", NOW - SECOND)
    await Retention(database, None, portion=2).sweep(NOW)
    async with database.read() as connection:
        assert (await connection.execute(select(pass_rows.c.token_hmac))).all() == []
