"""What happened, as users read it: the types of events and the record of one."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.model import Frozen


class EventType(StrEnum):
    """Every kind of event that is kept in the log."""

    GENERATION_ACCEPTED = "generation.accepted"
    TAKE_STARTED = "take.started"
    ATTEMPT_QUEUED = "attempt.queued"
    ATTEMPT_SUBMITTING = "attempt.submitting"
    ATTEMPT_ACCEPTED = "attempt.accepted"
    ATTEMPT_PROVIDER_QUEUED = "attempt.provider_queued"
    ATTEMPT_GENERATING = "attempt.generating"
    ATTEMPT_PROGRESS = "attempt.progress"
    ATTEMPT_FAILED = "attempt.failed"
    ATTEMPT_UNKNOWN = "attempt.unknown"
    ATTEMPT_FOUND = "attempt.found"
    RECOVERY_DECIDED = "recovery.decided"
    TAKE_STORING = "take.storing"
    TAKE_COMPLETED = "take.completed"
    TAKE_SUPERSEDED = "take.superseded"
    TAKE_KEPT = "take.kept"
    CANCEL_REQUESTED = "cancel.requested"
    CANCEL_OUTCOME = "cancel.outcome"
    GENERATION_COMPLETED = "generation.completed"
    GENERATION_FAILED = "generation.failed"
    GENERATION_CANCELLED = "generation.cancelled"
    GENERATION_DELETED = "generation.deleted"
    GENERATION_LATE_SUCCESS = "generation.late_success"
    FEEDBACK_ADDED = "feedback.added"
    COST_CHANGED = "cost.changed"
    USER_NOTICE = "user.notice"


class Event(Frozen):
    """One line of a generation's log.

    Attributes:
        seq: Dense from 1 within the generation.
        message: A sentence for a person.
    """

    seq: int
    type: EventType
    generation_id: str
    take: int
    attempt: int | None
    at: datetime
    message: str
    data: dict[str, Any]
