"""Admission by examples: who is granted a slot, who is refused, who waits and why."""

import time
from datetime import timedelta

import pytest

from domain.attempts.failures import Category
from domain.gate.admission import Admission
from domain.gate.status import GateStatus, StatusWanted, WaitReason
from domain.gate.tickets import (
    AccountLimits,
    BreakerLimits,
    BreakerState,
    GateRecord,
    Grant,
    Lease,
    Outcome,
    Priority,
    Refusal,
    RefusalReason,
    Release,
    Ticket,
    Verdict,
)

SECOND = 1_000_000
NOW = 1_000 * SECOND
BREAKER = BreakerLimits(in_a_row=1, open_for=timedelta(seconds=60))
NARROW = AccountLimits(max_concurrent=1, breaker=BREAKER)
WIDE = AccountLimits(max_concurrent=3, breaker=BREAKER)
SPACED = AccountLimits(
    max_concurrent=3, spacing=timedelta(seconds=5), send_within=timedelta(seconds=30), breaker=BREAKER
)
SEND_BY = NOW + 30 * SECOND


def at(seconds: float) -> int:
    return NOW + round(seconds * SECOND)


def a_ticket(
    ref: str,
    tenant: str = "anna",
    *,
    priority: Priority = Priority.NORMAL,
    queued: float = 0,
    give_up: float | None = None,
    may_leave: bool = False,
) -> Ticket:
    return Ticket(
        ref=ref,
        tenant_id=tenant,
        priority=priority,
        queued_at=at(queued),
        give_up_at=None if give_up is None else at(give_up),
        may_leave=may_leave,
    )


def a_gate(limits: AccountLimits, *tickets: Ticket) -> Admission:
    gate = Admission(limits)
    for ticket in tickets:
        gate.join(ticket, NOW)
    return gate


def granted(gate: Admission, seconds: float = 0) -> list[str]:
    return [grant.ref for grant in gate.step(at(seconds)).grants]


def refused(gate: Admission, seconds: float = 0) -> list[Refusal]:
    return list(gate.step(at(seconds)).refusals)


def wakes_after(gate: Admission, seconds: float = 0) -> float | None:
    wake_at = gate.step(at(seconds)).wake_at
    return None if wake_at is None else (wake_at - NOW) / SECOND


def lease_of(gate: Admission, ref: str) -> Lease:
    return next(lease for lease in gate.record().leases if lease.ref == ref)


def leased(gate: Admission) -> list[str]:
    return [lease.ref for lease in gate.record().leases]


def done(ref: str, *, was_sent: bool = True) -> Release:
    return Release(ref=ref, was_sent=was_sent, outcome=Outcome.SUCCEEDED)


def failed(ref: str, category: Category = Category.SERVER_ERROR, *, was_sent: bool = True) -> Release:
    return Release(ref=ref, was_sent=was_sent, outcome=Outcome.FAILED, category=category)


def gone(ref: str) -> Release:
    return Release(ref=ref, was_sent=False)


def served_one_by_one(gate: Admission, seconds: float = 0) -> list[str]:
    """Serve everybody at one moment, a slot being freed after each."""
    order: list[str] = []
    while refs := granted(gate, seconds):
        order += refs
        for ref in refs:
            gate.release(gone(ref), at(seconds))
    return order


def seen(gate: Admission, seconds: float = 0, *refs: str) -> GateStatus:
    return gate.status("acme", StatusWanted(refs=refs or None), at(seconds))


def restored(ref: str, *, sent: float | None = None, granted_at: float = -60, judge: float = 600) -> Lease:
    return Lease(
        ref=ref,
        tenant_id="anna",
        queued_at=at(granted_at),
        granted_at=at(granted_at),
        send_by=at(granted_at + 30),
        sent_at=None if sent is None else at(sent),
        judge_at=at(judge),
    )


# Slots.


def test_a_ticket_is_granted_a_slot_for_as_long_as_it_may_take_to_send() -> None:
    gate = a_gate(NARROW, a_ticket("a", "anna", priority=Priority.HIGH, queued=-5))
    step = gate.step(NOW)
    assert step.grants == (Grant(ref="a", send_by=SEND_BY),)
    assert gate.record().leases == (
        Lease(
            ref="a",
            tenant_id="anna",
            priority=Priority.HIGH,
            queued_at=at(-5),
            granted_at=NOW,
            send_by=SEND_BY,
            judge_at=SEND_BY,
        ),
    )
    assert (step.refusals, step.judge, step.wake_at) == ((), (), None)
    assert (gate.waiting_count, gate.is_waiting("a")) == (0, False)


def test_as_many_are_granted_as_there_are_slots() -> None:
    gate = a_gate(WIDE, *(a_ticket(ref) for ref in "abcde"))
    assert granted(gate) == ["a", "b", "c"]
    assert granted(gate) == []
    gate.release(done("b"), at(1))
    assert granted(gate, 1) == ["d"]
    assert gate.waiting_count == 1


