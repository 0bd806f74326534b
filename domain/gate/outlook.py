"""How the queue of an account looks at one moment: who waits at which place, why, and how long that is likely to take.

The places and reasons are those by which the gate decides; the times are a guess from measured ones, for those who
look, and never a decision.
"""

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice, repeat

from domain.gate.breaker import Breaker
from domain.gate.queueing import WaitingList
from domain.gate.slots import Slots
from domain.gate.status import GateStatus, StatusWanted, Waiting, WaitReason
from domain.gate.tickets import AccountLimits, Lease
from domain.moments import SECOND, micros_in


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """One look at a gate; it changes nothing, and is not kept."""

    limits: AccountLimits
    slots: Slots
    breaker: Breaker
    waiting: WaitingList
    hold_off_until: int
    pause_reason: str | None
    paused_tenants: Collection[str]
    job_seconds: float | None
    now: int

    def status(self, account: str, wanted: StatusWanted) -> GateStatus:
        """Return how the gate stands, and the wanted tickets with their places."""
        return GateStatus(
            account=account,
            limits=self.limits,
            pause_reason=self.pause_reason,
            paused_tenants=tuple(self.paused_tenants),
            breaker=self.breaker.as_of(self.now),
            hold_off_until=self._if_to_come(self.hold_off_until),
            turn_at=self._if_to_come(self.slots.turn),
            leases=self.slots.leases,
            waiting_count=len(self.waiting),
            waiting=tuple(self._places(wanted)),
            job_seconds=self.job_seconds,
        )

    def _if_to_come(self, moment: int) -> int | None:
        return moment if moment > self.now else None

    def _places(self, wanted: StatusWanted) -> Iterator[Waiting]:
        reason = self._reason_for_all()
        served = zip(self._in_order(), self._served_at(), repeat(reason), strict=False)
        if reason is not WaitReason.PAUSED:
            reason = WaitReason.TENANT_PAUSED
        passed_over = zip(self._in_order(only_paused=True), repeat(None), repeat(reason), strict=False)
        everybody = enumerate(chain(served, passed_over), start=1)
        if wanted.refs is None:
            looked_at = islice(everybody, wanted.offset, wanted.offset + wanted.limit)
        else:
            refs = frozenset(ref for ref in wanted.refs if ref in self.waiting)
            looked_at = islice((place for place in everybody if place[1][0] in refs), len(refs))
        for position, (ref, moment, why) in looked_at:
            eta = None if moment is None else (moment - self.now) / SECOND
            yield Waiting(ticket=self.waiting[ref], position=position, reason=why, eta_seconds=eta)

    def _in_order(self, *, only_paused: bool = False) -> Iterator[str]:
        return self.waiting.in_order(
            self.now, self.limits.ageing, passed_over=self.paused_tenants, only_those=only_paused
        )

    def _reason_for_all(self) -> WaitReason:
        if self.pause_reason is not None:
            return WaitReason.PAUSED
        if not self.breaker.lets_through(self.now):
            return WaitReason.BREAKER
        if self.hold_off_until > self.now:
            return WaitReason.HOLD_OFF
        return WaitReason.SPACING if self.slots.free and self.limits.spacing else WaitReason.CAP

    def _served_at(self) -> Iterator[int | None]:
        if self.pause_reason is not None:
            return repeat(None)
        return _serving_moments(
            now=self.now,
            opens_at=max(self.breaker.opens_at or 0, self.hold_off_until, self.slots.likely_turn),
            leases=self.slots.leases,
            max_concurrent=self.limits.max_concurrent,
            spacing=self.limits.spacing,
            job_seconds=self.job_seconds,
            goes_as_probe=not self.breaker.is_closed and not self.breaker.probe_is_out,
        )


def _serving_moments(
    *,
    now: int,
    opens_at: int,
    leases: Sequence[Lease],
    max_concurrent: int,
    spacing: timedelta,
    job_seconds: float | None,
    goes_as_probe: bool,
) -> Iterator[int | None]:
    """Yield when the first ticket is likely to be served, the second, and so on without end.

    Args:
        now: Nothing is served earlier.
        opens_at: Nor than this: the turn, the hold-off, an open breaker.
        leases: What is under way; a probe among them holds up everybody until its job is over.
        max_concurrent: Leases at once.
        spacing: Between two orders.
        job_seconds: How long a slot is in use; None: not measured yet, and then nobody can tell beyond the free slots.
        goes_as_probe: The first order is the probe of a half-open breaker, and the second has to wait for its end.
    """
    free = [now] * (max_concurrent - len(leases))
    gap = micros_in(spacing)
    start = max(now, opens_at)
    probes = [lease for lease in leases if lease.is_probe]
    if job_seconds is None:
        told = 0 if probes else min(len(free), 1 if goes_as_probe else len(free))
        yield from (start + number * gap for number in range(told))
        yield from repeat(None)
        return
    job = round(job_seconds * SECOND)
    ends = sorted(
        max(now, lease.judge_at if lease.is_counted else lease.granted_at + job) for lease in leases
    )
    slots = free + ends[max(0, len(leases) - max_concurrent) :]
    start = max([start, *(probe.granted_at + job for probe in probes)])
    while True:
        moment = max(start, slots[0])
        yield moment
        heapq.heapreplace(slots, moment + job)
        start = moment + (max(gap, job) if goes_as_probe else gap)
        goes_as_probe = False
