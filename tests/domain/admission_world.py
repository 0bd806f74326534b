"""The world around one account's admission: time, holders and their orders, and what must hold in it throughout.

What may happen in it is in `test_admission_machine`.
"""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.gate.admission import Admission
from domain.gate.status import StatusWanted, WaitReason
from domain.gate.tickets import (
    AccountLimits,
    BreakerLimits,
    BreakerRecord,
    BreakerState,
    Lease,
    Priority,
    RefusalReason,
    Release,
    Step,
    Ticket,
)

SECOND = 1_000_000
SEND_WITHIN = 10 * SECOND
AGEING = 30 * SECOND
OPEN_FOR = 20 * SECOND
TENANTS = ["anna", "bob", "cleo"]
picks = st.integers(min_value=0, max_value=10_000)


def limits_of(max_concurrent: int, spacing_seconds: int) -> AccountLimits:
    return AccountLimits(
        max_concurrent=max_concurrent,
        spacing=timedelta(seconds=spacing_seconds),
        send_within=timedelta(microseconds=SEND_WITHIN),
        job=timedelta(seconds=60),
        ageing=timedelta(microseconds=AGEING),
        breaker=BreakerLimits(in_a_row=3, window=6, open_for=timedelta(microseconds=OPEN_FOR)),
    )


all_limits = st.builds(limits_of, st.integers(1, 3), st.sampled_from([0, 5, 5, 12]))


@dataclass
class Holder:
    """One grant, as its holder knows it."""

    ticket: Ticket
    send_by: int
    spacing: timedelta
    written_at: int | None = None
    is_dead: bool = False


