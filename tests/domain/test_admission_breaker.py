"""What an open breaker does to those who wait, and how one order goes as its probe."""

import pytest

from domain.gate.tickets import (
    BreakerState,
    Refusal,
    RefusalReason,
    Release,
    Verdict,
)
from tests.domain.gates import (
    NOW,
    WIDE,
    a_gate,
    a_ticket,
    at,
    done,
    failed,
    gone,
    granted,
    lease_of,
    refused,
    waits,
    with_an_open_breaker,
)


def test_while_it_is_open_some_leave_and_others_wait() -> None:
    gate = with_an_open_breaker()
    gate.join(a_ticket("a", may_leave=True), at(1))
    gate.join(a_ticket("b"), at(1))
    step = gate.step(at(1))
    assert step.refusals == (Refusal(ref="a", reason=RefusalReason.BREAKER, until=at(60)),)
    assert (step.grants, step.wake_at) == ((), at(60))
    assert not waits(gate, "a")
    assert waits(gate, "b")


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
