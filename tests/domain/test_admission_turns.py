"""The turn to send: how far apart orders are, whatever is heard of them and whatever is lost."""

from datetime import timedelta

import pytest

from domain.gate.admission import Admission
from domain.gate.tickets import (
    Release,
    Verdict,
)
from tests.domain.gates import (
    NOW,
    SPACED,
    WIDE,
    a_gate,
    a_ticket,
    at,
    done,
    gone,
    granted,
    lease_of,
    leased,
    wakes_after,
)


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
