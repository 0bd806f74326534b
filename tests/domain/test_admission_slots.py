"""Slots: who is granted one, who has one, and giving it back."""

import pytest

from domain.attempts.failures import Category
from domain.gate.tickets import (
    BreakerLimits,
    Grant,
    Lease,
    Priority,
    Refusal,
    RefusalReason,
    Release,
    Verdict,
)
from tests.domain.gates import (
    NARROW,
    NOW,
    SEND_BY,
    SPACED,
    WIDE,
    a_gate,
    a_ticket,
    at,
    done,
    failed,
    granted,
    lease_of,
    leased,
    refused,
    seen,
    slept_through,
    waits,
    wakes_after,
)


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
    assert (gate.waiting_count, waits(gate, "a")) == (0, False)


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
    assert not waits(gate, "a")


def test_who_slept_through_its_grant_waits_again_where_it_was() -> None:
    gate = a_gate(SPACED, a_ticket("a", queued=-50), a_ticket("b", queued=-40))
    assert granted(gate) == ["a"]
    slept_through(gate, a_ticket("a", queued=30), 30)
    assert leased(gate) == []
    assert granted(gate, 34.9) == []
    assert wakes_after(gate, 34.9) == 35
    assert granted(gate, 35) == ["a"]


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
