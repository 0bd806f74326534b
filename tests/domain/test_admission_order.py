"""Who is served before whom, who waits for how long, and who is passed over."""

import time
from datetime import timedelta

import pytest

from domain.gate.admission import Admission
from domain.gate.status import StatusWanted
from domain.gate.tickets import (
    Priority,
    Ticket,
)
from tests.domain.gates import (
    NARROW,
    NOW,
    WIDE,
    a_gate,
    a_ticket,
    at,
    done,
    gone,
    granted,
    refused,
    seen,
    served_one_by_one,
    wakes_after,
)


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