def test_a_ticket_joins_once() -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("a", queued=-9, priority=Priority.URGENT))
    assert gate.waiting_count == 1
    assert seen(gate).waiting[0].ticket == a_ticket("a")


def test_a_ticket_that_joins_again_brings_its_newer_patience() -> None:
    gate = a_gate(
        NARROW, a_ticket("z", queued=-1), a_ticket("a", give_up=5), a_ticket("a", give_up=9, may_leave=True)
    )
    assert refused(gate, 5) == []
    assert seen(gate).waiting[0].ticket.may_leave
    assert refused(gate, 9) == [Refusal(ref="a", reason=RefusalReason.WAITED_TOO_LONG)]


def test_a_ticket_that_joins_again_without_an_end_waits_for_ever_and_stays() -> None:
    gate = a_gate(NARROW, a_ticket("z", queued=-1), a_ticket("a", give_up=5, may_leave=True), a_ticket("a"))
    gate.step(NOW)
    gate.release(failed("z"), at(1))
    assert refused(gate, 2) == []
    assert refused(gate, 100) == []


def test_an_unused_grant_is_repeated_to_its_holder() -> None:
    gate = a_gate(NARROW, a_ticket("a"))
    gate.step(NOW)
    assert gate.join(a_ticket("a"), at(29.9)) == Grant(ref="a", send_by=SEND_BY)
    assert leased(gate) == ["a"]
    assert gate.waiting_count == 0


def test_a_used_grant_is_not_repeated() -> None:
    gate = a_gate(SPACED, a_ticket("a"))
    gate.step(NOW)
    gate.ack("a", at(1))
    before = gate.record()
    assert gate.join(a_ticket("a"), at(2)) is None
    assert gate.join(a_ticket("a"), at(99)) is None
    assert gate.record() == before
    assert gate.waiting_count == 0


def slept_through(gate: Admission, ticket: Ticket, seconds: float) -> None:
    """Its holder joins again after its time, and the row says that nothing was sent."""
    assert gate.join(ticket, at(seconds)) is None
    assert not gate.is_waiting(ticket.ref)
    gate.step(at(seconds))
    gate.judged(Verdict(ref=ticket.ref), at(seconds))
    assert gate.is_waiting(ticket.ref)


def test_who_joins_after_its_time_is_asked_about_and_keeps_the_slot_that_it_uses() -> None:
    """A join may be old: its sender was frozen, and the order was sent long ago without a word to the gate."""
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("b", queued=1))
    gate.step(NOW)
    assert gate.join(a_ticket("a"), at(40)) is None
    assert gate.step(at(40)).judge == ("a",)
    gate.judged(Verdict(ref="a", hold_until=at(900)), at(41))
    assert granted(gate, 42) == []
    assert gate.join(a_ticket("a"), at(43)) is None
    assert gate.step(at(43)).judge == ()
    assert leased(gate) == ["a"]
    assert not gate.is_waiting("a")


def test_who_slept_through_its_grant_waits_again_where_it_was() -> None:
    gate = a_gate(SPACED, a_ticket("a", queued=-50), a_ticket("b", queued=-40))
    assert granted(gate) == ["a"]
    slept_through(gate, a_ticket("a", queued=30), 30)
    assert leased(gate) == []
    assert granted(gate, 34.9) == []
    assert wakes_after(gate, 34.9) == 35
    assert granted(gate, 35) == ["a"]


# The turn.


def test_with_a_spacing_one_grant_is_out_at_a_time() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"), a_ticket("c"))
    assert granted(gate) == ["a"]
    assert wakes_after(gate) == 35
    assert granted(gate, 34.9) == []
    assert granted(gate, 35) == ["b"]


def test_the_spacing_is_counted_from_when_the_gate_heard_of_the_order() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.ack("a", at(2))
    lease = lease_of(gate, "a")
    assert (lease.sent_at, lease.judge_at) == (at(2), at(2 + 900))
    assert wakes_after(gate, 2) == 7
    assert granted(gate, 6.9) == []
    assert granted(gate, 7) == ["b"]


def test_hearing_of_an_order_twice_changes_nothing() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.ack("a", at(2))
    before = gate.record()
    gate.ack("a", at(6))
    gate.ack("nobody", at(6))
    assert gate.record() == before


def test_what_was_surely_not_sent_frees_the_turn_at_once() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.release(gone("a"), at(1))
    assert granted(gate, 1) == ["b"]


def test_what_was_not_sent_frees_no_turn_but_its_own() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"), a_ticket("c"))
    gate.step(NOW)
    gate.ack("a", at(1))
    gate.release(gone("a"), at(2))
    assert granted(gate, 5.9) == []
    assert granted(gate, 6) == ["b"]
    gate.release(gone("unheard-of"), at(7))
    assert granted(gate, 7) == []


