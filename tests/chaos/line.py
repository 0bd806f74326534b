"""The one line in which a chaos run ends, and the words that it is counted in."""

from dataclasses import dataclass
from decimal import Decimal

MICROS = 1_000_000

OVER = frozenset({"completed", "failed", "cancelled"})
ENDINGS = frozenset(
    f"generation.{end}" for end in ("completed", "failed", "cancelled", "late_success", "deleted")
)
BEGINNINGS = frozenset({"generation.accepted", "take.started"})
WORK = (
    "attempt.",
    "recovery.",
    "take.storing",
    "take.completed",
    "generation.completed",
    "generation.failed",
    "generation.late_success",
)
"""Events that only a worker writes; the others can come from the API."""


@dataclass(frozen=True)
class Line:
    """What became of everything.

    Attributes:
        submitted: Generations that were accepted, or found though their answer was lost.
        completed: Of these, those with a video.
        failed: Those that failed and say why.
        cancelled: Those that the user cancelled.
        lost: Those that are not over, not shown, or failed without a category.
        duplicated: Jobs, generations or orders beyond what was asked for.
        wasted_micros: Billed for jobs that show neither a video, nor a cancel, nor their cost; micro-dollars.
        drift_micros: How far the ledger, the attempts and what they add up to disagree; micro-dollars.
        worst_recovery_seconds: The longest time from a kill until work was seen to go on; None if nothing was
            killed while something was under way.
    """

    submitted: int
    completed: int
    failed: int
    cancelled: int
    lost: int
    duplicated: int
    wasted_micros: int
    drift_micros: int
    worst_recovery_seconds: float | None

    @property
    def keeps_the_promises(self) -> bool:
        """Nothing is lost, nothing is paid twice, and the books agree."""
        return self.lost == 0 and self.duplicated == 0 and self.drift_micros == 0

    def __str__(self) -> str:
        recovery = self.worst_recovery_seconds
        return (
            f"submitted {self.submitted}, completed {self.completed}, failed with a reason {self.failed}, "
            f"cancelled {self.cancelled}, lost {self.lost}, duplicated {self.duplicated}, "
            f"wasted USD {Decimal(self.wasted_micros) / MICROS:.2f}, "
            f"ledger drift USD {Decimal(self.drift_micros) / MICROS:f}, "
            f"worst recovery {'-' if recovery is None else f'{recovery:.1f} s'}"
        )


def micros(usd: str | float) -> int:
    """Return dollars, as the API or the sandbox writes them, in micro-dollars."""
    return round(Decimal(str(usd)) * MICROS)
