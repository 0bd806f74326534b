"""The JSON of the queue: where a generation stands in it, and how an account stands."""

import math
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, Field

from api.gates.queue_words import why
from domain.attempts.failures import Category
from domain.attempts.routing import Health
from domain.gate.status import GateStatus, Waiting, WaitReason
from domain.gate.tickets import AccountLimits, BreakerRecord, BreakerState
from domain.moments import moment_of
from domain.orders.line_up import name_of
from storage.gate.gates import Account


class PlaceOut(BaseModel):
    """Where a generation stands in an account's queue, as the account's gate says."""

    account: str = Field(examples=["runway"])
    position: int = Field(description="From 1, among all who wait there, in the order of being served.")
    of: int = Field(description="How many wait there.")
    reason: WaitReason
    message: str = Field(description="The reason in words.", examples=["All 3 places at Runway are taken."])
    eta_seconds: int | None = Field(
        description="Until its turn, from measured times; null where nobody can tell."
    )

    @classmethod
    def of_ticket(cls, status: GateStatus, waiting: Waiting, now: datetime) -> "PlaceOut":
        """Return the place of a ticket as JSON."""
        return cls(
            account=status.account,
            position=waiting.position,
            of=status.waiting_count,
            reason=waiting.reason,
            message=why(status, waiting.reason, now),
            eta_seconds=None if waiting.eta_seconds is None else max(0, math.ceil(waiting.eta_seconds)),
        )


class AccountState(StrEnum):
    """Whether an account takes orders."""

    OPEN = "open"
    PAUSED = "paused"
    BREAKER_OPEN = "breaker_open"
    HALF_OPEN = "half_open"
    UNKNOWN = "unknown"


class BreakerOut(BaseModel):
    """Whether an account is left alone after its last failures."""

    state: BreakerState
    until: AwareDatetime | None = Field(description="When an open one lets a single order through.")
    cause: Category | None = Field(description="Of the failure that opened it.")

    @classmethod
    def of(cls, record: BreakerRecord) -> "BreakerOut":
        """Return a breaker as JSON."""
        is_closed = record.state is BreakerState.CLOSED
        until = None if record.until is None or is_closed else moment_of(record.until)
        return cls(state=record.state, until=until, cause=None if is_closed else record.cause)


class AccountOut(BaseModel):
    """How an account stands; strangers are only counted."""

    account: str = Field(examples=["runway"])
    name: str = Field(examples=["Runway"])
    state: AccountState = Field(
        description="`unknown` where its gate does not answer; then SQL's numbers are shown."
    )
    pause_reason: str | None
    breaker: BreakerOut
    max_concurrent: int
    spacing_seconds: float = Field(description="Between two orders.")
    running: int = Field(description="Orders and jobs under way, of everybody.")
    waiting: int = Field(description="Of everybody.")
    job_seconds: float | None = Field(
        description="How long a job takes there, measured; null before the first."
    )
    hold_off_until: AwareDatetime | None = Field(
        description="The provider asked everybody to wait until then."
    )

    @classmethod
    def of_gate(cls, status: GateStatus, health: Health) -> "AccountOut":
        """Return what a gate says of itself."""
        return cls(
            account=status.account,
            name=name_of(status.account),
            state=_state(status.pause_reason, status.breaker.state),
            pause_reason=status.pause_reason,
            breaker=BreakerOut.of(status.breaker),
            max_concurrent=status.limits.max_concurrent,
            spacing_seconds=status.limits.spacing.total_seconds(),
            running=len(status.leases),
            waiting=status.waiting_count,
            job_seconds=_rounded(status.job_seconds) or _measured(health),
            hold_off_until=None if status.hold_off_until is None else moment_of(status.hold_off_until),
        )

    @classmethod
    def of_rows(cls, known: Account, health: Health, limits: AccountLimits, now: datetime) -> "AccountOut":
        """Return what SQL knows of an account whose gate does not answer, or was never needed."""
        until = health.breaker_until
        state = BreakerState.CLOSED if until is None or until <= now else BreakerState.OPEN
        is_held_off = health.hold_off_until is not None and health.hold_off_until > now
        return cls(
            account=health.account,
            name=name_of(health.account),
            state=AccountState.UNKNOWN if known.has_gate else AccountState.OPEN,
            pause_reason=known.pause_reason,
            breaker=BreakerOut(state=state, until=until if state is BreakerState.OPEN else None, cause=None),
            max_concurrent=limits.max_concurrent,
            spacing_seconds=limits.spacing.total_seconds(),
            running=health.running,
            waiting=health.waiting,
            job_seconds=_measured(health),
            hold_off_until=health.hold_off_until if is_held_off else None,
        )


def _state(pause_reason: str | None, breaker: BreakerState) -> AccountState:
    if pause_reason is not None:
        return AccountState.PAUSED
    match breaker:
        case BreakerState.CLOSED:
            return AccountState.OPEN
        case BreakerState.OPEN:
            return AccountState.BREAKER_OPEN
        case BreakerState.HALF_OPEN:
            return AccountState.HALF_OPEN


def _measured(health: Health) -> float | None:
    return _rounded(health.job_seconds) if health.is_measured else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
