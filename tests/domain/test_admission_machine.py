"""Admission under everything that can happen, in any order: the promises of `domain.gate.admission` hold throughout.

The machine plays the holders of tickets (they write late or never, acknowledge late or twice, give back twice,
die), the operators, the rows that are asked about lost holders, and gates that start again with or without a record.
"""

from datetime import timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from domain.attempts.failures import Category
from domain.gate.admission import Admission
from domain.gate.status import StatusWanted
from domain.gate.tickets import (
    AccountLimits,
    BreakerRecord,
    BreakerState,
    Lease,
    Outcome,
    Priority,
    Release,
    Ticket,
    Verdict,
)
from tests.domain.admission_world import (
    SECOND,
    SEND_WITHIN,
    TENANTS,
    AdmissionWorld,
    Holder,
    all_limits,
    picks,
)


class AdmissionMachine(AdmissionWorld):
    """Time, holders, operators and rows around one account's admission."""

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


def _choose(refs: list[str] | dict[str, Ticket] | dict[str, Holder], pick: int) -> str:
    return list(refs)[pick % len(refs)]


AdmissionMachine.TestCase.settings = settings(
    deadline=None, database=None, max_examples=100, stateful_step_count=50
)
TestAdmissionMachine = AdmissionMachine.TestCase
