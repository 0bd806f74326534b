"""What people and workers do to the store, a transaction each; and looking at what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Row, select, update

from domain.attempts.failures import Failure
from domain.attempts.outcomes import Accepted, CancelOutcome, JobState, JobStatus, SubmitResult
from domain.attempts.routing import Health
from domain.events import Event, EventType
from domain.gate.tickets import Refusal
from domain.generation import DeploymentMode, Generation, Take, Video
from domain.ids import new_generation_id
from domain.messages import CancelResult, Claim, Claimed, Ending, Job, Order, Submitted
from domain.moments import micros_of
from domain.orders.plans import Plan
from domain.orders.request import IfRunning
from domain.people.tenants import Tenants
from domain.status import Position
from storage import catalog, events, projection
from storage.attempts import answers, fence, jobs
from storage.database import Database
from storage.files.asset_store import AssetStore
from storage.tables import attempts, generations
from storage.takes import cancels, claims, endings, wishes
from storage.takes.wishes import Person
from tests.factories import LIMITS, NOW, SECOND, a_failure, a_job, a_plan, a_request, a_video

SOMEBODY = Person(tenant_id="tenant", mode=DeploymentMode.SANDBOX)
SENT = NOW + SECOND


class _EveryFile:
    """Stands for an asset store where a test is not about files: each is there, and removing it does nothing."""

    async def exists(self, sha256: str, suffix: str) -> bool:  # noqa: ARG002 - whichever
        return True

    async def delete(self, sha256: str, suffix: str) -> bool:  # noqa: ARG002 - whichever
        return True


WITH_EVERY_FILE = cast(AssetStore, _EveryFile())


def database_at(path: Path) -> Database:
    """Open a SQLite file."""
    return Database(f"sqlite+aiosqlite:///{path}")


def a_second(database: Database) -> Database:
    """Open the same database once more, as another process does."""
    return Database(database.url)


async def created(
    database: Database, now: datetime = NOW, route: Sequence[Plan] | None = None, **request: Any
) -> str:
    generation_id = new_generation_id()
    async with database.write() as connection:
        await wishes.create(
            connection, generation_id, SOMEBODY, a_request(**request), route or [a_plan()], now
        )
    return generation_id


async def regenerated(
    database: Database,
    generation_id: str,
    *,
    wish_key: str | None = None,
    if_running: IfRunning = IfRunning.REFUSE,
) -> Generation:
    async with database.write(generation_id) as connection:
        last = await catalog.load(connection, generation_id)
        request = a_request(prompt=f"Take {last.current.number + 1}")
        return await wishes.regenerate(
            connection, last, request, [a_plan()], NOW, if_running=if_running, wish_key=wish_key
        )


async def cancelled(database: Database, generation_id: str, now: datetime = SENT) -> Take:
    async with database.write(generation_id) as connection:
        generation = await catalog.load(connection, generation_id)
        return await wishes.cancel(connection, generation, now, by="user", reason=None)


async def answered(
    database: Database,
    generation_id: str,
    now: datetime = NOW,
    *,
    run: str = "run-1",
    began: int = 1,
    mode: DeploymentMode = DeploymentMode.SANDBOX,
    refusal: Refusal | None = None,
    healths: Mapping[str, Health] | None = None,
    tenants: Tenants | None = None,
) -> Claimed:
    """Claim, and return the whole answer."""
    wanted = Claim(generation_id=generation_id, run_id=run, run_started_micros=began, refusal=refusal)
    async with database.write(generation_id) as connection:
        return await claims.claim(
            connection, wanted, claims.Terms(mode, LIMITS, healths or {}, tenants or Tenants()), now
        )


async def claimed_by(
    database: Database,
    generation_id: str,
    run: str = "run-1",
    began: int = 1,
    now: datetime = NOW,
    mode: DeploymentMode = DeploymentMode.SANDBOX,
) -> Order | None:
    """Claim, and return an order that has a slot."""
    claimed = await answered(database, generation_id, now, run=run, began=began, mode=mode)
    return None if claimed.order is None else granted(claimed.order, now)


def granted(order: Order, now: datetime = NOW) -> Order:
    """Return an order that has a slot."""
    return order.model_copy(update={"send_by": micros_of(now + LIMITS.send_within)})


async def claimed(database: Database, generation_id: str | None = None, now: datetime = NOW) -> Order:
    order = await claimed_by(database, generation_id or await created(database), now=now)
    assert order is not None
    return order


async def may_send(database: Database, order: Order, now: datetime = SENT) -> bool:
    async with database.write(order.generation_id) as connection:
        return await fence.begin_sending(connection, order, "run-1", now)


async def sending(database: Database, generation_id: str | None = None, now: datetime = NOW) -> Order:
    """Claim an order, and get the permission to send it a second later."""
    order = await claimed(database, generation_id, now)
    assert await may_send(database, order, now + SECOND)
    return order


async def finished_sending(
    database: Database,
    order: Order,
    result: SubmitResult,
    now: datetime = SENT,
    *,
    has_permission: bool = False,
) -> Submitted | None:
    async with database.write(order.generation_id) as connection:
        return await answers.finish_sending(connection, order, result, now, has_permission=has_permission)


async def running(
    database: Database, generation_id: str | None = None, job_id: str | None = None, now: datetime = NOW
) -> Job:
    order = await sending(database, generation_id, now)
    job_id = job_id or f"job-{order.attempt.ref}"
    await finished_sending(database, order, Accepted(job_id=job_id), now + SECOND)
    return a_job(order, job_id, now + LIMITS.job)


async def judged(
    database: Database, order: Order, now: datetime, job_id: str | None = None
) -> Submitted | None:
    async with database.write(order.generation_id) as connection:
        return await answers.verdict(connection, order, job_id, now)


async def ended(database: Database, job: Job, state: JobState, **look: Any) -> bool:
    async with database.write(job.generation_id) as connection:
        return await jobs.ended(connection, job, JobStatus(state=state, **look), SENT)


async def completed(
    database: Database, job: Job, *, assets: AssetStore = WITH_EVERY_FILE, video: Video | None = None
) -> Ending:
    async with database.write(job.generation_id) as connection:
        return await endings.completed(connection, assets, job, video or a_video(), SENT)


async def closed(
    database: Database, generation_id: str, take: int = 1, failure: Failure | None = None
) -> Ending:
    async with database.write(generation_id) as connection:
        generation = await catalog.load(connection, generation_id)
        return await endings.close_failed(
            connection, generation, generation.take(take), failure or a_failure(), SENT
        )


async def given_up(database: Database, job: Job, failure: Failure, now: datetime = SENT) -> None:
    async with database.write(job.generation_id) as connection:
        await jobs.given_up(connection, job, failure, now)


async def stopped(
    database: Database,
    job: Job,
    outcome: CancelOutcome,
    *,
    because: Failure | None = None,
    billed: bool | None = None,
    now: datetime = SENT,
) -> None:
    """End a cancel that was sent: the user's, or (with a reason) our own."""
    async with database.write(job.generation_id) as connection:
        await cancels.sending(connection, job, now, will_bill=billed, because=because)
        result = CancelResult(outcome=outcome, billed=billed)
        await cancels.ended(connection, job, result, now, because=because)


