"""Admission to one account: who may send an order now, and what becomes of the slots.

A ticket waits until it is granted a slot (a lease) or refused. A slot is in use from its grant until it is released;
the turn, where orders have to be spaced, is taken from a grant until its order was written and the spacing is over.

The promises, for any order in which the messages arrive, and however often:

- there are never more leases than the account bears, unless that many were under way when the gate was rebuilt;
- two orders are never written closer than the spacing: a grant whose order was neither acknowledged nor given back
  keeps the turn as if its order had been written at the last moment at which it may be;
- a ticket holds one lease, and its outcome is told to the breaker once;
- no ticket waits for ever while slots are released, and of equal urgency the tenants take turns.

Nothing here reads a clock: `now` is in microseconds, and never goes back.
"""

import math
from itertools import islice
from typing import Final

from domain.gate.breaker import Breaker
from domain.gate.outlook import Outlook
from domain.gate.queueing import WaitingList
from domain.gate.slots import Slots
from domain.gate.status import GateStatus, StatusWanted
from domain.gate.tickets import (
    AccountLimits,
    BreakerRecord,
    GateRecord,
    Grant,
    Lease,
    Outcome,
    Refusal,
    RefusalReason,
    Release,
    Step,
    Ticket,
    Verdict,
)
from domain.moments import SECOND

_LONGEST_HOLD_OFF_SECONDS: Final = 86_400.0
_WEIGHT_OF_THE_NEWEST: Final = 0.2


