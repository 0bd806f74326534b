"""Rows as records: what the catalog's tables say, in the words of `domain.generation`."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from domain.attempts.failures import Failure
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.generation import Attempt, Cost, DeploymentMode, Feedback, Generation, Take, Video
from domain.orders.plans import Plan
from domain.orders.request import GenerationRequest
from domain.status import Stage, Status


def generation_of(row: Row[Any], of_takes: Iterable[Take]) -> Generation:
    """Return the record of a row of `generations`."""
    return Generation(
        id=row.id,
        mode=DeploymentMode(row.mode),
        tenant_id=row.tenant_id,
        status=Status(row.status),
        stage=Stage(row.stage),
        progress_percent=row.progress_percent,
        progress_source=row.progress_source,
        progress_at=row.progress_at,
        last_seq=row.last_seq,
        project_id=row.project_id,
        scenario_id=row.scenario_id,
        user_id=row.user_id,
        metadata=row.metadata,
        takes=tuple(of_takes),
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
        deleted_at=row.deleted_at,
    )


def take_of(row: Row[Any], of_attempts: Iterable[Attempt]) -> Take:
    """Return the record of a row of `takes`."""
    return Take(
        number=row.number,
        status=Status(row.status),
        request=GenerationRequest.model_validate(row.request),
        plan=Plan.model_validate(row.plan),
        route=tuple(Plan.model_validate(plan) for plan in row.route or [row.plan]),
        cancel_requested_at=row.cancel_requested_at,
        cancel_outcome=None if row.cancel_outcome is None else CancelOutcome(row.cancel_outcome),
        cancel_billed=row.cancel_billed,
        failure=failure_of(row.failure),
        video=None if row.video is None else Video.model_validate(row.video),
        reserved=row.reserved_micros,
        superseded_by=row.superseded_by,
        kept=row.kept,
        feedback=None if row.feedback is None else Feedback.model_validate(row.feedback),
        attempts=tuple(of_attempts),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def attempt_of(row: Row[Any]) -> Attempt:
    """Return the record of a row of `attempts`."""
    return Attempt(
        ref=row.ref,
        number=row.number,
        provider=row.provider,
        account=row.account,
        model=row.model,
        state=AttemptState(row.state),
        job_id=row.job_id,
        failure=failure_of(row.failure),
        cost=Cost(reserved=row.reserved_micros, settled=row.settled_micros, at_risk=row.at_risk_micros),
        started_at=row.started_at,
        ended_at=row.ended_at,
        plan=None if row.plan is None else Plan.model_validate(row.plan),
        job_state=None if row.job_state is None else JobState(row.job_state),
        not_before=row.not_before,
        give_up_at=row.give_up_at,
        may_leave=row.may_leave,
        deadline=row.deadline,
        given_up_at=row.given_up_at,
    )


def failure_of(data: dict[str, Any] | None) -> Failure | None:
    """Return the failure stored as JSON."""
    return None if data is None else Failure.model_validate(data)
