"""Admission under everything that can happen, in any order: the promises of `domain.gate.admission` hold throughout.

The machine plays the holders of tickets (they write late or never, acknowledge late or twice, give back twice,
die), the operators, the rows that are asked about lost holders, and gates that start again with or without a record.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.attempts.failures import Category
from domain.gate.admission import Admission
from domain.gate.breaker import Breaker
from domain.gate.status import StatusWanted, WaitReason
from domain.gate.tickets import (
    AccountLimits,
    BreakerLimits,
    BreakerRecord,
    BreakerState,
    Lease,
    Outcome,
    Priority,
    RefusalReason,
    Release,
    Step,
    Ticket,
    Verdict,
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


class AdmissionMachine(RuleBasedStateMachine):
    """Time, holders, operators and rows around one account's admission."""

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

    @initialize(limits=all_limits)
    def begin(self, limits: AccountLimits) -> None:
        self.limits = limits
        self.gate = Admission(limits)

    # Tickets and their holders.

    @rule(
        tenant=st.sampled_from(TENANTS),
        priority=st.sampled_from(Priority),
        age=st.integers(0, 50),
        patience=st.sampled_from([None, None, None, 3, 20, 60]),
        may_leave=st.sampled_from([False, False, True]),
        count=st.integers(1, 3),
    )
    def join(
        self, tenant: str, priority: Priority, age: int, patience: int | None, may_leave: bool, count: int
    ) -> None:
        for _ in range(count):
            self._join_one(tenant, priority, age, patience, may_leave=may_leave)
        self._step()

    def _join_one(
        self, tenant: str, priority: Priority, age: int, patience: int | None, *, may_leave: bool
    ) -> None:
        self.number += 1
        ticket = Ticket(
            ref=f"t{self.number:03}",
            tenant_id=tenant,
            priority=priority,
            queued_at=self.now - age * SECOND,
            give_up_at=None if patience is None else self.now + patience * SECOND,
            may_leave=may_leave,
        )
        assert self.gate.join(ticket, self.now) is None
        self.waiting[ticket.ref] = ticket

    @precondition(lambda self: self.waiting)
    @rule(pick=picks, patience=st.none() | st.integers(1, 60))
    def join_again_while_waiting(self, pick: int, patience: int | None) -> None:
        ref = _choose(self.waiting, pick)
        give_up_at = None if patience is None else self.now + patience * SECOND
        newer = self.waiting[ref].model_copy(update={"give_up_at": give_up_at, "queued_at": self.now})
        assert self.gate.join(newer, self.now) is None
        self.waiting[ref] = self.waiting[ref].model_copy(update={"give_up_at": give_up_at})

    @precondition(lambda self: self.holders)
    @rule(pick=picks)
    def join_again_with_a_grant(self, pick: int) -> None:
        ref = _choose(self.holders, pick)
        holder = self.holders[ref]
        lease = self._lease(ref)
        if lease is None or (holder.written_at is not None and lease.sent_at is None):
            return
        grant = self.gate.join(holder.ticket, self.now)
        if lease.sent_at is not None:
            assert grant is None
        elif self.now < lease.send_by:
            assert grant is not None
            assert (grant.ref, grant.send_by) == (ref, holder.send_by)
        elif lease.judge_at > self.now:
            assert grant is None, "its row has said that it is in use"
        else:
            assert grant is None
            self.gate.judged(Verdict(ref=ref), self.now)  # the row says that nothing was sent
            del self.holders[ref]
            self.waiting[ref] = holder.ticket

    @precondition(lambda self: self._unwritten())
    @rule(pick=picks)
    def write(self, pick: int) -> None:
        holder = self.holders[_choose(self._unwritten(), pick)]
        holder.written_at = self.now
        self.written.append((self.now, holder.spacing))

    @precondition(lambda self: self._unwritten())
    @rule(pick=picks)
    def write_at_the_last_moment(self, pick: int) -> None:
        holder = self.holders[_choose(self._unwritten(), pick)]
        if self._advance_to(holder.send_by) and holder.ticket.ref in self._unwritten():
            holder.written_at = self.now
            self.written.append((self.now, holder.spacing))

    @precondition(lambda self: self._written())
    @rule(pick=picks)
    def acknowledge(self, pick: int) -> None:
        ref = _choose(self._written(), pick)
        before = self._lease(ref)
        record = self.gate.record()
        self.gate.ack(ref, self.now)
        if before is None or before.sent_at is not None:
            assert self.gate.record() == record
        self._step()

    @precondition(lambda self: self._unwritten())
    @rule(pick=picks)
    def give_back_unsent(self, pick: int) -> None:
        ref = _choose(self._unwritten(), pick)
        self._release(Release(ref=ref, was_sent=False))
        del self.holders[ref]
        self._step()

    @precondition(lambda self: self._written())
    @rule(
        pick=picks,
        outcome=st.sampled_from([Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.NEITHER, Outcome.FAILED]),
        category=st.sampled_from([Category.SERVER_ERROR, Category.AUTH, Category.RATE_LIMIT]),
        wait=st.sampled_from([None, None, None, 2, 30]),
        hold=st.sampled_from([None, None, 1, 40, 100]),
    )
    def give_back(
        self, pick: int, outcome: Outcome, category: Category, wait: int | None, hold: int | None
    ) -> None:
        ref = _choose(self._written(), pick)
        lease = self._lease(ref)
        is_failure = outcome is Outcome.FAILED
        release = Release(
            ref=ref,
            was_sent=True,
            outcome=outcome,
            category=category if is_failure else None,
            retry_after_seconds=wait,
            hold_until=None if hold is None else self.now + hold * SECOND,
        )
        breaker = self.gate.record().breaker
        self._release(release)
        if lease is None or lease.is_counted:
            assert self.gate.record().breaker == breaker
        elif wait is not None:
            self.hold_off_until = max(self.hold_off_until, self.now + wait * SECOND)
        if hold is None:
            del self.holders[ref]
            assert self._lease(ref) is None
        self._step()

    @precondition(lambda self: self.waiting)
    @rule(pick=picks)
    def withdraw(self, pick: int) -> None:
        ref = _choose(self.waiting, pick)
        self._release(Release(ref=ref, was_sent=False))
        del self.waiting[ref]

    @precondition(lambda self: self.released)
    @rule(pick=picks)
    def give_back_again(self, pick: int) -> None:
        release = self.released[pick % len(self.released)]
        lease = self._lease(release.ref)
        if lease is not None and lease.judge_at != release.hold_until:
            return
        before = (self.gate.record(), self.gate.waiting_count)
        self.gate.release(release, self.now)
        assert (self.gate.record(), self.gate.waiting_count) == before

    @precondition(lambda self: self.holders)
    @rule(pick=picks)
    def die(self, pick: int) -> None:
        self.holders[_choose(self.holders, pick)].is_dead = pick % 4 == 0

    # The rows.

    @precondition(lambda self: self.asked)
    @rule(hold=st.integers(-5, 60), is_over=st.booleans(), pick=picks)
    def answer(self, hold: int, is_over: bool, pick: int) -> None:
        ref = self.asked.pop(pick % len(self.asked))
        lease = self._lease(ref)
        holder = self.holders.get(ref)
        if holder is None or (holder.written_at is None and holder.send_by >= self.now):
            return  # the rows never say of a grant which is still good that it is free
        is_free = is_over or holder.written_at is None
        self.gate.judged(Verdict(ref=ref, hold_until=None if is_free else self.now + hold * SECOND), self.now)
        if lease is None or lease.judge_at > self.now:
            assert self._lease(ref) == lease
        elif is_free:
            assert self._lease(ref) is None
            del self.holders[ref]
        self._step()

    # Operators, and gates that start again.

    @rule(tenant=st.sampled_from(["nobody", "no other", "everybody", *TENANTS]))
    def pause(self, tenant: str) -> None:
        if tenant == "everybody":
            self.gate.pause("because")
            self.is_paused = True
        else:
            self.gate.pause_tenant(tenant)
            self.paused_tenants.append(tenant)

    @precondition(lambda self: self.is_paused or self.paused_tenants)
    @rule()
    def resume(self) -> None:
        self.gate.resume()
        for tenant in TENANTS:
            self.gate.resume_tenant(tenant)
        self.is_paused = False
        self.paused_tenants = []

    @rule(limits=all_limits)
    def configure(self, limits: AccountLimits) -> None:
        self.gate.configure(limits)
        self.limits = limits

    @precondition(lambda self: self.gate.record().breaker.state is not BreakerState.CLOSED)
    @rule()
    def reset_breaker(self) -> None:
        self.gate.reset_breaker(self.now)
        assert self.gate.record().breaker == BreakerRecord()

    @rule(shuffle=st.randoms(use_true_random=False))
    def go_on_in_a_new_run(self, shuffle: Random) -> None:
        record = self.gate.record()
        before = self.gate.status("acme", StatusWanted(limit=1000), self.now)
        self.gate = Admission(record.limits, type(record).model_validate_json(record.model_dump_json()))
        tickets = list(self.waiting.values())
        shuffle.shuffle(tickets)
        for ticket in tickets:
            self.gate.join(ticket, self.now)
        assert self.gate.status("acme", StatusWanted(limit=1000), self.now) == before
        assert self.gate.record() == record

    @rule(is_known=st.booleans())
    def rebuild_without_a_record(self, is_known: bool) -> None:
        """Grants that were not written yet may be unknown to the rows; what was written is known."""
        self.gate = Admission(self.limits)
        spacing = max([self.limits.spacing, *(holder.spacing for holder in self.holders.values())])
        self.gate.be_quiet_until(self.now + SEND_WITHIN + spacing // timedelta(microseconds=1))
        for ref, holder in self.holders.items():
            if is_known or holder.written_at is not None:
                ticket = holder.ticket
                lease = Lease(
                    ref=ref,
                    tenant_id=ticket.tenant_id,
                    queued_at=ticket.queued_at,
                    granted_at=holder.send_by - SEND_WITHIN,
                    send_by=holder.send_by,
                    sent_at=holder.written_at,
                    judge_at=max(self.now, holder.send_by),
                )
                self.gate.restore(lease)
                self.gate.restore(lease)
        for ticket in self.waiting.values():
            self.gate.join(ticket, self.now)
        if self.is_paused:
            self.gate.pause("because")
        for tenant in self.paused_tenants:
            self.gate.pause_tenant(tenant)
        self.asked = []
        self.hold_off_until = 0

    # Time.

    @rule(seconds=st.sampled_from([0, 1, 1, 3, 4, 7, 20, 100]))
    def time_passes(self, seconds: int) -> None:
        self._advance_to(self.now + seconds * SECOND)

    @rule()
    def sleep_until_the_alarm(self) -> None:
        wake_at = self._step().wake_at
        if wake_at is not None:
            self._advance_to(wake_at)

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
        assert self.gate.waiting_count == len(self.waiting)
        assert all(self.gate.is_waiting(ref) for ref in self.waiting)

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


def _choose(refs: list[str] | dict[str, Ticket] | dict[str, Holder], pick: int) -> str:
    return list(refs)[pick % len(refs)]


def _lets_through(breaker: BreakerRecord, now: int) -> bool:
    if breaker.state is BreakerState.OPEN:
        assert breaker.until is not None
        return breaker.until <= now
    return breaker.state is BreakerState.CLOSED


class BreakerMachine(RuleBasedStateMachine):
    """A breaker beside a naive account of what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.limits = BreakerLimits(in_a_row=3, window=5, share=0.6, open_for=timedelta(seconds=20))
        self.breaker = Breaker(self.limits, BreakerRecord())
        self.told: list[bool] = []
        self.open_until: int | None = None
        self.probe_is_out = False

    @rule(seconds=st.integers(1, 25))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(outcome=st.sampled_from(Outcome), category=st.sampled_from(Category))
    def an_order_ends(self, outcome: Outcome, category: Category) -> None:
        self.breaker.count(outcome, category, self.now, is_probe=False)
        if self.open_until is None and not self.probe_is_out:
            verdict = _verdict(outcome, category)
            self.told += [] if verdict is None else [verdict]
            window = self.told[-5:]
            is_bad = self.told[-3:] == [True] * 3 or (len(window) == 5 and sum(window) >= 3)
            if verdict and (is_bad or category in {Category.AUTH, Category.QUOTA}):
                self.open_until = self.now + OPEN_FOR

    @precondition(lambda self: self.open_until is not None and self.open_until <= self.now)
    @rule()
    def a_probe_goes(self) -> None:
        self.breaker.let_probe_out()
        self.open_until = None
        self.probe_is_out = True

    @precondition(lambda self: self.probe_is_out)
    @rule(outcome=st.sampled_from(Outcome), category=st.sampled_from(Category))
    def the_probe_ends(self, outcome: Outcome, category: Category) -> None:
        self.breaker.count(outcome, category, self.now, is_probe=True)
        self.probe_is_out = False
        match _verdict(outcome, category):
            case None:
                self.open_until = self.now
            case True:
                self.told.append(True)
                self.open_until = self.now + OPEN_FOR
            case False:
                self.told = [False]

    @rule()
    def a_reset(self) -> None:
        self.breaker.reset()
        self.told, self.open_until, self.probe_is_out = [], None, False

    @rule()
    def a_new_run(self) -> None:
        self.breaker = Breaker(self.limits, self.breaker.record)

    @invariant()
    def it_lets_through_what_the_account_says(self) -> None:
        is_open = self.open_until is not None and self.open_until > self.now
        assert self.breaker.lets_through(self.now) is not (is_open or self.probe_is_out)
        assert self.breaker.is_closed is (self.open_until is None and not self.probe_is_out)
        assert self.breaker.probe_is_out is self.probe_is_out
        assert list(self.breaker.record.recent) == self.told[-5:]


def _verdict(outcome: Outcome, category: Category) -> bool | None:
    """True for a fault, False for a success, None for what says nothing."""
    nobodys = ["validation", "content_policy", "rate_limit", "retired", "bad_output"]
    if outcome is Outcome.FAILED:
        return None if category.value in nobodys else True
    return False if outcome is Outcome.SUCCEEDED else None


AdmissionMachine.TestCase.settings = settings(
    deadline=None, database=None, max_examples=100, stateful_step_count=50
)
BreakerMachine.TestCase.settings = settings(
    deadline=None, database=None, max_examples=100, stateful_step_count=40
)
TestAdmissionMachine = AdmissionMachine.TestCase
TestBreakerMachine = BreakerMachine.TestCase


@given(
    backlog=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.integers(0, 20)), min_size=1, max_size=40
    ),
    slots=st.integers(1, 3),
)
def test_in_a_backlog_tenants_are_served_alike(backlog: list[tuple[str, int]], slots: int) -> None:
    now = 1_000 * SECOND
    gate = Admission(limits_of(slots, 0))
    left = dict.fromkeys("abcd", 0)
    for number, (tenant, age) in enumerate(backlog):
        gate.join(Ticket(ref=f"{tenant}{number}", tenant_id=tenant, queued_at=now - age * SECOND), now)
        left[tenant] += 1
    served = dict.fromkeys((tenant for tenant in left if left[tenant]), 0)
    while grants := gate.step(now).grants:
        for grant in grants:
            tenant = grant.ref[0]
            served[tenant] += 1
            left[tenant] -= 1
            busy = [served[other] for other in served if left[other]]
            assert not busy or max(served.values()) - min(busy) <= 1
            gate.release(Release(ref=grant.ref, was_sent=False), now)
    assert not any(left.values())


arrivals = st.tuples(st.sampled_from(["anna", "bob", "cleo", "new", "new"]), st.sampled_from(Priority))


@given(
    priority=st.sampled_from(Priority),
    crowd=st.lists(arrivals, max_size=8),
    waves=st.lists(st.lists(arrivals, max_size=3), min_size=1, max_size=8),
    comes_and_goes=st.booleans(),
)
def test_no_ticket_starves_however_many_come_after_it(
    priority: Priority,
    crowd: list[tuple[str, Priority]],
    waves: list[list[tuple[str, Priority]]],
    comes_and_goes: bool,
) -> None:
    """Whatever is there when it has risen to the top, and as many again, is served before it at most."""
    now = 1_000 * SECOND
    gate = Admission(limits_of(1, 0))
    number = 0

    def come(people: list[tuple[str, Priority]]) -> None:
        nonlocal number
        for tenant, urgency in people:
            number += 1
            name = f"new-{number}" if tenant == "new" else tenant
            ticket = Ticket(ref=f"t{number}", tenant_id=name, priority=urgency, queued_at=now)
            gate.join(ticket, now)
            if comes_and_goes:
                gate.release(Release(ref=ticket.ref, was_sent=False), now)
                gate.join(ticket, now)

    gate.join(Ticket(ref="before", tenant_id="zoe", priority=Priority.URGENT, queued_at=0), now)
    gate.release(Release(ref=gate.step(now).grants[0].ref, was_sent=False), now)
    come(crowd)
    gate.join(Ticket(ref="patient", tenant_id="zoe", priority=priority, queued_at=now), now)
    risen_at = now + priority.level * AGEING
    bound: int | None = None
    for served in range(400):
        come(waves[served % len(waves)])
        if bound is None and now >= risen_at:
            bound = served + 2 * number + 2
        (grant,) = gate.step(now).grants
        if grant.ref == "patient":
            return
        assert bound is None or served < bound
        gate.release(Release(ref=grant.ref, was_sent=False), now)
        now += 5 * SECOND
    raise AssertionError("it starved")
