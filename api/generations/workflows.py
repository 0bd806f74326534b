"""What a generation's workflow says of itself, for operators."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field
from temporalio.client import WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from api.door.scopes import needs
from api.generations.finding import find
from api.generations.paths import GenerationId
from api.generations.showing import shown
from api.problems import Problem
from api.service import Here
from domain.messages import View
from domain.names import VIEW_QUERY
from domain.people.callers import Scope

router = APIRouter(prefix="/v1/generations", tags=["operators"])

_PATIENCE = timedelta(seconds=5)


class WorkflowOut(BaseModel):
    """One run of a generation's workflow: the newest."""

    workflow_id: str
    run_id: str
    status: Annotated[str, Field(examples=["running", "completed"])]
    started_at: AwareDatetime
    closed_at: AwareDatetime | None
    history_events: int
    view: View | None = Field(description="The workflow's own answer; null while no worker can give one.")
    temporal_url: str


@router.get("/{generation_id}/workflow", summary="The workflow behind a generation")
@needs(Scope.OPERATE)
async def workflow(service: Here, generation_id: GenerationId) -> WorkflowOut:
    """Ask the newest run what it is doing; the catalog, not this, is the truth for users."""
    generation = await find(service, generation_id)
    handle = service.client.get_workflow_handle(generation.id)
    try:
        described = await handle.describe(rpc_timeout=_PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Problem("no_workflow", "No run of its workflow is known (yet, or any more).") from error
        raise _away() from error
    except RuntimeError as error:
        raise _away() from error
    return WorkflowOut(
        workflow_id=described.id,
        run_id=described.run_id,
        status=described.status.name.lower() if described.status else "unknown",
        started_at=described.start_time,
        closed_at=described.close_time,
        history_events=described.history_length,
        view=await _view(handle),
        temporal_url=shown(service, generation).links.temporal,
    )


async def _view(handle: Any) -> View | None:  # noqa: ANN401 - a handle of a workflow that this side does not import
    try:
        answer: View = await handle.query(VIEW_QUERY, result_type=View, rpc_timeout=_PATIENCE)
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
        return None
    return answer


def _away() -> Problem:
    return Problem("unavailable", "Temporal does not answer; try again.", headers={"Retry-After": "2"})
