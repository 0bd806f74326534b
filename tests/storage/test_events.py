"""The event log: dense whoever writes, told once, and never ahead of what it tells of."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import EventType
from storage import events
from storage.database import Database
from tests.factories import NOW
from tests.storage.steps import a_second, created, shown, told


async def tell(connection: AsyncConnection, generation_id: str, message: str, key: str | None = None) -> bool:
    return await events.append(
        connection,
        EventType.ATTEMPT_PROGRESS,
        generation_id=generation_id,
        take=1,
        attempt=1,
        at=NOW,
        message=message,
        data={"percent": 5},
        key=key,
    )


async def write(database: Database, generation_id: str, message: str, key: str | None = None) -> bool:
    async with database.write(generation_id) as connection:
        return await tell(connection, generation_id, message, key)


async def test_numbers_are_dense_whoever_writes_and_however_many(database: Database) -> None:
    ids = [await created(database) for _ in range(2)]
    async with a_second(database) as other:
        await asyncio.gather(
            *(write(one, ids[n % 2], f"{n}") for n in range(30) for one in (database, other))
        )
    for generation_id in ids:
        log = await told(database, generation_id)
        assert [event.seq for event in log] == list(range(1, 32))
        assert (await shown(database, generation_id)).last_seq == 31


async def test_the_same_thing_is_told_once_however_often_and_by_whomever(database: Database) -> None:
    generation_id = await created(database)
    async with a_second(database) as other:
        answers = await asyncio.gather(
            *(write(one, generation_id, "once", key="k") for _ in range(10) for one in (database, other))
        )
    assert sorted(answers) == [False] * 19 + [True]
    assert [event.message for event in await told(database, generation_id)][1:] == ["once"]


async def test_a_key_belongs_to_its_generation(database: Database) -> None:
    one, other = await created(database), await created(database)
    assert await write(database, one, "first", key="k")
    assert await write(database, other, "second", key="k")


async def test_a_thing_that_was_told_takes_no_number(database: Database) -> None:
    generation_id = await created(database)
    for _ in range(3):
        await write(database, generation_id, "once", key="k")
    await write(database, generation_id, "next")
    assert [event.seq for event in await told(database, generation_id)] == [1, 2, 3]


async def test_an_undone_transaction_leaves_no_gap(database: Database) -> None:
    generation_id = await created(database)

    async def undone() -> None:
        async with database.write(generation_id) as connection:
            await tell(connection, generation_id, "never")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    await write(database, generation_id, "next")
    assert [(event.seq, event.message) for event in await told(database, generation_id)][1:] == [(2, "next")]


async def test_a_reader_goes_on_after_what_it_has_seen(database: Database) -> None:
    generation_id = await created(database)
    for number in range(2, 8):
        await write(database, generation_id, f"{number}")
    async with database.read() as connection:
        first = await events.after(connection, generation_id, 0, 4)
        rest = await events.after(connection, generation_id, first[-1].seq, 100)
        assert await events.after(connection, generation_id, 7, 100) == []
        assert await events.after(connection, "gen_nobody", 0, 100) == []
    assert [event.seq for event in [*first, *rest]] == list(range(1, 8))


async def test_an_event_is_read_as_it_was_written(database: Database) -> None:
    generation_id = await created(database)
    await write(database, generation_id, "five \N{FOX FACE}")
    event = (await told(database, generation_id))[-1]
    assert (event.type, event.take, event.attempt) == (EventType.ATTEMPT_PROGRESS, 1, 1)
    assert (event.at, event.message, event.data) == (NOW, "five \N{FOX FACE}", {"percent": 5})