class AdmissionWorld(RuleBasedStateMachine):
    """What is known of an account by everybody together, which its gate does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000 * SECOND
        self.gate = Admission(limits_of(1, 0))
        self.limits = limits_of(1, 0)
        self.number = 0
        self.waiting: dict[str, Ticket] = {}
        self.holders: dict[str, Holder] = {}
        self.written: list[tuple[int, timedelta]] = []
        self.released: list[Release] = []
        self.asked: list[str] = []
        self.hold_off_until = 0
        self.is_paused = False
        self.paused_tenants: list[str] = []

    # Time.

    def _advance_to(self, target: int) -> bool:
        """Let time pass, with a look now and when the alarm goes; in between nothing may be due."""
        for _ in range(60):
            wake_at = self._step().wake_at
            if wake_at is None or wake_at > target:
                self._pass_quietly((self.now + target) // 2, wake_at)
                self._pass_quietly(target, wake_at)
                return True
            self._pass_quietly(wake_at - 1, wake_at)
            self.now = wake_at
            step = self._step()
            assert step.grants or step.refusals or step.judge, "it woke for nothing"
        return False

    def _pass_quietly(self, moment: int, wake_at: int | None) -> None:
        self.now = max(self.now, moment)
        assert self._step() == Step(wake_at=wake_at)

    # What a step may do.

    def _step(self) -> Step:
        before = self.gate.record()
        status = self.gate.status("acme", StatusWanted(limit=1000), self.now)
        step = self.gate.step(self.now)
        assert step.wake_at is None or step.wake_at > self.now
        assert step.wake_at is None or self.waiting
        for refusal in step.refusals:
            ticket = self.waiting.pop(refusal.ref)
            if refusal.reason is RefusalReason.WAITED_TOO_LONG:
                assert ticket.give_up_at is not None
                assert ticket.give_up_at <= self.now
            else:
                assert ticket.may_leave
                assert not _lets_through(self.gate.record().breaker, self.now)
        assert all(
            ticket.give_up_at is None or ticket.give_up_at > self.now for ticket in self.waiting.values()
        )
        if not _lets_through(self.gate.record().breaker, self.now):
            assert not any(ticket.may_leave for ticket in self.waiting.values())
        self._check_grants(step, before.breaker, [waiting.ticket.ref for waiting in status.waiting])
        if step.judge:
            leases = {lease.ref: lease for lease in self.gate.record().leases}
            assert self.waiting
            assert all(leases[ref].judge_at <= self.now for ref in step.judge)
            is_full = len(leases) >= self.limits.max_concurrent
            assert is_full or all(leases[ref].is_probe for ref in step.judge)
            self.asked += step.judge
        self._check_that_nobody_waits_for_nothing()
        return step

    def _check_grants(self, step: Step, breaker: BreakerRecord, places: list[str]) -> None:
        if not step.grants:
            return
        leases = {lease.ref: lease for lease in self.gate.record().leases}
        granted = [grant.ref for grant in step.grants]
        assert len(leases) <= self.limits.max_concurrent
        assert not self.is_paused
        assert self.hold_off_until <= self.now
        assert _lets_through(breaker, self.now)
        if breaker.state is not BreakerState.CLOSED:
            assert len(granted) == 1
            assert [ref for ref, lease in leases.items() if lease.is_probe] == granted
        gap = self.limits.spacing // timedelta(microseconds=1)
        if gap:
            assert len(granted) == 1
            for ref, lease in leases.items():
                assert ref in granted or lease.sent_at is not None or lease.send_by + gap <= self.now
        served = [ref for ref in places if ref in self.waiting or ref in granted]
        assert served[: len(granted)] == granted, "they are served in the order that is shown"
        for grant in step.grants:
            assert grant.send_by == self.now + SEND_WITHIN == leases[grant.ref].send_by
            ticket = self.waiting.pop(grant.ref)
            assert ticket.tenant_id not in self.paused_tenants
            assert grant.ref not in self.holders
            self.holders[grant.ref] = Holder(ticket, grant.send_by, self.limits.spacing)

    def _check_that_nobody_waits_for_nothing(self) -> None:
        status = self.gate.status("acme", StatusWanted(limit=1000), self.now)
        free = len(status.leases) < self.limits.max_concurrent
        is_open = status.breaker.state is not BreakerState.CLOSED
        if self.is_paused or not free or is_open or status.hold_off_until or status.turn_at:
            return
        assert {waiting.reason for waiting in status.waiting} <= {WaitReason.TENANT_PAUSED}

    # What always holds.

    @invariant()
    def orders_are_never_closer_than_the_spacing(self) -> None:
        for (first, _), (second, spacing) in zip(self.written, self.written[1:], strict=False):
            assert second - first >= spacing // timedelta(microseconds=1)

    @invariant()
    def exactly_those_wait_who_joined_and_were_not_answered(self) -> None:
        status = self.gate.status("acme", StatusWanted(limit=1000), self.now)
        assert status.waiting_count == self.gate.waiting_count == len(self.waiting)
        assert {waiting.ticket.ref for waiting in status.waiting} == set(self.waiting)

    @invariant()
    def the_places_are_those_of_the_rule(self) -> None:
        status = self.gate.status("acme", StatusWanted(limit=1000), self.now)
        assert [waiting.position for waiting in status.waiting] == list(range(1, len(self.waiting) + 1))
        turns = dict(self.gate.record().turns)
        for is_passed_over in (False, True):
            left = [
                one
                for one in self.waiting.values()
                if (one.tenant_id in self.paused_tenants) is is_passed_over
            ]
            order: list[str] = []
            counted = dict(turns)
            last = max(counted.values(), default=0)
            while left:
                first = min(
                    left, key=lambda one: (self._level(one), counted[one.tenant_id], one.queued_at, one.ref)
                )
                last += 1
                counted[first.tenant_id] = last
                left.remove(first)
                order.append(first.ref)
            shown = [
                one.ticket.ref
                for one in status.waiting
                if (one.ticket.tenant_id in self.paused_tenants) is is_passed_over
            ]
            assert shown == order

    @invariant()
    def what_is_likely_comes_in_order(self) -> None:
        status = self.gate.status("acme", StatusWanted(limit=1000), self.now)
        told = [waiting.eta_seconds for waiting in status.waiting if waiting.eta_seconds is not None]
        assert told == sorted(told)
        assert all(eta >= 0 for eta in told)

    @invariant()
    def no_lease_is_forgotten(self) -> None:
        refs = [lease.ref for lease in self.gate.record().leases]
        assert len(refs) == len(set(refs))
        assert set(refs) <= set(self.holders)

    def _level(self, ticket: Ticket) -> int:
        order = [Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW]
        return max(0, order.index(ticket.priority) - (self.now - ticket.queued_at) // AGEING)

    def _release(self, release: Release) -> None:
        self.gate.release(release, self.now)
        self.released.append(release)

    def _lease(self, ref: str) -> Lease | None:
        return next((lease for lease in self.gate.record().leases if lease.ref == ref), None)

    def _unwritten(self) -> list[str]:
        return [
            ref
            for ref, holder in self.holders.items()
            if holder.written_at is None and not holder.is_dead and self.now <= holder.send_by
        ]

    def _written(self) -> list[str]:
        return [
            ref
            for ref, holder in self.holders.items()
            if holder.written_at is not None and not holder.is_dead
        ]


def _lets_through(breaker: BreakerRecord, now: int) -> bool:
    if breaker.state is BreakerState.OPEN:
        assert breaker.until is not None
        return breaker.until <= now
    return breaker.state is BreakerState.CLOSED