@pytest.mark.parametrize("hold_until", [None, at(500)])
def test_an_order_whose_ack_was_lost_takes_the_turn_when_its_slot_is_given_back(
    hold_until: int | None,
) -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.release(Release(ref="a", was_sent=True, hold_until=hold_until), at(3))
    assert granted(gate, 7.9) == []
    assert granted(gate, 8) == ["b"]


def test_a_dropped_lease_keeps_its_turn() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.judged(Verdict(ref="a"), at(30))
    assert leased(gate) == []
    assert granted(gate, 34.9) == []
    assert granted(gate, 35) == ["b"]


def test_without_a_spacing_nothing_waits_for_an_ack() -> None:
    gate = a_gate(WIDE, a_ticket("a"), a_ticket("b"))
    assert granted(gate) == ["a", "b"]
    gate.release(done("a"), at(1))
    gate.join(a_ticket("c"), at(1))
    assert granted(gate, 1) == ["c"]


def test_a_wider_spacing_holds_for_the_last_order_already() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.ack("a", at(1))
    gate.configure(SPACED.model_copy(update={"spacing": timedelta(seconds=20)}))
    assert granted(gate, 20.9) == []
    assert granted(gate, 21) == ["b"]


def test_other_limits_hold_across_a_new_run() -> None:
    gate = a_gate(SPACED, a_ticket("a"))
    gate.step(NOW)
    gate.ack("a", at(1))
    wider = SPACED.model_copy(update={"spacing": timedelta(seconds=20)})
    again = Admission(wider, gate.record())
    assert again.record() == gate.record().model_copy(update={"limits": wider, "turn_at": at(21)})


def test_a_rebuilt_gate_is_quiet_for_a_while() -> None:
    gate = a_gate(SPACED, a_ticket("a"))
    gate.be_quiet_until(at(10))
    gate.be_quiet_until(at(4))
    assert wakes_after(gate) == 10
    assert granted(gate, 9.9) == []
    assert granted(gate, 10) == ["a"]


def test_a_quiet_time_outlasts_an_ack() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.be_quiet_until(at(100))
    gate.ack("a", at(1))
    assert wakes_after(gate, 1) == 100


# Giving back.