async def projected(database: Database, generation_id: str, position: Position, **shown: Any) -> bool:
    async with database.write(generation_id) as connection:
        return await projection.project(connection, generation_id, position, SENT, **shown)


async def shown(database: Database, generation_id: str) -> Generation:
    async with database.read() as connection:
        return await catalog.load(connection, generation_id)


async def row_of(database: Database, ref: str) -> Row[Any]:
    async with database.read() as connection:
        return (await connection.execute(select(attempts).where(attempts.c.ref == ref))).one()


async def told(database: Database, generation_id: str) -> Sequence[Event]:
    """Return the events of a generation, but those of its money, which have tests of their own."""
    log = await all_told(database, generation_id)
    return [event for event in log if event.type is not EventType.COST_CHANGED]


async def all_told(database: Database, generation_id: str) -> Sequence[Event]:
    async with database.read() as connection:
        return await events.after(connection, generation_id, 0, 1000)


async def told_types(database: Database, generation_id: str) -> list[str]:
    return [event.type.value for event in await told(database, generation_id)]


async def quiet_since(database: Database, generation_id: str, moment: datetime) -> None:
    """Pretend that nothing has been written about a generation since then."""
    async with database.write(generation_id) as connection:
        await connection.execute(
            update(generations).where(generations.c.id == generation_id).values(updated_at=moment)
        )
