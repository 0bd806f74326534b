"""The names under which Temporal knows us: workflows, signals, queries, activities, task queues.

Each is written here once, so that the side that calls and the side that answers agree. They are pinned: histories
refer to them.
"""

from enum import StrEnum

GENERATION_WORKFLOW = "Generation"
"""The type's name. It changes with an incompatible change of the workflow: runs of an older type are ended when the
stores are migrated, and new ones go on from the rows."""

OLDER_GENERATION_WORKFLOWS = ("GenerationWorkflow",)

GATE_WORKFLOW = "ProviderGate"
RECONCILE_WORKFLOW = "Reconcile"

RECONCILE_SCHEDULE = "reconcile"
"""The id of the Schedule, and the first part of the workflow ids of its rounds."""

VIEW_QUERY = "view"
STATUS_QUERY = "status"


def gate_id(account: str) -> str:
    """Return the workflow id of an account's gate."""
    return f"gate/{account}"


class TaskQueue(StrEnum):
    """Where work waits: a thousand watchers must never block a cancel, nor decoding the loop."""

    GENERATIONS = "generations"
    WATCH = "watch"
    MEDIA = "media"


class Signal(StrEnum):
    """What can be said to a generation's workflow; the take may be left out by a person."""

    REGENERATE = "regenerate"
    CANCEL = "cancel"


class GateSignal(StrEnum):
    """What can be said to a gate; those without a ticket are for operators."""

    JOIN = "join"
    ACK = "ack"
    RELEASE = "release"
    PAUSE = "pause"
    RESUME = "resume"
    PAUSE_TENANT = "pause_tenant"
    RESUME_TENANT = "resume_tenant"
    CONFIGURE = "configure"
    RESET_BREAKER = "reset_breaker"


class SlotSignal(StrEnum):
    """What a gate says to a generation."""

    GRANTED = "slot_granted"
    REFUSED = "slot_refused"


class ActivityName(StrEnum):
    """The registered names of the activities."""

    CLAIM = "claim"
    WISH = "wish"
    SUBMIT = "submit"
    RESOLVE_SUBMIT = "resolve_submit"
    LOOK_UP = "look_up"
    WATCH = "watch"
    CANCEL = "cancel_job"
    GIVE_UP_CANCEL = "give_up_cancel"
    STORE = "store"
    GIVE_UP = "give_up"
    READ_GATE = "read_gate"
    WRITE_GATE = "write_gate"
    JUDGE_LEASES = "judge_leases"
    RECONCILE = "reconcile"
    RECONCILE_GATES = "reconcile_gates"
    LOOK_AGAIN = "look_again"