def test_giving_back_is_harmless_to_repeat() -> None:
    limits = WIDE.model_copy(update={"breaker": BreakerLimits(in_a_row=2)})
    gate = a_gate(limits, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    release = failed("a").model_copy(update={"retry_after_seconds": 7.0})
    gate.release(release, at(1))
    before = gate.record()
    assert (before.hold_off_until, before.breaker.recent) == (at(8), (True,))
    gate.release(release, at(5))
    gate.release(release.model_copy(update={"ref": "nobody"}), at(5))
    assert gate.record() == before


def test_a_waiting_ticket_is_withdrawn_and_tells_nothing() -> None:
    gate = a_gate(NARROW, a_ticket("a", give_up=5), a_ticket("b"))
    before = gate.record()
    gate.release(failed("a"), at(1))
    assert gate.record() == before.model_copy(update={"turns": gate.record().turns})
    assert granted(gate, 1) == ["b"]
    assert refused(gate, 5) == []


def test_a_provider_that_asks_to_wait_makes_everybody_wait_and_never_shorter() -> None:
    gate = a_gate(WIDE, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    limited = failed("a", Category.RATE_LIMIT).model_copy(update={"retry_after_seconds": 20})
    gate.release(limited, at(1))
    gate.release(limited.model_copy(update={"ref": "b", "retry_after_seconds": 2.5}), at(2))
    gate.join(a_ticket("c"), at(2))
    assert wakes_after(gate, 2) == 21
    assert granted(gate, 20.9) == []
    assert granted(gate, 21) == ["c"]


@pytest.mark.parametrize(
    ("seconds", "until"),
    [(-1, 0), (0, 0), (float("nan"), 0), (float("inf"), at(86_400)), (0.0000001, NOW + 1)],
)
def test_an_odd_wait_breaks_nothing(seconds: float, until: int) -> None:
    gate = a_gate(NARROW, a_ticket("a"))
    gate.step(NOW)
    gate.release(Release(ref="a", was_sent=True, retry_after_seconds=seconds), NOW)
    assert gate.record().hold_off_until == until


def test_a_slot_that_may_be_in_use_is_kept_and_its_outcome_counts_once() -> None:
    gate = a_gate(WIDE.model_copy(update={"breaker": BreakerLimits()}), a_ticket("a"))
    gate.step(NOW)
    unknown = failed("a", Category.SUBMISSION_UNKNOWN).model_copy(update={"hold_until": at(300)})
    gate.release(unknown, at(1))
    held = gate.record()
    assert (held.leases[0].judge_at, held.leases[0].is_counted) == (at(300), True)
    assert held.breaker.recent == (True,)
    gate.release(unknown, at(2))
    assert gate.record() == held
    gate.release(failed("a"), at(3))
    assert gate.record().leases == ()
    assert gate.record().breaker.recent == (True,)


def test_a_held_slot_can_be_held_longer_but_not_shorter() -> None:
    gate = a_gate(WIDE, a_ticket("a"))
    gate.step(NOW)
    for hold, wanted in ((300, 300), (400, 400), (100, 400)):
        gate.release(Release(ref="a", was_sent=True, hold_until=at(hold)), at(1))
        assert lease_of(gate, "a").judge_at == at(wanted)


def test_the_length_of_a_job_is_measured_from_those_that_succeed() -> None:
    gate = a_gate(WIDE, *(a_ticket(ref) for ref in "abcde"))
    gate.step(NOW)
    gate.release(done("a", was_sent=False), at(1))
    gate.release(failed("b", Category.VALIDATION), at(1))
    gate.release(done("c").model_copy(update={"hold_until": at(20)}), at(1))
    assert gate.record().job_seconds is None
    gate.release(done("c"), at(10))
    assert gate.record().job_seconds == 10
    gate.step(at(10))
    gate.release(done("d"), at(30))
    assert gate.record().job_seconds == pytest.approx(12)


# Judging.


def test_a_lease_whose_time_is_over_is_judged_while_somebody_waits_for_it() -> None:
    gate = a_gate(NARROW, a_ticket("a"))
    gate.step(NOW)
    assert gate.step(at(40)).judge == ()
    gate.join(a_ticket("b"), at(20))
    assert wakes_after(gate, 20) == 30
    assert gate.step(at(29.9)).judge == ()
    step = gate.step(at(30))
    assert (step.judge, step.wake_at) == (("a",), at(60))


def test_a_lease_is_not_judged_while_another_slot_is_free() -> None:
    gate = a_gate(SPACED, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    assert gate.step(at(31)).judge == ()


def test_a_question_is_asked_again_when_no_answer_came() -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    assert [gate.step(at(seconds)).judge for seconds in (30, 59.9, 60, 60)] == [("a",), (), ("a",), ()]


@pytest.mark.parametrize(("hold", "asked_at"), [(100, 100), (45, 45), (31, 61), (20, 61)])
def test_a_lease_is_prolonged_and_an_old_answer_does_not_ask_without_end(
    hold: float, asked_at: float
) -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.step(at(30))
    gate.judged(Verdict(ref="a", hold_until=at(hold)), at(31))
    assert gate.step(at(31)).judge == ()
    assert wakes_after(gate, 31) == asked_at
    assert gate.step(at(asked_at)).judge == ("a",)


def test_a_lease_that_is_judged_free_makes_room() -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.step(at(30))
    gate.judged(Verdict(ref="a"), at(31))
    gate.judged(Verdict(ref="a"), at(31))
    assert granted(gate, 31) == ["b"]


def test_an_answer_that_comes_too_late_changes_nothing() -> None:
    limits = SPACED.model_copy(update={"max_concurrent": 1})
    gate = a_gate(limits, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    assert gate.step(at(30)).judge == ("a",)
    gate.ack("a", at(31))
    gate.judged(Verdict(ref="a"), at(32))
    gate.judged(Verdict(ref="nobody"), at(32))
    assert leased(gate) == ["a"]


def test_an_answer_about_a_grant_before_does_not_free_the_next_one() -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("b", queued=1))
    gate.step(NOW)
    assert gate.step(at(30)).judge == ("a",)
    slept_through(gate, a_ticket("a"), 31)
    assert granted(gate, 31) == ["a"]
    gate.judged(Verdict(ref="a"), at(32))
    assert leased(gate) == ["a"]
    assert gate.step(at(61)).judge == ("a",)


def test_a_next_grant_is_asked_about_in_its_own_time() -> None:
    gate = a_gate(
        NARROW.model_copy(update={"send_within": timedelta(seconds=5)}), a_ticket("a"), a_ticket("b")
    )
    gate.step(NOW)
    assert gate.step(at(5)).judge == ("a",)
    slept_through(gate, a_ticket("a"), 6)
    assert granted(gate, 6) == ["a"]
    assert wakes_after(gate, 6) == 11


def test_a_probe_whose_holder_is_lost_is_judged_though_slots_are_free() -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("p"), at(60))
    gate.join(a_ticket("q"), at(60))
    assert granted(gate, 60) == ["p"]
    assert wakes_after(gate, 60) == 90
    assert gate.step(at(90)).judge == ("p",)
    gate.judged(Verdict(ref="p"), at(91))
    assert granted(gate, 91) == ["q"]
    assert lease_of(gate, "q").is_probe


# The breaker.


def with_an_open_breaker(limits: AccountLimits = WIDE) -> Admission:
    """Open until 60."""
    gate = a_gate(limits, a_ticket("first"))
    gate.step(NOW)
    gate.release(failed("first"), NOW)
    assert gate.record().breaker.state is BreakerState.OPEN
    return gate


def test_while_it_is_open_some_leave_and_others_wait() -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("a", may_leave=True), at(1))
    gate.join(a_ticket("b"), at(1))
    step = gate.step(at(1))
    assert step.refusals == (Refusal(ref="a", reason=RefusalReason.BREAKER, until=at(60)),)
    assert (step.grants, step.wake_at) == ((), at(60))
    assert not gate.is_waiting("a")
    assert gate.is_waiting("b")


def test_then_one_goes_as_a_probe_and_the_others_leave_or_wait_for_it() -> None:
    gate = with_an_open_breaker()
    for ref in "abc":
        gate.join(a_ticket(ref, may_leave=ref == "b"), at(60))
    step = gate.step(at(60))
    assert [grant.ref for grant in step.grants] == ["a"]
    assert lease_of(gate, "a").is_probe
    assert step.refusals == (Refusal(ref="b", reason=RefusalReason.BREAKER),)
    assert granted(gate, 500) == []
    gate.release(done("a"), at(501))
    assert granted(gate, 501) == ["c"]
    assert not lease_of(gate, "c").is_probe


def test_who_was_granted_a_slot_is_refused_nothing() -> None:
    gate = a_gate(WIDE, a_ticket("a"), a_ticket("b", may_leave=True))
    gate.step(NOW)
    gate.release(failed("a"), at(1))
    assert refused(gate, 1) == []


def test_who_may_leave_goes_as_the_probe_when_it_is_first() -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("a", may_leave=True), at(60))
    assert granted(gate, 60) == ["a"]


