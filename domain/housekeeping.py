"""What the reconciler is called, and what one round of it did: names and a message, no logic."""

from domain.model import Message

RECONCILE_WORKFLOW = "Reconcile"
SCHEDULE_ID = "reconcile"
"""Of the Schedule, and the first part of the workflow ids of its rounds."""


class Reconciled(Message):
    """What one round, or one part of it, has put right; all zero where everything was right already.

    Attributes:
        handed_over: Runs of an older version that were ended, so that new ones go on from the rows.
        nudged: Generations whose workflow was told, or started, since nobody seemed to serve a wish.
        closed: Takes whose run was terminated from outside.
        found: Jobs found after all at their provider, though the answer to the order was lost.
        followed: Generations with a late job that nobody seemed to follow.
        freed: Slots at accounts that nobody used any more.
        drift_micros: How far the ledger and the rows disagree, in micro-dollars: to be looked into by a person.
        joined: Tickets that their account's gate did not know.
        skipped: The parts that could not be done this time; the next round does them.
    """

    handed_over: int = 0
    nudged: int = 0
    closed: int = 0
    found: int = 0
    followed: int = 0
    freed: int = 0
    joined: int = 0
    drift_micros: int = 0
    skipped: tuple[str, ...] = ()

    def __add__(self, other: "Reconciled") -> "Reconciled":
        return Reconciled(
            handed_over=self.handed_over + other.handed_over,
            nudged=self.nudged + other.nudged,
            closed=self.closed + other.closed,
            found=self.found + other.found,
            followed=self.followed + other.followed,
            freed=self.freed + other.freed,
            joined=self.joined + other.joined,
            drift_micros=self.drift_micros + other.drift_micros,
            skipped=self.skipped + other.skipped,
        )
