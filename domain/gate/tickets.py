"""What passes between a generation, an account's gate, and those who look at the queue: messages, no logic.

Moments are whole microseconds since 1970, UTC (see `domain.moments`). The messages end up in workflow histories:
fields may be added with a default, never renamed or removed.
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from domain.attempts.failures import Category
from domain.ids import generation_of
from domain.model import Message


class Priority(StrEnum):
    """How urgent a generation is; a ticket that waits long rises level by level."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def level(self) -> int:
        """0 for the most urgent, growing."""
        return list(Priority).index(self)


class BreakerLimits(Message):
    """When an account's breaker opens, and for how long.

    Attributes:
        in_a_row: So many faults one after another open it.
        window: Of so many last outcomes ...
        share: ... this share of faults opens it, once the window is full.
        open_for: After that one probe is let through.
    """

    in_a_row: int = Field(default=5, ge=1)
    window: int = Field(default=10, ge=1)
    share: float = Field(default=0.5, gt=0, le=1)
    open_for: timedelta = timedelta(seconds=60)


class AccountLimits(Message):
    """What one account can bear.

    Attributes:
        max_concurrent: Jobs and orders under way at once.
        spacing: Between two orders, counted at the provider's door; zero where it does not matter.
        send_within: From a grant to the last moment at which its order may be written.
        job: How long a job usually takes at most: a lease is believed for as long before its row is asked.
        ageing: A ticket rises one level each time it has waited for so long.
        breaker: See `BreakerLimits`.
    """

    max_concurrent: int = Field(default=3, ge=1)
    spacing: timedelta = timedelta()
    send_within: timedelta = timedelta(seconds=30)
    job: timedelta = timedelta(minutes=15)
    ageing: timedelta = timedelta(seconds=60)
    breaker: BreakerLimits = BreakerLimits()


class Ticket(Message):
    """A place in a gate's queue.

    Attributes:
        ref: The attempt's reference, `<generation>.<take>.<attempt>`.
        tenant_id: Tickets of equal urgency are shared fairly between tenants.
        queued_at: When it began to wait.
        give_up_at: When it is refused if it still waits; None: it waits for ever.
        may_leave: Another provider could serve it: refused at once while the breaker is open.
    """

    ref: str
    tenant_id: str
    priority: Priority = Priority.NORMAL
    queued_at: int
    give_up_at: int | None = None
    may_leave: bool = False

    @property
    def generation_id(self) -> str:
        """The generation that holds the ticket, which is its workflow's id."""
        return generation_of(self.ref)


class Lease(Message):
    """A granted slot.

    Attributes:
        granted_at: When it was granted.
        send_by: The last moment at which its order may be written.
        sent_at: When the gate heard that it was written; None until then, and where the spacing is zero.
        judge_at: From then on its attempt's row is asked whether the slot is still in use.
        is_probe: The single order that is let through a half-open breaker.
        is_counted: Its outcome was told to the breaker already, though the slot stays taken.
    """

    ref: str
    tenant_id: str
    priority: Priority = Priority.NORMAL
    queued_at: int
    granted_at: int
    send_by: int
    sent_at: int | None = None
    judge_at: int
    is_probe: bool = False
    is_counted: bool = False


class Grant(Message):
    """A slot is free for a ticket: its order may be written until `send_by`.

    Attributes:
        account: Whose gate grants it; known when it is sent.
    """

    ref: str
    send_by: int
    account: str = ""


class RefusalReason(StrEnum):
    """Why a ticket is sent away."""

    BREAKER = "breaker"
    WAITED_TOO_LONG = "waited_too_long"


class Refusal(Message):
    """A ticket is sent away.

    Attributes:
        until: When it may be worth another try; None: not known.
    """

    ref: str
    reason: RefusalReason
    until: int | None = None


class Outcome(StrEnum):
    """What a release tells the breaker about the provider."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEITHER = "neither"


class Release(Message):
    """A slot is given back, or a ticket is withdrawn; harmless to repeat.

    Attributes:
        was_sent: False where surely nothing was written: then the turn is free at once.
        outcome: What it says of the provider.
        category: Of the failure, where there was one.
        retry_after_seconds: How long the provider asked everybody to wait.
        hold_until: Set where the slot stays taken until then, since a job may exist of which nobody knows: only the
            outcome counts now.
    """

    ref: str
    was_sent: bool
    outcome: Outcome = Outcome.NEITHER
    category: Category | None = None
    retry_after_seconds: float | None = None
    hold_until: int | None = None


class Verdict(Message):
    """What the rows say of a lease whose time is over.

    Attributes:
        hold_until: The slot is in use until then, or to be judged again; None: it is free.
    """

    ref: str
    hold_until: int | None = None


class BreakerState(StrEnum):
    """Whether orders are let through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerRecord(Message):
    """Everything that a breaker knows.

    Attributes:
        until: When an open one lets a probe through.
        recent: The last outcomes, oldest first, True for a fault; at most the window's length.
        cause: The category of the fault that opened it.
    """

    state: BreakerState = BreakerState.CLOSED
    until: int | None = None
    recent: tuple[bool, ...] = ()
    cause: Category | None = None


class GateRecord(Message):
    """What a gate carries from one run to the next; the waiting tickets are in SQL.

    Attributes:
        turn_at: No grant before this moment: the spacing after the last order, or a rebuilt gate's caution.
        hold_off_until: No grant before this moment: the provider asked everybody to wait.
        pause_reason: Set while an operator has paused the account.
        paused_tenants: Those who paused their own tickets.
        turns: When each tenant was last served, as a growing number.
        job_seconds: How long a slot was in use, as a moving average; None until one was.
    """

    limits: AccountLimits = AccountLimits()
    leases: tuple[Lease, ...] = ()
    turn_at: int = 0
    hold_off_until: int = 0
    breaker: BreakerRecord = BreakerRecord()
    pause_reason: str | None = None
    paused_tenants: tuple[str, ...] = ()
    turns: dict[str, int] = Field(default_factory=dict)
    job_seconds: float | None = None


class Step(Message):
    """What a gate is to do now.

    Attributes:
        judge: Leases whose rows are to be asked, since somebody waits for their slots.
        wake_at: When the gate has to look again though nothing happens; None: not before something does.
    """

    grants: tuple[Grant, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    judge: tuple[str, ...] = ()
    wake_at: int | None = None
