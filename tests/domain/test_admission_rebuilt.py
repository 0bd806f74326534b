"""A gate that goes on in a new run, and one that is rebuilt from what the rows know."""

import pytest

from domain.gate.admission import Admission
from domain.gate.tickets import (
    GateRecord,
    Lease,
)
from tests.domain.gates import (
    NARROW,
    NOW,
    SPACED,
    a_gate,
    a_ticket,
    at,
    done,
    gone,
    granted,
    restored,
    seen,
    waits,
    wakes_after,
    with_an_open_breaker,
)


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
    assert not waits(gate, "x")
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
