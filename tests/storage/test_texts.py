"""What providers say may be any text; it never keeps an end from being written."""

import pytest

from domain.attempts.outcomes import JobState
from domain.generation import Cost
from domain.status import Status
from storage import catalog
from storage.catalog import Filters
from storage.database import Database
from tests.factories import a_failure
from tests.storage.steps import closed, created, ended, running, shown, told

NUL, HALF = "\0", "\ud83e"


@pytest.mark.parametrize("sign", [NUL, HALF], ids=["nul", "half of a pair"])
async def test_a_message_that_no_database_takes_is_told_with_a_sign_in_its_place(
    database: Database, sign: str
) -> None:
    failure = a_failure(detail=f"It {sign} failed.", billed=False)
    job = await running(database)
    assert await ended(database, job, JobState.FAILED, failure=failure)
    await closed(database, job.generation_id, failure=failure)
    generation = await shown(database, job.generation_id)
    assert (generation.status, generation.cost) == (Status.FAILED, Cost())
    said = [event.message for event in await told(database, job.generation_id)]
    assert any(message.startswith("It ") and message.endswith(" failed.") for message in said)
    assert not any(sign in message for message in said)


async def test_a_search_for_what_no_database_takes_finds_nothing(database: Database) -> None:
    generation_id = await created(database, project_id="p")
    async with database.read() as connection:
        for filters in (Filters(q=f"{NUL}"), Filters(project_id=f"p{NUL}"), Filters(q=HALF)):
            assert await catalog.page(connection, "tenant", filters, before_id=None, limit=9) == []
        assert await catalog.find(connection, f"{generation_id}{NUL}") is None


async def test_every_other_sign_is_kept(database: Database) -> None:
    text = "\N{FOX FACE} Füchse 狐 %_\\'\"\u202e\x7f"
    generation_id = await created(database, metadata={"note": "\N{FOX FACE}"})
    await closed(database, generation_id, failure=a_failure(detail=text))
    assert (await told(database, generation_id))[-1].message == f"The generation failed: {text}"
    assert (await shown(database, generation_id)).metadata == {"note": "\N{FOX FACE}"}
