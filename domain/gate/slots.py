"""The slots of an account and the turn to send: which leases there are, and when the next order may follow.

A lease that was granted but neither acknowledged nor given back keeps the turn until its `send_by` and the spacing
after it: its order may be written as late as that. Nothing has to be undone when it is given back unsent, since the
turn follows from the leases that are there.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from domain.gate.tickets import AccountLimits, Grant, Lease, Ticket
from domain.moments import SECOND, micros_in

_ASK_AGAIN_AFTER: Final = 30 * SECOND


class Slots:
    """An account's leases, by the reference of their tickets."""

    def __init__(self, limits: AccountLimits, leases: Iterable[Lease], turn_at: int) -> None:
        self._limits = limits
        self._leases = {lease.ref: lease for lease in leases}
        self._asked: dict[str, int] = {}
        self._turn_at = turn_at

    @property
    def leases(self) -> tuple[Lease, ...]:
        """All leases."""
        return tuple(self._leases.values())

    @property
    def free(self) -> int:
        """How many more may be granted; none where rebuilt leases or a lowered limit exceed the limit."""
        return max(0, self._limits.max_concurrent - len(self._leases))

    @property
    def turn_at(self) -> int:
        """The turn as far as it does not follow from the leases; what a later run starts from."""
        return self._turn_at

    @property
    def turn(self) -> int:
        """From when on an order may be granted, whatever becomes of those that are granted."""
        return max([self._turn_at, *(lease.send_by + self._gap for lease in self._unsent())])

    @property
    def likely_turn(self) -> int:
        """The same if every order is written as soon as it is granted."""
        return max([self._turn_at, *(lease.granted_at + self._gap for lease in self._unsent())])

    def get(self, ref: str) -> Lease | None:
        """Return a ticket's lease; None where it has none."""
        return self._leases.get(ref)

    def configure(self, limits: AccountLimits) -> None:
        """Go by other limits; a wider spacing already holds for the last order."""
        wider = max(timedelta(), limits.spacing - self._limits.spacing)
        self._turn_at += micros_in(wider)
        self._limits = limits

    def grant(self, ticket: Ticket, now: int, *, is_probe: bool) -> Grant:
        """Give a slot to a ticket."""
        send_by = now + micros_in(self._limits.send_within)
        self._leases[ticket.ref] = Lease(
            ref=ticket.ref,
            tenant_id=ticket.tenant_id,
            priority=ticket.priority,
            queued_at=ticket.queued_at,
            granted_at=now,
            send_by=send_by,
            judge_at=send_by,
            is_probe=is_probe,
        )
        return Grant(ref=ticket.ref, send_by=send_by)

    def restore(self, lease: Lease) -> None:
        """Take over a lease that the rows know of, unless it is known here."""
        if lease.ref in self._leases:
            return
        self._leases[lease.ref] = lease.model_copy(update={"is_probe": False})
        if lease.sent_at is not None:
            self._give_turn_after_order_at(lease.sent_at)

    def be_quiet_until(self, moment: int) -> None:
        """Let nothing be granted earlier."""
        self._turn_at = max(self._turn_at, moment)

    def ack(self, ref: str, now: int) -> None:
        """Take note that an order was written at some moment up to now; only the first time counts."""
        lease = self._leases.get(ref)
        if lease is not None and lease.sent_at is None:
            self._change(lease, sent_at=now, judge_at=now + micros_in(self._limits.job))
            self._give_turn_after_order_at(now)

    def hold(self, lease: Lease, until: int, now: int) -> None:
        """Keep a slot taken for an order of which nobody knows what became; its outcome counts no more."""
        if lease.sent_at is None:
            self._give_turn_after_order_at(now)
        self._change(
            lease,
            sent_at=now if lease.sent_at is None else lease.sent_at,
            judge_at=max(until, lease.judge_at) if lease.is_counted else until,
            is_probe=False,
            is_counted=True,
        )

    def give_back(self, lease: Lease, now: int, *, was_sent: bool) -> None:
        """Free a slot; the turn as well, where nothing was sent."""
        if was_sent and lease.sent_at is None:
            self._give_turn_after_order_at(now)
        self._forget(lease)

    def drop(self, lease: Lease) -> None:
        """Free a slot of whose holder nothing was heard; the turn stays taken as long as its order may be written."""
        if lease.sent_at is None:
            self._give_turn_after_order_at(lease.send_by)
        self._forget(lease)

    def prolong(self, lease: Lease, until: int, now: int) -> None:
        """Believe a lease until then; if that is over, for a while, so that its row is not asked without end."""
        self._change(lease, judge_at=until if until > now else now + _ASK_AGAIN_AFTER)

    def forget_probes(self) -> None:
        """Make every lease one like any other."""
        for lease in self.leases:
            self._leases[lease.ref] = lease.model_copy(update={"is_probe": False})

    def blocking(self) -> list[Lease]:
        """Return the leases that keep out others: all where none is free, a probe always."""
        return [lease for lease in self._leases.values() if lease.is_probe or not self.free]

    def to_be_judged_at(self, lease: Lease) -> int:
        """Return when a lease's row is to be asked, or asked again because no answer came."""
        asked = self._asked.get(lease.ref)
        return lease.judge_at if asked is None else max(lease.judge_at, asked + _ASK_AGAIN_AFTER)

    def ask(self, now: int) -> tuple[str, ...]:
        """Return those of the blocking leases whose rows are to be asked now, and remember that they are."""
        due = tuple(lease.ref for lease in self.blocking() if self.to_be_judged_at(lease) <= now)
        self._asked |= dict.fromkeys(due, now)
        return due

    def ask_about(self, refs: Iterable[str], now: int) -> tuple[str, ...]:
        """Return those of some leases whose rows are to be asked now, and remember that they are."""
        due = tuple(
            ref for ref in refs if ref in self._leases and self.to_be_judged_at(self._leases[ref]) <= now
        )
        self._asked |= dict.fromkeys(due, now)
        return due

    @property
    def _gap(self) -> int:
        return micros_in(self._limits.spacing)

    def _unsent(self) -> list[Lease]:
        """Where there is no spacing nobody acknowledges, and no lease keeps the turn."""
        return [lease for lease in self._leases.values() if self._gap > 0 and lease.sent_at is None]

    def _give_turn_after_order_at(self, moment: int) -> None:
        self.be_quiet_until(moment + self._gap)

    def _change(self, lease: Lease, **changes: int | bool) -> None:
        self._leases[lease.ref] = lease.model_copy(update=changes)
        self._asked.pop(lease.ref, None)

    def _forget(self, lease: Lease) -> None:
        del self._leases[lease.ref]
        self._asked.pop(lease.ref, None)
