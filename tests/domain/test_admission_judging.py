"""Leases whose time is over: their rows are asked while somebody waits for their slots."""

from datetime import timedelta

import pytest

from domain.gate.tickets import (
    Verdict,
)
from tests.domain.gates import (
    NARROW,
    NOW,
    SPACED,
    a_gate,
    a_ticket,
    at,
    granted,
    lease_of,
    leased,
    slept_through,
    wakes_after,
    with_an_open_breaker,
)


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
