"""What turns out late is told truly: how a cancel ended when its take failed, a job that went on, a late refusal."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import CancelOutcome, JobState, Rejected, Unknown
from domain.messages import CancelResult, Job
from domain.status import Status
from storage import catalog
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.takes import cancels, erasing
from tests.factories import NOW, a_failure
from tests.storage.steps import (
    SENT,
    cancelled,
    closed,
    ended,
    finished_sending,
    row_of,
    running,
    sending,
    shown,
)


async def stopped(database: Database, job: Job, outcome: CancelOutcome, *, because: Failure | None) -> None:
    async with database.write(job.generation_id) as connection:
        result = CancelResult(outcome=outcome, billed=False)
        await cancels.ended(connection, job, result, SENT, because=because)


async def test_a_cancel_beside_a_job_that_the_service_itself_stopped_is_said_to_have_stopped(
    database: Database,
) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    await stopped(database, job, CancelOutcome.STOPPED, because=a_failure(Category.TIMEOUT))
    await closed(database, job.generation_id)
    take = (await shown(database, job.generation_id)).current
    assert (take.status, take.cancel_outcome) == (Status.FAILED, CancelOutcome.STOPPED)


async def test_an_end_after_a_refused_cancel_is_the_jobs_own(database: Database) -> None:
    job = await running(database)
    await cancelled(database, job.generation_id)
    async with database.write(job.generation_id) as connection:
        await cancels.sending(connection, job, SENT, will_bill=False)
    await stopped(database, job, CancelOutcome.GOES_ON, because=None)
    assert await ended(database, job, JobState.GONE, failure=a_failure())
    assert (await row_of(database, job.ref)).ended_at is not None


async def test_what_is_written_after_everything_was_erased_is_erased_once_more(
    database: Database, assets: LocalAssets
) -> None:
    order = await sending(database)
    lost = a_failure(Category.SUBMISSION_UNKNOWN)
    await finished_sending(database, order, Unknown(client_reference="r", failure=lost))
    await closed(database, order.generation_id)
    async with database.write(order.generation_id) as connection:
        await erasing.delete(connection, await catalog.load(connection, order.generation_id), NOW)
        await erasing.erase_files(connection, assets, order.generation_id, NOW)
        assert await erasing.to_be_erased(connection) == []
    await finished_sending(database, order, Rejected(failure=a_failure(detail="it said: a red fox")))
    async with database.read() as connection:
        assert await erasing.to_be_erased(connection) == [order.generation_id]


async def test_an_error_of_the_database_never_quotes_what_was_to_be_written(database: Database) -> None:
    with pytest.raises(SQLAlchemyError) as raised:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:prompt)"), {"prompt": "a red fox"})
    assert "a red fox" not in str(raised.value)