@pytest.mark.parametrize("says_nothing", ["withdrawn", "slept", "held"])
def test_a_probe_that_says_nothing_makes_way_for_the_next(says_nothing: str) -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("a"), at(60))
    gate.join(a_ticket("b", queued=1), at(60))
    gate.step(at(60))
    match says_nothing:
        case "withdrawn":
            gate.release(gone("a"), at(90))
        case "slept":
            gate.join(a_ticket("a", queued=1), at(90))
            gate.judged(Verdict(ref="a"), at(90))
        case _:
            gate.release(Release(ref="a", was_sent=True, hold_until=at(900)), at(90))
    assert granted(gate, 90) == ["a" if says_nothing == "slept" else "b"]
    assert sum(lease.is_probe for lease in gate.record().leases) == 1


def test_a_held_probe_does_not_speak_for_the_next_one() -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("a"), at(60))
    gate.join(a_ticket("b"), at(60))
    gate.step(at(60))
    gate.release(Release(ref="a", was_sent=True, hold_until=at(900)), at(61))
    assert granted(gate, 61) == ["b"]
    gate.release(done("a"), at(62))
    assert gate.record().breaker.state is BreakerState.HALF_OPEN


def test_a_reset_makes_a_probe_an_order_like_any_other() -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("a"), at(60))
    gate.join(a_ticket("b"), at(60))
    gate.step(at(60))
    gate.reset_breaker(at(61))
    assert granted(gate, 61) == ["b"]
    assert [lease.is_probe for lease in gate.record().leases] == [False, False]


# Patience.


def test_who_has_waited_too_long_is_refused() -> None:
    gate = a_gate(NARROW, a_ticket("z", queued=-9), a_ticket("b", give_up=20), a_ticket("a", give_up=10))
    gate.step(NOW)
    assert wakes_after(gate, 5) == 10
    assert [refusal.ref for refusal in refused(gate, 9.9)] == []
    assert [refusal.ref for refusal in refused(gate, 25)] == ["a", "b"]
    assert wakes_after(gate, 25) is None


def test_a_ticket_that_is_overdue_is_not_granted_any_more() -> None:
    gate = a_gate(NARROW, a_ticket("a", give_up=10))
    step = gate.step(at(10))
    assert (step.grants, [refusal.ref for refusal in step.refusals]) == ((), ["a"])


# Pauses.


def test_a_paused_gate_grants_nothing_but_refuses_what_is_overdue() -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("b", give_up=10))
    gate.pause("maintenance")
    step = gate.step(NOW)
    assert (step.grants, step.wake_at) == ((), at(10))
    assert [refusal.ref for refusal in refused(gate, 10)] == ["b"]
    assert wakes_after(gate, 10) is None
    gate.resume()
    assert granted(gate, 11) == ["a"]


def test_a_paused_gate_asks_about_no_lease() -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    gate.pause("maintenance")
    step = gate.step(at(40))
    assert (step.judge, step.wake_at) == ((), None)


