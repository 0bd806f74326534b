"""What people say of takes: told each time it changes, never about a take without a video."""

import pytest

from domain.generation import Feedback
from storage import catalog
from storage.database import Database
from storage.takes import opinions
from storage.takes.opinions import NothingToSee
from tests.factories import NOW, SECOND
from tests.storage.steps import completed, created, running, shown, told

POOR = Feedback(rating=2, comment="The fox is blue.", reasons=("colour",), at=NOW)
GOOD = Feedback(rating=5, at=NOW + SECOND)


async def kept(database: Database, generation_id: str, *, keep: bool = True) -> None:
    async with database.write(generation_id) as connection:
        generation = await catalog.load(connection, generation_id)
        change = opinions.keep if keep else opinions.let_go
        await change(connection, generation, 1, NOW)


async def rated(database: Database, generation_id: str, feedback: Feedback) -> None:
    async with database.write(generation_id) as connection:
        generation = await catalog.load(connection, generation_id)
        await opinions.rate(connection, generation, 1, feedback, NOW)


async def done(database: Database) -> str:
    job = await running(database)
    await completed(database, job)
    return job.generation_id


async def data_of(database: Database, generation_id: str, kind: str) -> list[dict[str, object]]:
    return [event.data for event in await told(database, generation_id) if event.type.value == kind]


async def test_a_mark_is_told_once_until_it_is_taken_back(database: Database) -> None:
    generation_id = await done(database)
    for keep in (False, True, True, False, False, True):
        await kept(database, generation_id, keep=keep)
    marks = await data_of(database, generation_id, "take.kept")
    assert marks == [{"kept": True}, {"kept": False}, {"kept": True}]
    assert (await shown(database, generation_id)).current.kept


async def test_feedback_replaces_the_last_and_both_are_told(database: Database) -> None:
    generation_id = await done(database)
    await rated(database, generation_id, POOR)
    assert (await shown(database, generation_id)).current.feedback == POOR
    await rated(database, generation_id, GOOD)
    assert (await shown(database, generation_id)).current.feedback == GOOD
    assert await data_of(database, generation_id, "feedback.added") == [
        {"rating": 2, "comment": "The fox is blue.", "reasons": ["colour"]},
        {"rating": 5, "comment": None, "reasons": []},
    ]


async def test_nobody_has_an_opinion_about_what_cannot_be_seen(database: Database) -> None:
    generation_id = await created(database)
    before = await told(database, generation_id)
    with pytest.raises(NothingToSee):
        await kept(database, generation_id)
    with pytest.raises(NothingToSee):
        await rated(database, generation_id, POOR)
    await kept(database, generation_id, keep=False)
    assert await told(database, generation_id) == before


async def test_an_opinion_changes_nothing_else(database: Database) -> None:
    generation_id = await done(database)
    before = await shown(database, generation_id)
    await kept(database, generation_id)
    await rated(database, generation_id, POOR)
    after = await shown(database, generation_id)
    assert (after.status, after.stage, after.cost) == (before.status, before.stage, before.cost)
    assert after.current.video == before.current.video
