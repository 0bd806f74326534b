"""What a person can do with a generation now."""

from enum import StrEnum

from domain.generation import Generation
from domain.status import Move, Status, allowed_from


class Action(StrEnum):
    """One thing that can be asked for; each is a route below the generation's own."""

    CANCEL = "cancel"
    REGENERATE = "regenerate"
    REPLACE = "replace"
    KEEP = "keep"
    FEEDBACK = "feedback"
    DELETE = "delete"


def actions_of(generation: Generation) -> tuple[Action, ...]:
    """Return what can be done; `replace` is a regenerate with `if_running: replace`."""
    is_wanted = generation.current.cancel_requested_at is None
    return _actions(
        generation.status,
        has_video=any(take.video is not None for take in generation.takes),
        can_cancel=is_wanted,
        can_delete=generation.is_over,
    )


def actions_at_end(status: Status, *, has_video: bool) -> tuple[Action, ...]:
    """Return what can be done after a generation has ended."""
    return _actions(status, has_video=has_video, can_cancel=False, can_delete=True)


def _actions(status: Status, *, has_video: bool, can_cancel: bool, can_delete: bool) -> tuple[Action, ...]:
    possible = {
        Action.CANCEL: can_cancel and status in allowed_from(Move.CANCEL),
        Action.REGENERATE: status in allowed_from(Move.REGENERATE),
        Action.REPLACE: status in allowed_from(Move.REPLACE),
        Action.KEEP: has_video,
        Action.FEEDBACK: has_video,
        Action.DELETE: can_delete and status.is_terminal,
    }
    return tuple(action for action in Action if possible[action])
