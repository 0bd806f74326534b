"""How attempts fail, one of each kind, as tests about what follows need them."""

from collections.abc import Awaitable, Callable
from typing import Any

from domain.attempts.failures import Category
from domain.attempts.outcomes import CancelOutcome, JobState, NotSent, Rejected, Unknown
from storage.attempts import lookups
from storage.database import Database
from tests.domain.stories import RUNWAY, SEEDANCE
from tests.factories import a_failure
from tests.storage.steps import (
    SENT,
    claimed,
    created,
    ended,
    finished_sending,
    given_up,
    judged,
    running,
    sending,
    stopped,
)

ROUTE = (RUNWAY, SEEDANCE)
OUTLIVED = a_failure(Category.TIMEOUT)
FAILED = a_failure(Category.SERVER_ERROR, billed=False)
BROKEN = a_failure(Category.BAD_OUTPUT)
LOST = a_failure(Category.SUBMISSION_UNKNOWN)

Failing = Callable[[Database, str], Awaitable[object]]


def refused(category: Category, **said: Any) -> Failing:
    async def fail(database: Database, generation_id: str) -> None:
        order = await sending(database, generation_id)
        await finished_sending(database, order, Rejected(failure=a_failure(category, billed=False, **said)))

    return fail


async def unreached(database: Database, generation_id: str) -> None:
    order = await claimed(database, generation_id)
    failure = a_failure(Category.NETWORK, billed=False)
    await finished_sending(database, order, NotSent(failure=failure))


async def lost_before_sending(database: Database, generation_id: str) -> None:
    await judged(database, await claimed(database, generation_id), SENT)


async def failed_job(database: Database, generation_id: str) -> None:
    await ended(database, await running(database, generation_id), JobState.FAILED, failure=FAILED)


def outlived(outcome: CancelOutcome, *, billed: bool | None = None) -> Failing:
    async def fail(database: Database, generation_id: str) -> None:
        job = await running(database, generation_id)
        await stopped(database, job, outcome, because=OUTLIVED, billed=billed)

    return fail


async def broken_output(database: Database, generation_id: str) -> None:
    job = await running(database, generation_id)
    await ended(database, job, JobState.SUCCEEDED)
    await given_up(database, job, BROKEN)


async def looked_for_in_vain(database: Database, generation_id: str) -> None:
    order = await sending(database, generation_id)
    await finished_sending(database, order, Unknown(client_reference="r", failure=LOST))
    async with database.write(generation_id) as connection:
        await lookups.in_vain(connection, order, SENT)


async def failed_once(database: Database, fail: Failing, **request: Any) -> str:
    generation_id = await created(database, route=request.pop("route", ROUTE), **request)
    await fail(database, generation_id)
    return generation_id


ROOM = {"max_cost_usd": "5"}
RESUBMIT = {"on_unknown_submission": "resubmit"}
GOES_ON = outlived(CancelOutcome.GOES_ON)
