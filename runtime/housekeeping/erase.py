"""Erasing what deleted generations left outside of SQL: their files at once, and their histories in Temporal.

Temporal takes its time: it deletes a run only after it has written down that the run's closing was dealt with, which
it does every 30 s by default (`history.transferProcessorUpdateAckInterval`). Files do not wait for that.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from runtime.temporal import RPC_TIMEOUT
from storage.database import Database, uninterrupted
from storage.files import images, uses
from storage.files.asset_store import AssetStore
from storage.takes import erasing

_NUDGES_ARE_OVER_AFTER_SECONDS = 3 * RPC_TIMEOUT.total_seconds()
"""A nudge that was under way when its generation was deleted has come to nothing or has started a run by then."""

log = structlog.get_logger(__name__)


class Eraser:
    """Erases what is due; harmless to repeat, and several may run at once."""

    def __init__(self, database: Database, client: Client, assets: AssetStore) -> None:
        self._database = database
        self._client = client
        self._assets = assets
        self._files_erased_at: dict[str, float] = {}

    async def look(self) -> None:
        """Go one step further with everything that is due.

        Raises:
            SQLAlchemyError: The database is away.
        """
        async with self._database.read() as connection:
            due = await erasing.to_be_erased(connection)
            pictures = await images.to_be_erased(connection)
        for picture in pictures:
            await self._erase_picture(picture)
        await self._erase_files_of(due)
        for generation_id in due:
            try:
                if await self._has_no_history(generation_id) and self._is_quiet(generation_id):
                    await self._end(generation_id)
                    log.info("erased", generation=generation_id)
            except RPCError:  # one that Temporal has trouble with must not keep all others
                log.warning("cannot erase its histories now", generation=generation_id, exc_info=True)

    async def _erase_files_of(self, due: Iterable[str]) -> None:
        known = self._files_erased_at
        self._files_erased_at = {one: known[one] for one in due if one in known}
        for generation_id in due:
            if generation_id in self._files_erased_at:
                continue
            try:
                await self._erase_files(generation_id)
            except OSError:  # one file that cannot be removed must not keep all others
                log.warning("cannot erase its files now", generation=generation_id, exc_info=True)
            else:
                self._files_erased_at[generation_id] = asyncio.get_running_loop().time()

    def _is_quiet(self, generation_id: str) -> bool:
        since = self._files_erased_at.get(generation_id)
        return (
            since is not None and asyncio.get_running_loop().time() - since >= _NUDGES_ARE_OVER_AFTER_SECONDS
        )

    @uninterrupted
    async def _erase_picture(self, picture: images.Image) -> None:
        async with self._database.write() as connection:
            await uses.erase_image(connection, self._assets, picture)

    @uninterrupted
    async def _erase_files(self, generation_id: str) -> None:
        async with self._database.write(generation_id) as connection:
            await uses.end_all(connection, self._assets, generation_id)

    @uninterrupted
    async def _end(self, generation_id: str) -> None:
        """Write that it is erased, together with the files that its last run may have stored meanwhile."""
        async with self._database.write(generation_id) as connection:
            await erasing.erase_files(connection, self._assets, generation_id, datetime.now(UTC))

    async def _has_no_history(self, generation_id: str) -> bool:
        """Delete the history of every run, as the prompt stands in each; tell whether none is left.

        Deleting takes a moment, so the next look tells. A run that still follows a job which its provider would
        not stop comes to its end first.
        """
        handle = self._client.get_workflow_handle(generation_id)
        try:
            newest = await handle.describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            newest = None
        runs = {newest.run_id: newest.status} if newest else {}
        async for run in self._client.list_workflows(
            f'WorkflowId = "{generation_id}"', rpc_timeout=RPC_TIMEOUT
        ):
            runs.setdefault(run.run_id, run.status)
        if WorkflowExecutionStatus.RUNNING not in runs.values():
            for run_id in runs:
                await self._delete_run(generation_id, run_id)
        return not runs

    async def _delete_run(self, workflow_id: str, run_id: str) -> None:
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = DeleteWorkflowExecutionRequest(
            namespace=self._client.namespace, workflow_execution=execution
        )
        try:
            await self._client.workflow_service.delete_workflow_execution(request, timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
