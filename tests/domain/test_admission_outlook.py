"""How the queue looks from outside: places, reasons, and likely times."""

from domain.gate.admission import Admission
from domain.gate.status import StatusWanted, WaitReason
from domain.gate.tickets import (
    AccountLimits,
    BreakerState,
    GateRecord,
    Release,
    Ticket,
)
from tests.domain.gates import (
    NARROW,
    NOW,
    SPACED,
    WIDE,
    a_gate,
    a_ticket,
    at,
    failed,
    gone,
    granted,
    restored,
    seen,
    with_an_open_breaker,
)


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