def test_tickets_of_a_paused_tenant_are_passed_over() -> None:
    gate = a_gate(NARROW, a_ticket("a", "anna"), a_ticket("b", "bob"))
    gate.pause_tenant("anna")
    gate.pause_tenant("anna")
    assert granted(gate) == ["b"]
    gate.release(done("b"), at(1))
    assert granted(gate, 1) == []
    assert wakes_after(gate, 1) is None
    gate.resume_tenant("anna")
    gate.resume_tenant("nobody")
    assert granted(gate, 2) == ["a"]


# The order.


@pytest.mark.parametrize(
    ("tickets", "order"),
    [
        ([a_ticket("b", queued=1), a_ticket("a", queued=2)], "ba"),
        ([a_ticket("b"), a_ticket("a")], "ab"),
        (
            [
                a_ticket("l", priority=Priority.LOW, queued=0),
                a_ticket("n", queued=1),
                a_ticket("h", priority=Priority.HIGH, queued=2),
                a_ticket("u", priority=Priority.URGENT, queued=3),
            ],
            "uhnl",
        ),
        (
            [a_ticket("a1"), a_ticket("a2"), a_ticket("a3"), a_ticket("b1", "bob"), a_ticket("b2", "bob")],
            "abaBa",
        ),
        ([a_ticket("n", queued=-59), a_ticket("h", priority=Priority.HIGH)], "hn"),
        ([a_ticket("n", queued=-60), a_ticket("h", priority=Priority.HIGH)], "nh"),
        ([a_ticket("l", priority=Priority.LOW, queued=-180), a_ticket("u", priority=Priority.URGENT)], "lu"),
        ([a_ticket("l", priority=Priority.LOW, queued=-179), a_ticket("u", priority=Priority.URGENT)], "ul"),
        (
            [
                a_ticket("h", priority=Priority.HIGH, queued=-70),
                a_ticket("u", "bob", priority=Priority.URGENT, queued=-61),
            ],
            "hu",
        ),
        ([a_ticket("x", queued=600), a_ticket("y", priority=Priority.HIGH)], "yx"),
    ],
)
def test_the_urgent_go_first_then_tenants_take_turns_then_the_oldest(
    tickets: list[Ticket], order: str
) -> None:
    gate = a_gate(NARROW, *reversed(tickets))
    places = [waiting.ticket.ref for waiting in seen(gate).waiting]
    served = served_one_by_one(gate)
    assert places == served
    if order == "abaBa":
        assert served == ["a1", "b1", "a2", "b2", "a3"]
    else:
        assert served == list(order)


def test_the_tenant_served_least_recently_goes_first() -> None:
    gate = a_gate(NARROW, a_ticket("a1", "anna"), a_ticket("b1", "bob"), a_ticket("c1", "cleo"))
    assert served_one_by_one(gate) == ["a1", "b1", "c1"]
    for ref, tenant, queued in (("c2", "cleo", 1), ("b2", "bob", 2), ("a2", "anna", 3)):
        gate.join(a_ticket(ref, tenant, queued=queued), at(3))
    assert served_one_by_one(gate, 3) == ["a2", "b2", "c2"]


def test_a_new_tenant_goes_before_the_one_served_last() -> None:
    gate = a_gate(NARROW, *(a_ticket(f"a{number}", "anna", queued=-9) for number in range(5)))
    assert granted(gate) == ["a0"]
    gate.release(done("a0"), at(1))
    gate.join(a_ticket("b", "bob"), at(1))
    gate.join(a_ticket("c", "cleo", queued=1), at(1))
    assert served_one_by_one(gate, 1)[:3] == ["b", "c", "a1"]


def test_new_tenants_do_not_push_back_one_who_waits() -> None:
    gate = a_gate(NARROW, *(a_ticket(f"a{number}", "anna", queued=-9) for number in range(2)))
    served = []
    for number in range(5):
        served += granted(gate)
        gate.release(gone(served[-1]), NOW)
        gate.join(a_ticket(f"n{number}", f"new-{number}"), NOW)
        gate.join(a_ticket(f"m{number}", f"newer-{number}"), NOW)
    assert "a1" in served


def test_without_ageing_nothing_rises() -> None:
    gate = a_gate(
        NARROW.model_copy(update={"ageing": timedelta()}),
        a_ticket("l", priority=Priority.LOW, queued=-900),
        a_ticket("u", priority=Priority.URGENT),
    )
    assert granted(gate) == ["u"]


# A new run, and a rebuilt gate.