class Admission:
    """The state of one account's gate. Messages edit it; `step` decides what is due.

    A gate that goes on in a new run is made from its record, and the tickets that wait join again.
    """

    def __init__(self, limits: AccountLimits, record: GateRecord | None = None) -> None:
        record = record or GateRecord(limits=limits)
        self._limits = record.limits
        self._slots = Slots(record.limits, record.leases, record.turn_at)
        self._breaker = Breaker(record.limits.breaker, record.breaker)
        self._waiting = WaitingList(record.turns)
        self._hold_off_until = record.hold_off_until
        self._pause_reason = record.pause_reason
        self._paused_tenants = dict.fromkeys(record.paused_tenants)
        self._job_seconds = record.job_seconds
        # Tickets whose leases are overdue: they wait again if the rows say that nothing was sent.
        self._aside: dict[str, Ticket] = {}
        self.configure(limits)

    @property
    def waiting_count(self) -> int:
        """How many tickets wait."""
        return len(self._waiting)

    @property
    def breaker(self) -> BreakerRecord:
        """How the breaker stands, without the outcomes it goes by."""
        return self._breaker.record.model_copy(update={"recent": ()})

    @property
    def hold_off_until(self) -> int:
        """Until when the provider asked everybody to wait; 0: it never did."""
        return self._hold_off_until

    def record(self) -> GateRecord:
        """Return everything but the waiting tickets."""
        return GateRecord(
            limits=self._limits,
            leases=self._slots.leases,
            turn_at=self._slots.turn_at,
            hold_off_until=self._hold_off_until,
            breaker=self._breaker.record,
            pause_reason=self._pause_reason,
            paused_tenants=tuple(self._paused_tenants),
            turns=self._waiting.turns,
            job_seconds=self._job_seconds,
        )

    # What the holders of tickets say.

    def join(self, ticket: Ticket, now: int) -> Grant | None:
        """Let a ticket wait.

        Returns:
            The grant, where the ticket has an unused one that is still good: its holder has not heard of it.
        """
        lease = self._slots.get(ticket.ref)
        if lease is not None:
            if lease.sent_at is not None:
                return None
            if now < lease.send_by:
                return Grant(ref=lease.ref, send_by=lease.send_by)
            if lease.judge_at <= now:
                # Whether it was used, only its row knows: its holder may have been slow to say so.
                self._aside[ticket.ref] = ticket.model_copy(update={"queued_at": lease.queued_at})
            return None
        self._waiting.add(ticket)
        return None

    def ack(self, ref: str, now: int) -> None:
        """Take note that an order was written, a moment ago."""
        self._slots.ack(ref, now)

    def release(self, release: Release, now: int) -> None:
        """Free a slot or keep it taken for what may be there, or withdraw a ticket that waits."""
        self._waiting.remove(release.ref)
        self._aside.pop(release.ref, None)
        lease = self._slots.get(release.ref)
        if lease is None:
            return
        if not lease.is_counted:
            self._breaker.count(release.outcome, release.category, now, is_probe=lease.is_probe)
            self._hold_off(release.retry_after_seconds, now)
        if release.hold_until is not None:
            self._slots.hold(lease, release.hold_until, now)
            return
        if release.was_sent and release.outcome is Outcome.SUCCEEDED:
            self._measure((now - lease.granted_at) / SECOND)
        self._slots.give_back(lease, now, was_sent=release.was_sent)

    def judged(self, verdict: Verdict, now: int) -> None:
        """Free or prolong a lease whose time is over; one of which was heard meanwhile is left alone."""
        lease = self._slots.get(verdict.ref)
        if lease is None or lease.judge_at > now:
            return
        again = self._aside.pop(verdict.ref, None)
        if verdict.hold_until is None:
            self._drop(lease, now)
            if again is not None:
                self._waiting.add(again)
        else:
            self._slots.prolong(lease, verdict.hold_until, now)

    # What operators say, and what is known when a gate is rebuilt.

    def pause(self, reason: str) -> None:
        """Grant nothing until `resume`."""
        self._pause_reason = reason

    def resume(self) -> None:
        """End a pause."""
        self._pause_reason = None

    def pause_tenant(self, tenant: str) -> None:
        """Pass over a tenant's tickets until `resume_tenant`."""
        self._paused_tenants[tenant] = None

    def resume_tenant(self, tenant: str) -> None:
        """Serve a tenant's tickets again."""
        self._paused_tenants.pop(tenant, None)

    def configure(self, limits: AccountLimits) -> None:
        """Go by other limits from now on."""
        self._limits = limits
        self._slots.configure(limits)
        self._breaker.configure(limits.breaker)

    def reset_breaker(self, now: int) -> None:  # noqa: ARG002 - as all that is about time
        """Close the breaker and forget what was; a probe that is out becomes an order like any other."""
        self._breaker.reset()
        self._slots.forget_probes()

    def be_quiet_until(self, moment: int) -> None:
        """Grant nothing earlier: a gate that lost its state may have let an order go just now."""
        self._slots.be_quiet_until(moment)

    def restore(self, lease: Lease) -> None:
        """Take over a lease that the rows know of."""
        self._waiting.remove(lease.ref)
        self._slots.restore(lease)

    # What is to be done now, and how it looks.

    def step(self, now: int) -> Step:
        """Decide everything that is due, and when to look again though nothing happens."""
        overdue = self._waiting.take_overdue(now)
        grants = self._grant_what_is_possible(now)
        refusals = [Refusal(ref=ref, reason=RefusalReason.WAITED_TOO_LONG) for ref in overdue]
        refusals += self._refuse_those_who_may_leave(now)
        judge = self._slots.ask_about(self._aside, now)
        judge += self._slots.ask(now) if self._can_anyone_be_served else ()
        wake_at = self._look_again_at(now)
        return Step(grants=tuple(grants), refusals=tuple(refusals), judge=judge, wake_at=wake_at)

    def status(self, account: str, wanted: StatusWanted, now: int) -> GateStatus:
        """Return how the gate stands, and the wanted tickets with their places in the order of this moment."""
        outlook = Outlook(
            limits=self._limits,
            slots=self._slots,
            breaker=self._breaker,
            waiting=self._waiting,
            hold_off_until=self._hold_off_until,
            pause_reason=self._pause_reason,
            paused_tenants=self._paused_tenants,
            job_seconds=self._job_seconds,
            now=now,
        )
        return outlook.status(account, wanted)

    @property
    def _can_anyone_be_served(self) -> bool:
        """Whether somebody waits who only needs a slot and the turn."""
        return self._pause_reason is None and self._waiting.is_anyone_waiting(self._paused_tenants)

    @property
    def _opens_at(self) -> int | None:
        """From when on an order may be granted; None where that is not a matter of time."""
        breaker_opens_at = self._breaker.opens_at
        if breaker_opens_at is None or not self._slots.free:
            return None
        return max(breaker_opens_at, self._hold_off_until, self._slots.turn)

    def _grant_what_is_possible(self, now: int) -> list[Grant]:
        opens_at = self._opens_at
        if opens_at is None or opens_at > now or not self._can_anyone_be_served:
            return []
        is_probe = not self._breaker.is_closed
        room = 1 if is_probe or self._limits.spacing else self._slots.free
        in_order = self._waiting.in_order(now, self._limits.ageing, passed_over=self._paused_tenants)
        chosen = list(islice(in_order, room))
        if is_probe:
            self._breaker.let_probe_out()
        return [self._slots.grant(self._waiting.serve(ref), now, is_probe=is_probe) for ref in chosen]

    def _refuse_those_who_may_leave(self, now: int) -> list[Refusal]:
        if self._breaker.lets_through(now):
            return []
        leavers = self._waiting.may_leave
        for ref in leavers:
            self._waiting.remove(ref)
        until = self._breaker.opens_at
        return [Refusal(ref=ref, reason=RefusalReason.BREAKER, until=until) for ref in leavers]

    def _look_again_at(self, now: int) -> int | None:
        moments = [self._waiting.first_give_up()]
        if self._can_anyone_be_served:
            moments += [
                self._opens_at,
                *(self._slots.to_be_judged_at(lease) for lease in self._slots.blocking()),
            ]
        return min((moment for moment in moments if moment is not None and moment > now), default=None)

    def _drop(self, lease: Lease, now: int) -> None:
        self._breaker.count(Outcome.NEITHER, None, now, is_probe=lease.is_probe)
        self._slots.drop(lease)

    def _hold_off(self, seconds: float | None, now: int) -> None:
        if seconds is not None and seconds > 0:
            wait = math.ceil(min(seconds, _LONGEST_HOLD_OFF_SECONDS) * SECOND)
            self._hold_off_until = max(self._hold_off_until, now + wait)

    def _measure(self, seconds: float) -> None:
        before = seconds if self._job_seconds is None else self._job_seconds
        self._job_seconds = before + _WEIGHT_OF_THE_NEWEST * (seconds - before)
