"""What is told of a take whose run was terminated in Temporal: what is known about it, and by whom it was ended."""

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import AttemptState
from domain.generation import Attempt, Take
from domain.orders.line_up import name_of

TERMINATED = "terminated"
"""Failure code of a take whose run was terminated from outside."""

_LONGEST_REASON = 300


def failure_of_terminated(take: Take, reason: str) -> Failure:
    """Return the failure of a take that goes on no more, since its run was terminated.

    Its category says what became of the order, since that is what a user has to know: `network` where surely nothing
    was sent, `submission_unknown` where it was sent and not answered, `timeout` where a job exists for which nobody
    waits any more (both leave the door open for a late video), and where the last attempt had failed, as it had.

    Args:
        take: As it stands.
        reason: What the operator gave as the reason; may be empty.
    """
    category, consequence = _what_is_known(take.attempts[-1] if take.attempts else None)
    words = "".join(sign if sign.isprintable() else " " for sign in reason).strip()[:_LONGEST_REASON]
    why = f": {words.rstrip('.')}" if words else ", without a reason"
    return Failure(
        category=category,
        code=TERMINATED,
        detail=f"The run of this generation was terminated in Temporal{why}. {consequence}",
    )


def _what_is_known(last: Attempt | None) -> tuple[Category, str]:
    if last is None or (last.state.is_unsent and last.failure is None) or last.state is AttemptState.QUEUED:
        return Category.NETWORK, "Nothing was sent."
    name = name_of(last.provider)
    if last.state in {AttemptState.SENDING, AttemptState.UNKNOWN}:
        return Category.SUBMISSION_UNKNOWN, f"The order was sent to {name}, and its answer is not known."
    if last.failure is not None:
        return last.failure.category, f"Before: {last.failure.detail}"
    return (
        Category.TIMEOUT,
        f"Its job at {name} is followed to its end, and a video that still comes is kept.",
    )
