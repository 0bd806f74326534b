"""A repeated key is answered as the first time, and never does the work again."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database, alone_with
from storage.idempotency import KEEP, Key, KeyReused, Reply, Work, forget, once, was_used
from storage.tables import generations, idempotency
from storage.takes import wishes
from tests.eventually import eventually
from tests.factories import NOW, a_plan, a_request
from tests.storage.steps import SOMEBODY, a_second


def key(value: str = "k", body: bytes = b"{}", **scope: str) -> Key:
    where = {"tenant_id": "t", "method": "POST", "path": "/v1/generations"} | scope
    return Key.of(**where, key=value, body=body)


def creates(generation_id: str) -> Work:
    async def work(connection: AsyncConnection) -> Reply:
        await wishes.create(connection, generation_id, SOMEBODY, a_request(), [a_plan()], NOW)
        return Reply(202, {"id": generation_id}, {"Location": f"/v1/generations/{generation_id}"})

    return work


async def rows(database: Database) -> tuple[int, int]:
    async with database.read() as connection:
        return (
            (await connection.execute(select(func.count()).select_from(generations))).scalar_one(),
            (await connection.execute(select(func.count()).select_from(idempotency))).scalar_one(),
        )


async def test_a_repeated_key_is_answered_as_the_first_time(database: Database) -> None:
    first = await once(database, key(), NOW, creates("gen_1"))
    again = await once(database, key(), NOW, creates("gen_2"))
    assert first == Reply(202, {"id": "gen_1"}, {"Location": "/v1/generations/gen_1"})
    assert again == Reply(first.status, first.body, first.headers, replayed=True)
    assert await rows(database) == (1, 1)


async def test_a_key_is_known_to_be_used_from_its_answer_until_it_is_forgotten(database: Database) -> None:
    assert not await was_used(database, key(), NOW)
    await once(database, key(), NOW, creates("gen_1"))
    assert await was_used(database, key(), NOW + KEEP)
    assert await was_used(database, key(body=b"[]"), NOW)
    assert not await was_used(database, key(), NOW + KEEP + timedelta(microseconds=1))
    assert not await was_used(database, key("k2"), NOW)


async def test_the_same_key_for_another_body_is_refused(database: Database) -> None:
    await once(database, key(), NOW, creates("gen_1"))
    with pytest.raises(KeyReused):
        await once(database, key(body=b'{"a": 1}'), NOW, creates("gen_2"))
    assert await rows(database) == (1, 1)


@pytest.mark.parametrize(
    "other", [key("k2"), key(tenant_id="t2"), key(method="PUT"), key(path="/v1/other"), None]
)
async def test_another_key_tenant_method_or_path_is_another_request(
    database: Database, other: Key | None
) -> None:
    await once(database, key(), NOW, creates("gen_1"))
    assert not (await once(database, other, NOW, creates("gen_2"))).replayed
    assert (await rows(database))[0] == 2


async def test_without_a_key_the_work_is_done_each_time(database: Database) -> None:
    for number in range(3):
        assert not (await once(database, None, NOW, creates(f"gen_{number}"))).replayed
    assert await rows(database) == (3, 0)


async def test_refused_work_leaves_neither_work_nor_key_and_may_be_corrected(database: Database) -> None:
    async def refuses(connection: AsyncConnection) -> Reply:
        await creates("gen_1")(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await once(database, key(), NOW, refuses)
    assert await rows(database) == (0, 0)
    assert not (await once(database, key(body=b"corrected"), NOW, creates("gen_1"))).replayed


async def test_the_same_key_at_the_same_time_does_the_work_once(database: Database) -> None:
    async with a_second(database) as other:
        replies = await asyncio.gather(
            *(
                once(one, key(), NOW, creates(f"gen_{number}{name}"))
                for number in range(10)
                for name, one in (("a", database), ("b", other))
            )
        )
    assert len({reply.body["id"] for reply in replies}) == 1
    assert sorted(reply.replayed for reply in replies) == [False] + [True] * 19
    assert await rows(database) == (1, 1)


async def test_a_key_is_kept_for_at_least_a_day_and_not_for_ever(database: Database) -> None:
    assert timedelta(hours=24) <= KEEP
    await once(database, key(), NOW, creates("gen_1"))
    assert (await once(database, key(), NOW + KEEP, creates("gen_2"))).replayed
    assert not (await once(database, key(), NOW + KEEP + timedelta(seconds=1), creates("gen_3"))).replayed


async def test_what_is_too_old_is_removed_by_whoever_comes_next(database: Database) -> None:
    for number in range(3):
        await once(database, key(str(number)), NOW, creates(f"gen_{number}"))
    assert await rows(database) == (3, 3)
    await once(database, key("next"), NOW + KEEP + timedelta(seconds=1), creates("gen_next"))
    assert await rows(database) == (4, 1)


async def test_a_request_that_removes_old_keys_and_a_deletion_never_wait_for_each_other(
    postgresql: Database,
) -> None:
    """Whoever deletes a generation holds it, then its keys: nobody else may hold a key and wait for a generation."""

    async def answered(_: AsyncConnection) -> Reply:
        return Reply(202, {"prompt": "A fox"}, {}, "gen_1")

    async def changes(connection: AsyncConnection) -> Reply:
        await alone_with(connection, "gen_1")
        return Reply(202, {}, {}, "gen_1")

    async def somebody_waits() -> bool:
        async with postgresql.read() as connection:
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool((await connection.execute(waiting)).scalar_one())

    await once(postgresql, None, NOW, creates("gen_1"))
    for of in (key("same"), key("another")):
        await once(postgresql, of, NOW, answered)
    async with postgresql.write("gen_1") as deleting:
        asking = asyncio.create_task(once(postgresql, key("same"), NOW + 2 * KEEP, changes))
        await eventually(somebody_waits, what="the request waits for the deletion")
        await forget(deleting, "gen_1")
    assert not (await asking).replayed
    assert (await rows(postgresql))[1] == 1
