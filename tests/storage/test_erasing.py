"""Deleting: every text is gone from every table, what it cost stays, and nothing is told of it afterwards."""

import json

import pytest
from sqlalchemy import select

from domain.attempts.failures import Category
from domain.attempts.outcomes import CancelOutcome, JobState, Rejected, Unknown
from domain.generation import Cost, Feedback
from domain.messages import CancelResult
from domain.orders.request import IfRunning
from domain.status import Status
from storage import catalog
from storage.database import Database
from storage.files import images
from storage.files.assets import LocalAssets
from storage.files.images import Image
from storage.idempotency import Gone, Key, KeyReused, Reply, once
from storage.tables import metadata
from storage.takes import cancels, erasing, opinions, wishes
from storage.takes.erasing import NotOver
from tests.factories import NOW, SECOND, a_failure, a_first_frame, a_plan, a_request
from tests.storage.steps import (
    SENT,
    SOMEBODY,
    claimed,
    closed,
    completed,
    created,
    ended,
    finished_sending,
    regenerated,
    running,
    sending,
    shown,
    told,
    told_types,
)

PRICE = a_plan().price
SECRET = "a-secret-that-nobody-else-may-read"


async def deleted(database: Database, generation_id: str) -> None:
    async with database.write(generation_id) as connection:
        await erasing.delete(connection, await catalog.load(connection, generation_id), SENT)


async def erased(database: Database, assets: LocalAssets, generation_id: str) -> None:
    async with database.write(generation_id) as connection:
        await erasing.erase_files(connection, assets, generation_id, SENT)


async def everything(database: Database) -> str:
    """Every row of every table as one text."""
    async with database.read() as connection:
        return json.dumps(
            [
                [str(value) for value in row]
                for table in metadata.sorted_tables
                for row in await connection.execute(select(table))
            ]
        )


async def secret_order(database: Database, key: Key) -> str:
    request = a_request(
        prompt=SECRET,
        params={"negative_prompt": SECRET, "image_id": "picture", "style": {"preset": SECRET}},
        metadata={"note": SECRET},
    )
    plan = a_plan(prompt=SECRET, first_frame=a_first_frame())
    generation_id = await created(database)
    async with database.write(generation_id) as connection:
        await wishes.cancel(
            connection, await catalog.load(connection, generation_id), NOW, by="user", reason=SECRET
        )
        generation = await catalog.load(connection, generation_id)
        await wishes.regenerate(connection, generation, request, [plan, plan], NOW)

    async def answer(connection: object) -> Reply:
        del connection
        return Reply(202, {"id": generation_id, "prompt": SECRET}, {"Location": generation_id}, generation_id)

    await once(database, key, NOW, answer)
    return generation_id


def a_key(body: bytes = b"{}") -> Key:
    return Key.of(tenant_id="t", method="POST", path="/v1/generations", key="k", body=body)


async def never(connection: object) -> Reply:
    raise AssertionError(f"the work is never done again with {connection}")


async def test_no_table_has_any_text_of_a_deleted_generation(database: Database) -> None:
    generation_id = await secret_order(database, a_key())
    job = await running(database, generation_id)
    await ended(database, job, JobState.FAILED, failure=a_failure(detail=SECRET))
    await completed(database, job)
    async with database.write(generation_id) as connection:
        generation = await catalog.load(connection, generation_id)
        await opinions.rate(connection, generation, 2, Feedback(rating=1, comment=SECRET, at=NOW), NOW)
    assert (await everything(database)).count(SECRET) > 8
    await deleted(database, generation_id)
    assert SECRET not in await everything(database)
    generation = await shown(database, generation_id)
    assert generation.deleted_at == SENT
    assert [event.type.value for event in await told(database, generation_id)] == ["generation.deleted"]
    assert (await told(database, generation_id))[0].seq == generation.last_seq


