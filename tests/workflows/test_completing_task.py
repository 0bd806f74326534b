"""A regenerate that is sent from inside the completing workflow task is not lost."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from activities.first_frames import FirstFrames
from activities.service import Service
from domain.generation import DeploymentMode
from providers.registry import Accounts, facts_of
from runtime.account_limits import account_limits_of
from runtime.accounts import access_of
from runtime.gates import Gates
from runtime.settings import Settings
from storage.database import Database
from storage.files.assets import LocalAssets
from storage.gate.healths import Healths
from tests.eventually import eventually
from tests.stack import Stack
from worker import workers


class Meddler:
    """What happens inside the completing task: once, a regenerate over HTTP, and its nudge arrives."""

    def __init__(self, api_url: str) -> None:
        self.http = httpx.Client(base_url=api_url, trust_env=False)
        # A thread of its own: the workflow's thread may neither import nor block on sockets.
        self.thread = ThreadPoolExecutor(1)
        self.times = 0

    def meddle(self, generation_id: str) -> None:
        """Ask for another take, and stay until the API has surely nudged."""
        self.times += 1
        if self.times == 1:
            self.thread.submit(self._regenerate, generation_id).result()

    def _regenerate(self, generation_id: str) -> None:
        path = f"/v1/generations/{generation_id}"
        answer = self.http.post(f"{path}/regenerate", json={})
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        # More requests to the same single-threaded API: its nudge has left before the last one is answered.
        for _ in range(20):
            self.http.get(path)


MEDDLERS: list[Meddler] = []


class AtTheEnd(WorkflowInboundInterceptor):
    """Meddles when the workflow's code has decided to end, before the server has heard of it."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> object:  # noqa: A002  # the SDK's own name
        """Run the workflow, then meddle."""
        result = await super().execute_workflow(input)
        if not workflow.unsafe.is_replaying():
            with workflow.unsafe.sandbox_unrestricted():
                MEDDLERS[-1].meddle(workflow.info().workflow_id)
        return result


class Meddling(ClientInterceptor, Interceptor):
    """Puts `AtTheEnd` around every workflow; the worker takes it from its client."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002  # the SDK's own name
    ) -> type[WorkflowInboundInterceptor]:
        """Return the interceptor."""
        return AtTheEnd


@pytest.fixture
async def stack_with_a_meddling_worker(tmp_path: Path) -> AsyncIterator[Stack]:
    stack = Stack(tmp_path)
    settings = Settings(data_dir=tmp_path, mode=DeploymentMode.SANDBOX, sandbox_url=stack.sandbox_url)
    async with AsyncExitStack() as parts:
        parts.push_async_callback(stack.close)
        await stack.migrate()
        for part in ("temporal", "sandbox", "api"):
            await stack.start_part(part)
        MEDDLERS.append(Meddler(stack.api_url))
        parts.callback(MEDDLERS[-1].http.close)
        parts.callback(MEDDLERS[-1].thread.shutdown)
        client = await Client.connect(
            stack.temporal_address,
            data_converter=pydantic_data_converter,
            interceptors=[Meddling()],
        )
        access, account_limits = access_of(settings), account_limits_of(settings)
        accounts = Accounts(access, mode=settings.mode, answer_seconds=5)
        parts.push_async_callback(accounts.close)
        service = Service(
            database=await parts.enter_async_context(Database(settings.effective_database_url)),
            accounts=accounts,
            gates=Gates(client),
            healths=Healths(account_limits, settings.mode),
            account_limits=account_limits,
            providers=facts_of(access),
            assets=LocalAssets(settings.assets_dir),
            first_frames=FirstFrames(LocalAssets(settings.assets_dir)),
            limits=settings.limits,
            max_output_bytes=settings.max_output_bytes,
        )
        for worker in workers(client, service, settings):
            await parts.enter_async_context(worker)
        yield stack


async def test_a_regenerate_sent_from_inside_the_completing_task_is_made_by_the_same_run(
    stack_with_a_meddling_worker: Stack,
) -> None:
    stack = stack_with_a_meddling_worker
    ordered = await stack.order()

    async def both() -> bool:
        takes = (await stack.look(ordered["id"]))["takes"]
        return [take["status"] for take in takes] == ["completed", "completed"]

    async def completed_twice() -> bool:
        return MEDDLERS[-1].times >= 2

    await eventually(both, within=60, what="both takes")
    await eventually(completed_twice, what="the completing task of the second take")
    assert len(await stack.jobs(ordered["id"])) == 2
