"""What passes between a gate and SQL: where it begins anew, what it asks of the rows, and what it leaves there."""

from domain.gate.tickets import AccountLimits, BreakerRecord, Lease, Ticket, Verdict
from domain.model import Message


class GateNews(Message):
    """What a gate writes down when it changes, for those who choose an account without asking the gate."""

    account: str
    breaker: BreakerRecord
    hold_off_until: int = 0


class TicketsWanted(Message):
    """A page of an account's waiting tickets, as SQL has them.

    Attributes:
        after: The last ref of the page before; None for the first page.
    """

    account: str
    after: str | None = None
    limit: int = 2000


class GateRows(Message):
    """What SQL knows of an account.

    Attributes:
        is_new: No gate of this account has ever run: nobody can hold an old grant.
        breaker: As the last gate left it, without its last outcomes.
        job_seconds: How long a job took there, where that was measured.
        leases: What is under way there, each with when it is to be judged again; with the first page only.
        tickets: A page of what waits.
        has_more: Whether there is another page.
    """

    is_new: bool
    pause_reason: str | None = None
    paused_tenants: tuple[str, ...] = ()
    breaker: BreakerRecord = BreakerRecord()
    hold_off_until: int = 0
    job_seconds: float | None = None
    limits: AccountLimits = AccountLimits()
    leases: tuple[Lease, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    has_more: bool = False


class LeasesToJudge(Message):
    """Leases whose time is over, to be judged by their attempts' rows."""

    account: str
    refs: tuple[str, ...]


class Verdicts(Message):
    """The answer to it."""

    verdicts: tuple[Verdict, ...]