def test_a_new_run_goes_on_where_the_old_one_stopped() -> None:
    gate = with_an_open_breaker(SPACED)
    gate.pause_tenant("bob")
    gate.be_quiet_until(at(70))
    gate.join(a_ticket("a"), at(60))
    gate.step(at(70))
    gate.pause("maintenance")
    gate.join(a_ticket("b", "bob"), at(71))
    again = Admission(gate.record().limits, GateRecord.model_validate_json(gate.record().model_dump_json()))
    again.join(a_ticket("b", "bob"), at(72))
    assert again.record() == gate.record()
    assert seen(again, 72) == seen(gate, 72)


def test_turns_are_remembered_of_those_who_wait_and_of_the_last_thousand() -> None:
    record = GateRecord(limits=NARROW, turns={f"t{number}": number for number in range(1, 1502)})
    gate = Admission(NARROW, record)
    gate.join(a_ticket("a", "t1"), NOW)
    gate.join(a_ticket("b", "t2"), NOW)
    gate.release(gone("b"), NOW)
    assert gate.record().turns == {"t1": 1, **{f"t{number}": number for number in range(502, 1502)}}


def test_restored_leases_may_exceed_the_cap_and_then_nothing_is_granted() -> None:
    gate = a_gate(NARROW, a_ticket("a"), a_ticket("x"))
    for ref in "xyz":
        gate.restore(restored(ref))
    gate.restore(restored("x", judge=1))
    assert not gate.is_waiting("x")
    assert [lease.judge_at for lease in gate.record().leases] == [at(600)] * 3
    for ref in "xy":
        assert granted(gate) == []
        gate.release(done(ref), NOW)
    assert granted(gate) == []
    gate.release(done("z"), NOW)
    assert granted(gate) == ["a"]


@pytest.mark.parametrize(
    ("lease", "free_at"), [(restored("x", sent=-2), 3), (restored("x", granted_at=-10), 25)]
)
def test_a_restored_lease_takes_the_turn_that_its_order_may_have_taken(lease: Lease, free_at: float) -> None:
    gate = a_gate(SPACED, a_ticket("a"))
    gate.restore(lease)
    assert wakes_after(gate) == free_at
    assert granted(gate, free_at) == ["a"]


# What is seen.


def reason_of(gate: Admission, ref: str, seconds: float = 0) -> WaitReason:
    return seen(gate, seconds, ref).waiting[0].reason


def test_the_gravest_reason_is_shown() -> None:
    limits = SPACED.model_copy(update={"max_concurrent": 1})
    gate = a_gate(limits, a_ticket("a"), a_ticket("b"))
    gate.step(NOW)
    assert reason_of(gate, "b") is WaitReason.CAP
    gate.configure(SPACED)
    assert reason_of(gate, "b") is WaitReason.SPACING
    gate.configure(limits)
    gate.join(a_ticket("c", "bob"), NOW)
    gate.release(
        Release(ref="a", was_sent=True, retry_after_seconds=90, hold_until=at(900)),
        NOW,
    )
    assert reason_of(gate, "b") is WaitReason.HOLD_OFF
    gate.release(failed("a"), NOW)
    assert reason_of(gate, "b") is WaitReason.HOLD_OFF
    gate = with_an_open_breaker()
    gate.join(a_ticket("b"), NOW)
    gate.join(a_ticket("c", "bob"), NOW)
    gate.pause_tenant("bob")
    assert reason_of(gate, "b") is WaitReason.BREAKER
    assert reason_of(gate, "c") is WaitReason.TENANT_PAUSED
    gate.pause("maintenance")
    assert [waiting.reason for waiting in seen(gate).waiting] == [WaitReason.PAUSED] * 2


def test_the_gate_is_shown_as_of_now() -> None:
    gate = a_gate(SPACED, a_ticket("a"))
    gate.step(NOW)
    gate.release(failed("a").model_copy(update={"retry_after_seconds": 10}), NOW)
    gate.pause("maintenance")
    now, later = seen(gate, 1), seen(gate, 70)
    assert (now.account, now.limits, now.pause_reason) == ("acme", SPACED, "maintenance")
    assert (now.hold_off_until, now.turn_at) == (at(10), at(5))
    assert (later.hold_off_until, later.turn_at) == (None, None)
    assert (now.breaker.state, later.breaker.state) == (BreakerState.OPEN, BreakerState.HALF_OPEN)


def test_places_are_shown_for_the_wanted_refs_or_by_page() -> None:
    gate = a_gate(NARROW, *(a_ticket(f"t{number}", queued=number) for number in range(6)))
    status = seen(gate, 9, "t4", "t1", "nobody")
    assert [(waiting.position, waiting.ticket.ref) for waiting in status.waiting] == [(2, "t1"), (5, "t4")]
    assert status.waiting_count == 6
    page = gate.status("acme", StatusWanted(offset=2, limit=3), NOW)
    assert [waiting.position for waiting in page.waiting] == [3, 4, 5]
    assert gate.status("acme", StatusWanted(limit=0), NOW).waiting == ()


