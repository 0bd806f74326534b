"""A gate's admission at given seconds: tickets, limits, and what became of them."""

from datetime import timedelta

from domain.attempts.failures import Category
from domain.gate.admission import Admission
from domain.gate.status import GateStatus, StatusWanted
from domain.gate.tickets import (
    AccountLimits,
    BreakerLimits,
    BreakerState,
    Lease,
    Outcome,
    Priority,
    Refusal,
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


def waits(gate: Admission, ref: str) -> bool:
    """Whether a ticket waits."""
    return bool(seen(gate, 0, ref).waiting)


def slept_through(gate: Admission, ticket: Ticket, seconds: float) -> None:
    """Its holder joins again after its time, and the row says that nothing was sent."""
    assert gate.join(ticket, at(seconds)) is None
    assert not waits(gate, ticket.ref)
    gate.step(at(seconds))
    gate.judged(Verdict(ref=ticket.ref), at(seconds))
    assert waits(gate, ticket.ref)


def with_an_open_breaker(limits: AccountLimits = WIDE) -> Admission:
    """Open until 60."""
    gate = a_gate(limits, a_ticket("first"))
    gate.step(NOW)
    gate.release(failed("first"), NOW)
    assert gate.record().breaker.state is BreakerState.OPEN
    return gate