async def test_what_it_cost_stays(database: Database) -> None:
    job = await running(database)
    await ended(database, job, JobState.FAILED, failure=a_failure(), cost=PRICE // 2)
    await closed(database, job.generation_id)
    await deleted(database, job.generation_id)
    generation = await shown(database, job.generation_id)
    assert generation.cost == Cost(settled=PRICE // 2)
    assert generation.current.attempts[0].job_id == job.job_id


async def test_the_key_of_a_deleted_generation_stays_used_and_says_that_it_is_gone(
    database: Database,
) -> None:
    generation_id = await secret_order(database, a_key())
    await closed(database, generation_id, take=2)
    await deleted(database, generation_id)
    with pytest.raises(Gone):
        await once(database, a_key(), NOW, never)
    with pytest.raises(KeyReused):
        await once(database, a_key(b"another body"), NOW, never)


async def test_what_is_not_over_is_not_deleted(database: Database) -> None:
    generation_id = (await running(database)).generation_id
    with pytest.raises(NotOver):
        await deleted(database, generation_id)
    # The next take ends first: the one that it replaced is still being worked on.
    await regenerated(database, generation_id, if_running=IfRunning.REPLACE)
    await closed(database, generation_id, take=2)
    before = await shown(database, generation_id)
    assert before.status is Status.FAILED
    with pytest.raises(NotOver):
        await deleted(database, generation_id)
    assert await shown(database, generation_id) == before


async def test_nothing_is_told_of_it_any_more(database: Database, assets: LocalAssets) -> None:
    """A job that its provider would not stop ends after its generation was deleted, with a message of the provider."""
    job = await running(database)
    async with database.write(job.generation_id) as connection:
        generation = await catalog.load(connection, job.generation_id)
        await wishes.cancel(connection, generation, NOW, by="user", reason=None)
        result = CancelResult(outcome=CancelOutcome.GOES_ON)
        await cancels.ended(connection, job, result, SENT, because=None)
    await deleted(database, job.generation_id)
    assert await ended(database, job, JobState.FAILED, failure=a_failure(detail=SECRET), cost=PRICE)
    assert await told_types(database, job.generation_id) == ["generation.deleted"]
    await erased(database, assets, job.generation_id)
    assert SECRET not in await everything(database)
    assert (await shown(database, job.generation_id)).cost == Cost(settled=PRICE)


async def test_an_answer_that_comes_after_the_deletion_is_a_fact_without_words(
    database: Database, assets: LocalAssets
) -> None:
    order = await sending(database)
    lost = a_failure(Category.SUBMISSION_UNKNOWN)
    await finished_sending(database, order, Unknown(client_reference="r", failure=lost))
    await closed(database, order.generation_id)
    await deleted(database, order.generation_id)
    refused = a_failure(Category.VALIDATION, detail=SECRET, billed=False)
    await finished_sending(database, order, Rejected(failure=refused))
    assert (await shown(database, order.generation_id)).cost == Cost()
    assert await told_types(database, order.generation_id) == ["generation.deleted"]
    await erased(database, assets, order.generation_id)
    assert SECRET not in await everything(database)


async def test_the_oldest_deletion_is_erased_first_and_once(database: Database, assets: LocalAssets) -> None:
    ids = [await created(database) for _ in range(3)]
    for number, generation_id in enumerate(ids):
        await closed(database, generation_id)
        async with database.write(generation_id) as connection:
            generation = await catalog.load(connection, generation_id)
            await erasing.delete(connection, generation, SENT - number * SECOND)
    async with database.read() as connection:
        assert await erasing.to_be_erased(connection, limit=2) == [ids[2], ids[1]]
    for generation_id in ids[1:]:
        await erased(database, assets, generation_id)
    async with database.read() as connection:
        assert await erasing.to_be_erased(connection) == [ids[0]]


async def test_a_picture_is_free_once_the_generation_that_began_with_it_is_deleted(
    database: Database,
) -> None:
    image = Image("picture", "c" * 64, 8, 8, 8, "image/png", NOW)
    async with database.write() as connection:
        await images.add(connection, SOMEBODY.tenant_id, image)
    order = await claimed(database, await created(database, params={"image_id": "picture"}))
    await closed(database, order.generation_id)
    await deleted(database, order.generation_id)
    async with database.write() as connection:
        await images.remove(connection, image, NOW)
        assert await images.find(connection, SOMEBODY.tenant_id, "picture") is None