def test_paused_tenants_stand_behind_everybody() -> None:
    gate = a_gate(NARROW, a_ticket("a", "anna"), a_ticket("b", "bob"), a_ticket("c", "cleo"))
    gate.pause_tenant("anna")
    gate.pause_tenant("bob")
    assert [waiting.ticket.ref for waiting in seen(gate).waiting] == ["c", "a", "b"]
    assert seen(gate, 0, "a").waiting[0].eta_seconds is None


def test_looking_changes_nothing() -> None:
    gate = a_gate(WIDE, *(a_ticket(f"t{number}", f"tenant-{number % 2}") for number in range(6)))
    before = gate.record()
    assert seen(gate) == seen(gate)
    assert gate.record() == before


def etas(gate: Admission, seconds: float = 0) -> list[float | None]:
    return [waiting.eta_seconds for waiting in seen(gate, seconds).waiting]


def measured(limits: AccountLimits, *tickets: Ticket) -> Admission:
    """A gate where a job takes 100 s."""
    gate = Admission(limits, GateRecord(limits=limits, job_seconds=100))
    for ticket in tickets:
        gate.join(ticket, NOW)
    return gate


THREE = [a_ticket(ref) for ref in "abc"]


def test_nobody_can_tell_how_long_a_paused_gate_takes() -> None:
    gate = measured(NARROW, *THREE)
    gate.pause("maintenance")
    assert etas(gate) == [None, None, None]


def test_without_a_measure_only_free_slots_can_be_told() -> None:
    gate = a_gate(SPACED.model_copy(update={"max_concurrent": 2}), *THREE)
    assert etas(gate) == [0, 5, None]
    gate = a_gate(NARROW, *THREE)
    gate.step(NOW)
    assert etas(gate) == [None, None]


def test_slots_are_likely_to_be_free_when_their_jobs_have_run() -> None:
    gate = measured(WIDE.model_copy(update={"max_concurrent": 2}), *(a_ticket(ref) for ref in "abcdef"))
    gate.step(NOW)
    gate.release(gone("b"), at(30))
    gate.step(at(30))
    assert etas(gate, 40) == [60, 90, 160]
    assert etas(gate, 500) == [0, 0, 100]


def test_leases_beyond_the_cap_have_to_end_first() -> None:
    gate = measured(NARROW, a_ticket("a"))
    gate.restore(restored("x", granted_at=-60))
    gate.restore(restored("y", granted_at=-30))
    assert etas(gate) == [70]


def test_a_slot_that_is_held_is_free_when_it_is_judged() -> None:
    gate = measured(NARROW, *THREE)
    gate.step(NOW)
    gate.release(Release(ref="a", was_sent=True, hold_until=at(700)), NOW)
    assert etas(gate) == [700, 800]


def test_the_spacing_and_a_hold_off_are_waited_for() -> None:
    gate = measured(SPACED, *THREE, a_ticket("d"))
    gate.step(NOW)
    assert etas(gate, 1) == [4, 9, 99]
    gate.ack("a", at(2))
    assert etas(gate, 2) == [5, 10, 98]
    gate.release(Release(ref="a", was_sent=True, retry_after_seconds=20), at(3))
    assert etas(gate, 3) == [20, 25, 30]


def test_behind_a_probe_everybody_waits_for_its_end() -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("a"), NOW)
    gate.join(a_ticket("b"), NOW)
    assert etas(gate) == [60, None]
    gate = Admission(WIDE, gate.record().model_copy(update={"job_seconds": 100}))
    for ref in "abcd":
        gate.join(a_ticket(ref), NOW)
    assert etas(gate) == [60, 160, 160, 160]
    assert granted(gate, 60) == ["a"]
    assert etas(gate, 70) == [90, 90, 90]
    unmeasured = Admission(WIDE, gate.record().model_copy(update={"job_seconds": None}))
    unmeasured.join(a_ticket("b"), at(70))
    assert etas(unmeasured, 70) == [None]


# Size.


def test_ten_thousand_tickets_are_no_burden() -> None:
    gate = Admission(WIDE)
    priorities = list(Priority)
    began = time.process_time()
    for number in reversed(range(10_000)):
        ticket = a_ticket(
            f"t{number:05}",
            f"tenant-{number % 40}",
            priority=priorities[number % 4],
            queued=-number / 100,
            give_up=999,
        )
        gate.join(ticket, NOW)
    joined = time.process_time()
    for number in range(200):
        for ref in granted(gate, number / 10):
            gate.release(done(ref), at(number / 10))
    served = time.process_time()
    status = gate.status("acme", StatusWanted(refs=("t00001", "t09999")), at(20))
    looked = time.process_time()
    assert status.waiting_count == 9_400
    # Generous many times over: a step that looked at every ticket would take minutes.
    assert joined - began < 3
    assert served - joined < 1
    assert looked - served < 1
