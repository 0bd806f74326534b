"""Nobody is served less than others, and nobody starves, whoever comes and in whatever numbers."""

from hypothesis import given
from hypothesis import strategies as st

from domain.gate.admission import Admission
from domain.gate.tickets import (
    Priority,
    Release,
    Ticket,
)
from tests.domain.admission_world import AGEING, SECOND, limits_of


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
