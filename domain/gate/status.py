"""How a gate is seen from outside: who waits, for what, and until when."""

from enum import StrEnum

from pydantic import Field

from domain.gate.tickets import AccountLimits, BreakerRecord, Lease, Ticket
from domain.model import Message


class WaitReason(StrEnum):
    """Why a ticket waits."""

    PAUSED = "paused"
    TENANT_PAUSED = "tenant_paused"
    BREAKER = "breaker"
    HOLD_OFF = "hold_off"
    SPACING = "spacing"
    CAP = "cap"


class Waiting(Message):
    """A waiting ticket, as those who look at the queue see it.

    Attributes:
        position: From 1, in the order in which they would be served if nothing else came.
        eta_seconds: Until it is likely to be served, from measured times; None where nothing was measured yet, or
            nobody can tell (paused).
    """

    ticket: Ticket
    position: int
    reason: WaitReason
    eta_seconds: float | None = None


class StatusWanted(Message):
    """Which waiting tickets a look at the queue is about.

    Attributes:
        refs: Only these; None: all, a page of them.
    """

    refs: tuple[str, ...] | None = None
    offset: int = 0
    limit: int = Field(default=100, ge=0, le=1000)


class GateStatus(Message):
    """How a gate stands.

    Attributes:
        waiting_count: Of all tickets.
        waiting: Those that were asked for, in order.
    """

    account: str
    limits: AccountLimits
    pause_reason: str | None = None
    paused_tenants: tuple[str, ...] = ()
    breaker: BreakerRecord = BreakerRecord()
    hold_off_until: int | None = None
    turn_at: int | None = None
    leases: tuple[Lease, ...] = ()
    waiting_count: int = 0
    waiting: tuple[Waiting, ...] = ()
    job_seconds: float | None = None
