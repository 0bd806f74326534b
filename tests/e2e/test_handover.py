"""Runs of an older version are handed over: they end, and what they served goes on in new ones, from the rows."""

from temporalio.client import Client, WorkflowExecutionStatus

from domain.moments import micros_of
from domain.names import GENERATION_WORKFLOW, OLDER_GENERATION_WORKFLOWS, TaskQueue
from domain.status import Status
from runtime.housekeeping.runs import HANDED_OVER, Runs
from runtime.migrate import migrate
from runtime.settings import Settings
from storage.database import Database
from tests.conftest import MakeStack
from tests.e2e.gate_of import client_of, terminated
from tests.eventually import eventually
from tests.stack import Stack
from tests.storage.steps import claimed_by, created, shown


async def served_by_an_older_version(database: Database, client: Client) -> tuple[str, str]:
    """Return a generation, and its run of a type that no worker of this version knows."""
    generation_id = await created(database)
    handle = await client.start_workflow(
        OLDER_GENERATION_WORKFLOWS[0], id=generation_id, task_queue=TaskQueue.GENERATIONS
    )
    run = await handle.describe()
    await claimed_by(database, generation_id, run=run.run_id, began=micros_of(run.start_time))
    return generation_id, run.run_id


async def is_listed(client: Client, generation_id: str) -> bool:
    query = f'WorkflowId = "{generation_id}" AND ExecutionStatus = "Running"'
    return bool([run async for run in client.list_workflows(query)])


async def completes(database: Database, generation_id: str) -> None:
    async def completed() -> bool:
        return (await shown(database, generation_id)).status is Status.COMPLETED

    await eventually(completed, within=60, what="the video of the new run")


async def _migrated(stack: Stack) -> None:
    port = int(stack.temporal_address.rpartition(":")[2])
    await migrate(Settings(data_dir=stack.data_dir, database_url=stack.database_url, temporal_port=port))


async def test_migrating_hands_them_over_and_what_was_cut_in_between_is_gone_on_with(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack(VIDEOPLANET_RECONCILE_SECONDS="2")
    await stack.kill("worker")
    client = await client_of(stack)
    async with Database(stack.database_url) as database:
        generation_id, run_id = await served_by_an_older_version(database, client)
        await eventually(lambda: is_listed(client, generation_id), what="the older run is listed")
        for _ in range(2):
            await _migrated(stack)
        runs = Runs(client)
        assert await runs.why_terminated(generation_id, run_id) == HANDED_OVER
        newest = await runs.newest(generation_id)
        assert newest is not None
        assert (newest.type_name, newest.status) == (GENERATION_WORKFLOW, WorkflowExecutionStatus.RUNNING)
        # A migration that was killed between its two steps.
        cut, _ = await served_by_an_older_version(database, client)
        await terminated(stack, cut, HANDED_OVER)
        await stack.start_part("worker")
        await completes(database, generation_id)
        await completes(database, cut)
        # A process of the older version that still lives starts one more.
        late, _ = await served_by_an_older_version(database, client)
        await completes(database, late)
        assert len(await stack.jobs()) == 3
