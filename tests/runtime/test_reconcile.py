"""The reconciler's ear: each wish has its turn, however many there are, and the same one is not nudged all the time."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.gate.tickets import Release
from domain.generation import DeploymentMode
from domain.messages import Reconciled
from domain.names import GENERATION_WORKFLOW, OLDER_GENERATION_WORKFLOWS, Signal
from runtime.gates import Gates
from runtime.housekeeping.closing import Closer
from runtime.housekeeping.pauses import Pauses
from runtime.housekeeping.reconcile import Reconciler
from runtime.housekeeping.runs import HANDED_OVER, Run, Runs
from runtime.nudge import Nudger
from storage import schema
from storage.database import Database
from tests.factories import LIMITS, NOW, SECOND
from tests.storage.steps import claimed, closed, created, database_at, quiet_since, running, shown

AGO = datetime.now(UTC) - timedelta(minutes=5)


class RecordingNudger(Nudger):
    """Nudges nobody, and remembers whom."""

    def __init__(self) -> None:
        self.nudged: list[str] = []

    async def nudge(self, generation_id: str, signal: Signal, take: int) -> None:  # noqa: ARG002 - whichever
        self.nudged.append(generation_id)


class PretendRuns(Runs):
    """What Temporal would know."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.reason: str | None = "a mistake"

    async def newest(self, generation_id: str) -> Run | None:  # noqa: ARG002 - all alike
        return self.run

    async def why_terminated(self, generation_id: str, run_id: str) -> str | None:  # noqa: ARG002 - all alike
        return self.reason


class RecordingGates(Gates):
    """Remembers what was given back."""

    def __init__(self) -> None:
        self.released: list[tuple[str, Release]] = []

    async def release(self, account: str, release: Release) -> None:
        self.released.append((account, release))


class House:
    """A reconciler over a real database, and what it does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.nudger, self.runs, self.gates = RecordingNudger(), PretendRuns(), RecordingGates()
        self.reconciler = Reconciler(
            database,
            self.nudger,
            self.runs,
            Closer(database, self.runs, self.gates),
            mode=DeploymentMode.SANDBOX,
            limits=LIMITS,
            older_than=10 * SECOND,
            quiet_for=60 * SECOND,
            page=3,
        )

    async def quiet(self, generation_id: str) -> None:
        await quiet_since(self.database, generation_id, AGO)


def a_run(
    status: WorkflowExecutionStatus, type_name: str = GENERATION_WORKFLOW, run_id: str = "run-1"
) -> Run:
    return Run(run_id=run_id, status=status, type_name=type_name)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with database_at(tmp_path / "videoplanet.db") as database:
        await schema.upgrade(database)
        yield House(database)


async def test_a_wish_beyond_the_first_page_has_its_turn(house: House) -> None:
    made = [await created(house.database, now=AGO) for _ in range(10)]
    for _ in range(5):
        await house.reconciler.look()
    assert sorted(house.nudger.nudged) == sorted(made), "each once: the pauses are longer than this test"


async def test_a_run_that_is_open_is_left_alone_and_one_that_is_gone_is_started(house: House) -> None:
    job = await running(house.database)
    await house.quiet(job.generation_id)
    house.runs.run = a_run(WorkflowExecutionStatus.RUNNING)
    assert await house.reconciler.look() == Reconciled()
    for number, lost in enumerate([None, WorkflowExecutionStatus.FAILED, WorkflowExecutionStatus.TIMED_OUT]):
        house.runs.run = None if lost is None else a_run(lost)
        again = House(house.database)
        again.runs.run = house.runs.run
        assert await again.reconciler.look() == Reconciled(nudged=1), number
        assert again.nudger.nudged == [job.generation_id]


async def test_a_terminated_run_is_closed_once_and_its_ticket_given_back(house: House) -> None:
    order = await claimed(house.database)
    await house.quiet(order.generation_id)
    house.runs.run = a_run(WorkflowExecutionStatus.TERMINATED)
    assert await house.reconciler.look() == Reconciled(closed=1)
    assert house.gates.released == [("runway", Release(ref=order.attempt.ref, was_sent=False))]
    assert house.nudger.nudged == []
    assert (await shown(house.database, order.generation_id)).status.is_terminal
    assert await house.reconciler.look() == Reconciled()


@pytest.mark.parametrize("reason", [HANDED_OVER, None])
async def test_what_was_handed_over_or_has_lost_its_history_goes_on(house: House, reason: str | None) -> None:
    job = await running(house.database)
    await house.quiet(job.generation_id)
    house.runs.run, house.runs.reason = a_run(WorkflowExecutionStatus.TERMINATED), reason
    assert await house.reconciler.look() == Reconciled(nudged=1)
    assert not (await shown(house.database, job.generation_id)).status.is_terminal


async def test_a_take_that_the_terminated_run_had_not_claimed_goes_on(house: House) -> None:
    job = await running(house.database)
    await house.quiet(job.generation_id)
    house.runs.run = a_run(WorkflowExecutionStatus.TERMINATED, run_id="another run")
    assert await house.reconciler.look() == Reconciled(nudged=1)


async def test_an_open_run_of_an_older_version_serves_nobody(house: House) -> None:
    job = await running(house.database)
    await house.quiet(job.generation_id)
    house.runs.run = a_run(WorkflowExecutionStatus.RUNNING, OLDER_GENERATION_WORKFLOWS[0])
    assert await house.reconciler.look() == Reconciled(nudged=1)


async def _late(house: House) -> str:
    job = await running(house.database)
    await closed(house.database, job.generation_id)
    async with house.database.write() as connection:
        await connection.exec_driver_sql("UPDATE attempts SET deadline = '2999-01-01 00:00:00.000000'")
    return job.generation_id


async def test_a_late_job_without_a_run_is_given_one_each_time(house: House) -> None:
    generation_id = await _late(house)
    for _ in range(2):
        assert await house.reconciler.follow_late_jobs() == Reconciled(followed=1)
    assert house.nudger.nudged == [generation_id] * 2


async def test_an_open_run_is_told_of_a_late_job_once_in_a_while(house: House) -> None:
    generation_id = await _late(house)
    house.runs.run = a_run(WorkflowExecutionStatus.RUNNING)
    assert await house.reconciler.follow_late_jobs() == Reconciled(followed=1)
    assert await house.reconciler.follow_late_jobs() == Reconciled()
    assert house.nudger.nudged == [generation_id]


def test_pauses_double_up_to_five_minutes_and_are_forgotten_with_what_they_are_about() -> None:
    pauses: Pauses[str] = Pauses(10 * SECOND)
    now, tried = NOW, []
    while now < NOW + timedelta(minutes=30):
        if pauses.is_due("a wish", now):
            tried.append((now - NOW) // SECOND)
            pauses.note("a wish", now)
        now += SECOND
    assert tried[:6] == [0, 10, 30, 70, 150, 310]
    assert {later - earlier for earlier, later in pairwise(tried[6:])} == {300}
    assert not pauses.is_due("a wish", now)
    pauses.forget_all_but(["another"])
    assert pauses.is_due("a wish", now)
    pauses.note("a wish", now)
    pauses.forget_before(now + SECOND)
    assert pauses.is_due("a wish", now)
