"""The status of a generation: one table of allowed moves, and everything that changes a status asks it.

Two doors lead out of a terminal status: `regenerate`, and `late_success`.
"""

from enum import IntEnum, StrEnum

from domain.model import Frozen


class Status(StrEnum):
    """Where a generation stands, as a user sees it."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """True where no work goes on."""
        return self in TERMINAL


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class Stage(StrEnum):
    """What is being done right now; finer than the status."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    LOOKING_UP = "looking_up"
    PROVIDER_QUEUED = "provider_queued"
    GENERATING = "generating"
    WAITING_RETRY = "waiting_retry"
    STORING = "storing"
    CANCELLING = "cancelling"
    DONE = "done"


class Move(StrEnum):
    """A reason to change the status."""

    BEGIN = "begin"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"
    REGENERATE = "regenerate"
    REPLACE = "replace"
    LATE_SUCCESS = "late_success"


_TABLE: dict[tuple[Status, Move], Status] = {
    (Status.PENDING, Move.BEGIN): Status.PROCESSING,
    (Status.PENDING, Move.FAIL): Status.FAILED,
    (Status.PENDING, Move.CANCEL): Status.CANCELLED,
    (Status.PROCESSING, Move.BEGIN): Status.PROCESSING,
    (Status.PROCESSING, Move.COMPLETE): Status.COMPLETED,
    (Status.PROCESSING, Move.FAIL): Status.FAILED,
    (Status.PROCESSING, Move.CANCEL): Status.CANCELLED,
    (Status.PENDING, Move.REPLACE): Status.PENDING,
    (Status.PROCESSING, Move.REPLACE): Status.PENDING,
    (Status.COMPLETED, Move.REGENERATE): Status.PENDING,
    (Status.FAILED, Move.REGENERATE): Status.PENDING,
    (Status.CANCELLED, Move.REGENERATE): Status.PENDING,
    (Status.FAILED, Move.LATE_SUCCESS): Status.COMPLETED,
}


class MoveRefused(ValueError):
    """A status change that the table does not know."""

    def __init__(self, status: Status, move: Move) -> None:
        super().__init__(f"a {status} generation cannot {move}")
        self.status = status
        self.move = move


def after(status: Status, move: Move) -> Status:
    """Return the status that a move leads to.

    Raises:
        MoveRefused: The table does not allow the move from this status.
    """
    try:
        return _TABLE[status, move]
    except KeyError:
        raise MoveRefused(status, move) from None


def allowed_from(move: Move) -> frozenset[Status]:
    """Return the statuses from which a move is allowed."""
    return frozenset(status for status, known in _TABLE if known is move)


class Step(IntEnum):
    """The order of the activities within one attempt; a later step's writes outrank an earlier one's."""

    CLAIM = 0
    SUBMIT = 1
    WATCH = 2
    STORE = 3


class Position(Frozen):
    """How far a writer stands; projections are applied only if they are not older than what is shown.

    A cancelled or replaced activity lives on for seconds (its process may have been frozen for minutes), so a
    write says where it comes from, and an older writer changes nothing that is shown.
    """

    take: int
    attempt: int = 0
    step: Step = Step.CLAIM
    activity_attempt: int = 1

    def as_int(self) -> int:
        """Return one integer that sorts like (take, attempt, step, activity attempt) and fits 63 bits."""
        return (
            min(self.take, 0xFFFF) << 40
            | min(self.attempt, 0xFFF) << 28
            | int(self.step) << 24
            | min(self.activity_attempt, 0xFFFFFF)
        )
