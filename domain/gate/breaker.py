"""The circuit breaker of an account: it stops orders to a provider that only fails.

Closed, it lets everything through and keeps the last outcomes. Open, it lets nothing through until a moment; from
then on it is half-open: one order goes as a probe, and what becomes of it closes the breaker or opens it again.

Only the probe speaks while the breaker is not closed. The orders that were under way when it opened end late, with the
same fault or with a success from better times; neither prolongs nor closes it.
"""

from typing import Final

from domain.attempts.failures import Category
from domain.gate.tickets import BreakerLimits, BreakerRecord, BreakerState, Outcome
from domain.moments import micros_in

_FATAL: Final = frozenset({Category.AUTH, Category.QUOTA})
_FAULTS: Final = _FATAL | {
    Category.SERVER_ERROR,
    Category.NETWORK,
    Category.TIMEOUT,
    Category.CAPACITY,
    Category.SUBMISSION_UNKNOWN,
}


class Breaker:
    """The breaker's rules over a record.

    The record says `half_open` only while the probe is out. An open one whose time is over is half-open as well, with
    no probe yet; `as_of` shows it so.
    """

    def __init__(self, limits: BreakerLimits, record: BreakerRecord) -> None:
        self._limits = limits
        self._record = record
        self.configure(limits)

    @property
    def record(self) -> BreakerRecord:
        """Everything that it knows."""
        return self._record

    @property
    def is_closed(self) -> bool:
        """True where an order is no probe."""
        return self._record.state is BreakerState.CLOSED

    @property
    def probe_is_out(self) -> bool:
        """True while everything depends on what becomes of one order."""
        return self._record.state is BreakerState.HALF_OPEN

    @property
    def opens_at(self) -> int | None:
        """From when on an order is let through; None while that depends on the probe."""
        return None if self.probe_is_out else self._record.until or 0

    def lets_through(self, now: int) -> bool:
        """Tell whether an order may go now; where the breaker is not closed it goes as the probe."""
        return self.opens_at is not None and self.opens_at <= now

    def as_of(self, now: int) -> BreakerRecord:
        """Return the record as a person reads it: half-open as soon as the time of an open one is over."""
        if self.is_closed or self.probe_is_out or not self.lets_through(now):
            return self._record
        return self._record.model_copy(update={"state": BreakerState.HALF_OPEN, "until": None})

    def configure(self, limits: BreakerLimits) -> None:
        """Judge by other limits from now on."""
        self._limits = limits
        self._keep(recent=self._record.recent)

    def let_probe_out(self) -> None:
        """Remember that the one order that may go has gone."""
        self._keep(state=BreakerState.HALF_OPEN, until=None)

    def count(self, outcome: Outcome, category: Category | None, now: int, *, is_probe: bool) -> None:
        """Take in what became of an order.

        Args:
            outcome: What it says of the provider.
            category: Of the failure; decides whether it is a fault of the provider.
            now: When that became known.
            is_probe: Whether it is the order that `let_probe_out` was about.
        """
        is_fault = outcome is Outcome.FAILED and category in _FAULTS
        is_success = outcome is Outcome.SUCCEEDED
        if self.is_closed:
            if is_fault or is_success:
                self._keep(recent=(*self._record.recent, is_fault))
            if is_fault and (category in _FATAL or self._has_failed_enough()):
                self._open(category, now)
        elif self.probe_is_out and is_probe:
            if is_success:
                self._record = BreakerRecord(recent=(False,))
            elif is_fault:
                self._keep(recent=(*self._record.recent, True))
                self._open(category, now)
            else:
                self._keep(state=BreakerState.OPEN, until=now)

    def reset(self) -> None:
        """Close it and forget what was."""
        self._record = BreakerRecord()

    def _has_failed_enough(self) -> bool:
        recent = self._record.recent
        in_a_row = len(recent) >= self._limits.in_a_row and all(recent[-self._limits.in_a_row :])
        is_full = len(recent) == self._limits.window
        return in_a_row or (is_full and sum(recent) / len(recent) >= self._limits.share)

    def _open(self, cause: Category | None, now: int) -> None:
        until = now + micros_in(self._limits.open_for)
        self._keep(state=BreakerState.OPEN, until=until, cause=cause)

    def _keep(self, *, recent: tuple[bool, ...] | None = None, **changes: object) -> None:
        if recent is not None:
            changes["recent"] = recent[-self._limits.window :]
        self._record = self._record.model_copy(update=changes)
