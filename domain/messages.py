"""What passes between the service, the workflow and its activities: messages, no logic.

They end up in workflow histories: fields may be added with a default, never renamed or removed.
"""

from domain.attempts.failures import Failure
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState, SubmitResult
from domain.gate.tickets import Refusal, Ticket
from domain.generation import Cost, DeploymentMode
from domain.limits import Limits
from domain.model import Message
from domain.names import Signal
from domain.orders.plans import Plan
from domain.status import Status


class Claim(Message):
    """A run asks what there is to do.

    Attributes:
        refusal: Set where the gate has sent the run's ticket away.
        run_started_micros: When the run began, by the server; an older run never takes over from a newer one.
    """

    generation_id: str
    run_id: str
    run_started_micros: int
    refusal: Refusal | None = None


class ClaimedAttempt(Message):
    """The attempt that the run goes on with: a new one, or one that an earlier run had begun."""

    ref: str
    number: int
    state: AttemptState
    account: str
    job_id: str | None = None
    failure: Failure | None = None
    deadline_micros: int | None = None


class Order(Message):
    """The claimed work: one take and its open attempt.

    Attributes:
        is_last: False where a take that came later waits for this one's end.
        ticket: Set while the attempt waits for a slot.
        not_before: When its wait for a retry is over, in microseconds since 1970; None: it may begin now.
        send_by: The last moment at which it may be written, once it has a slot.
    """

    generation_id: str
    take: int
    mode: DeploymentMode
    plan: Plan
    attempt: ClaimedAttempt
    limits: Limits
    cancel_requested: bool = False
    is_last: bool = True
    ticket: Ticket | None = None
    not_before: int | None = None
    send_by: int | None = None


class Ending(Message):
    """How a take stands after an activity that may have ended it: what the workflow's summary shows."""

    status: Status
    cost: Cost = Cost()
    failure: Failure | None = None


class CancelResult(Message):
    """The true outcome of a cancel.

    Attributes:
        billed: Whether the provider bills what it had done; None where it does not say.
        ending: How the take stands after it was written down.
    """

    outcome: CancelOutcome
    billed: bool | None = None
    ending: Ending | None = None


class Wish(Message):
    """A person's signal without arguments, to be written down like any other wish.

    Attributes:
        key: Makes a repeated activity harmless.
    """

    generation_id: str
    kind: Signal
    key: str


class Wished(Message):
    """The take that a wish is about, or none where it means nothing (any more)."""

    take: int | None = None


class Job(Message):
    """The attempt that an activity is about, and its provider's job."""

    generation_id: str
    take: int
    attempt: int
    ref: str
    mode: DeploymentMode
    account: str
    job_id: str
    plan: Plan
    deadline_micros: int

    @classmethod
    def of(cls, order: Order, job_id: str, deadline_micros: int) -> "Job":
        """Return the job that an order became."""
        return cls(
            generation_id=order.generation_id,
            take=order.take,
            attempt=order.attempt.number,
            ref=order.attempt.ref,
            mode=order.mode,
            account=order.attempt.account,
            job_id=job_id,
            plan=order.plan,
            deadline_micros=deadline_micros,
        )


class LateJob(Message):
    """A job of an attempt that was given up, or of a take that is over.

    Attributes:
        is_wanted: Its video is still welcome: its take failed for want of it.
    """

    job: Job
    is_wanted: bool = False


class Claimed(Message):
    """The answer to a claim: the work, or how the generation ended.

    Attributes:
        limits: How long each step may take for those; the order has its own.
        late: Jobs that nobody waits for any more and that are not known to be over: they are followed beside.
    """

    order: Order | None = None
    ending: Ending | None = None
    late: tuple["LateJob", ...] = ()
    limits: Limits = Limits()


class ResolveSubmit(Message):
    """Find out from the row what became of a submit whose activity was lost.

    Attributes:
        job_id: The id in the lost activity's last heartbeat, where there was one.
    """

    order: Order
    job_id: str | None = None


class Submitted(Message):
    """How a submit ended.

    Attributes:
        result: One of the four ends.
        deadline_micros: When an accepted job must be over.
    """

    result: SubmitResult
    deadline_micros: int | None = None


class JobEnd(Message):
    """How a watched job ended.

    Attributes:
        state: The provider's last word; `running` or `queued` where the job outlived its time.
    """

    state: JobState
    failure: Failure | None = None


class CancelJob(Message):
    """Cancel a job at its provider.

    Attributes:
        because: Set where the service itself gives the job up (a time-out); None where the user asked.
    """

    job: Job
    because: Failure | None = None


class GiveUp(Message):
    """An attempt with a job that will not give its take a video; what follows is decided with the next claim."""

    job: Job
    failure: Failure


class Stored(Message):
    """How storing ended: with the take's end, or with a failure that leaves the decision to the workflow."""

    ending: Ending | None = None
    failure: Failure | None = None


class View(Message):
    """What a generation's workflow knows of itself: its answer to the query `view`.

    Attributes:
        story: What this run has done, a line each.
    """

    generation_id: str
    take: int | None = None
    attempt: int | None = None
    job_id: str | None = None
    doing: str
    cancel_wanted: bool = False
    drains: int = 0
    story: tuple[str, ...] = ()


class Reconciled(Message):
    """What one round, or one part of it, has put right; all zero where everything was right already.

    Attributes:
        handed_over: Runs of an older version that were ended, so that new ones go on from the rows.
        nudged: Generations whose workflow was told, or started, since nobody seemed to serve a wish.
        closed: Takes whose run was terminated from outside.
        found: Jobs found after all at their provider, though the answer to the order was lost.
        followed: Generations with a late job that nobody seemed to follow.
        freed: Slots at accounts that nobody used any more.
        drift_micros: How far the ledger and the rows disagree, in micro-dollars: to be looked into by a person.
        joined: Tickets that their account's gate did not know.
        skipped: The parts that could not be done this time; the next round does them.
    """

    handed_over: int = 0
    nudged: int = 0
    closed: int = 0
    found: int = 0
    followed: int = 0
    freed: int = 0
    joined: int = 0
    drift_micros: int = 0
    skipped: tuple[str, ...] = ()

    def __add__(self, other: "Reconciled") -> "Reconciled":
        return Reconciled(
            handed_over=self.handed_over + other.handed_over,
            nudged=self.nudged + other.nudged,
            closed=self.closed + other.closed,
            found=self.found + other.found,
            followed=self.followed + other.followed,
            freed=self.freed + other.freed,
            joined=self.joined + other.joined,
            drift_micros=self.drift_micros + other.drift_micros,
            skipped=self.skipped + other.skipped,
        )
