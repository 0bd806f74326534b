"""One worker process: connect, register, run, and stop gracefully on SIGTERM.

Three task queues, so that a thousand watchers never block a cancel and decoding never blocks the loop. On SIGTERM
it takes no new work, lets a submit that is under way come to its answer, hands its watches over, and leaves.
"""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.first_frames import FirstFrames
from activities.reconciling import Reconciling
from activities.registered import by_queue
from activities.service import Service
from domain.names import TaskQueue
from providers.registry import Accounts, facts_of
from runtime.account_limits import account_limits_of
from runtime.accounts import access_of
from runtime.gates import Gates
from runtime.housekeeping.keeper import Keeper
from runtime.housekeeping.upkeep import upkeep
from runtime.logs import configure
from runtime.misconfigured import Misconfigured
from runtime.settings import Settings
from runtime.temporal import connect
from runtime.tenants import tenants_of
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.gate.healths import Healths
from workflows.gate import ProviderGate
from workflows.generation import GenerationWorkflow
from workflows.reconcile import Reconcile

MAX_WATCHES = 5_000
MAX_MEDIA = max(1, (os.cpu_count() or 2) - 1)
_STICKY = timedelta(seconds=3)
"""How long a workflow waits for the worker that has it cached: what a killed worker costs the others."""
_HEARTBEATS = timedelta(seconds=5)
"""The longest pause between heartbeats that reach the server: what a cancelled watch lives on for."""

RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "domain", "pydantic", "pydantic_core", "ulid"
    )
)

log = structlog.get_logger("worker")


def workers(client: Client, service: Service, settings: Settings) -> tuple[Worker, ...]:
    """Return the workers of the three task queues."""
    registered = by_queue(service, Reconciling(service, Keeper(settings, service.database, client)))
    return (
        Worker(
            client,
            task_queue=TaskQueue.GENERATIONS,
            workflows=[GenerationWorkflow, ProviderGate, Reconcile],
            workflow_runner=RUNNER,
            max_cached_workflows=settings.max_cached_workflows,
            sticky_queue_schedule_to_start_timeout=_STICKY,
            activities=registered[TaskQueue.GENERATIONS],
            max_concurrent_activities=500,
            max_heartbeat_throttle_interval=_HEARTBEATS,
            graceful_shutdown_timeout=service.limits.submit,
        ),
        Worker(
            client,
            task_queue=TaskQueue.WATCH,
            activities=registered[TaskQueue.WATCH],
            max_concurrent_activities=MAX_WATCHES,
            max_heartbeat_throttle_interval=_HEARTBEATS,
        ),
        Worker(
            client,
            task_queue=TaskQueue.MEDIA,
            activities=registered[TaskQueue.MEDIA],
            max_concurrent_activities=MAX_MEDIA,
            max_heartbeat_throttle_interval=_HEARTBEATS,
        ),
    )


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until told to stop."""
    access, account_limits = access_of(settings), account_limits_of(settings)
    tenants = tenants_of(settings)
    async with AsyncExitStack() as stack:
        client = await connect(settings)
        database = await stack.enter_async_context(Database(settings.effective_database_url))
        accounts = Accounts(access, mode=settings.mode, answer_seconds=settings.answer_seconds)
        stack.push_async_callback(accounts.close)
        assets = LocalAssets(settings.assets_dir)
        gates = Gates(client)
        service = Service(
            database=database,
            accounts=accounts,
            gates=gates,
            healths=Healths(account_limits, settings.mode),
            account_limits=account_limits,
            providers=facts_of(access),
            assets=assets,
            first_frames=FirstFrames(assets),
            limits=settings.limits,
            max_output_bytes=settings.max_output_bytes,
            tenants=tenants,
        )
        await stack.enter_async_context(upkeep(settings, database, client, assets))
        await asyncio.gather(*(gates.configure(*known) for known in account_limits.items()))
        for worker in workers(client, service, settings):
            await stack.enter_async_context(worker)
        log.info("working", mode=settings.mode, accounts=sorted(access), pid=os.getpid())
        await stop.wait()
        log.info("stopping: no new work; what is being submitted comes to its answer first")


async def _main(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await run(settings, stop)
    except (RPCError, RuntimeError, Misconfigured) as error:
        log.error("the worker cannot go on", error=str(error))  # noqa: TRY400  # one line for the operator says it
        return 1
    return 0


def main() -> None:
    """Run a worker process with settings from the environment."""
    settings = Settings()
    configure(as_json=settings.log_json)
    code = asyncio.run(_main(settings))
    # The SDK's threads can abort the interpreter's exit after everything is done.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
