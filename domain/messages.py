"""What passes between the service, the workflow and its activities: names and messages, no logic.

Signals and activities are named here once, so that the side that calls and the side that answers agree. The
messages end up in workflow histories: fields may be added with a default, never renamed or removed.
"""

from datetime import timedelta
from enum import StrEnum

from domain.attempts.failures import Failure
from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState, SubmitResult
from domain.gate.tickets import Refusal, Ticket
from domain.generation import Cost, DeploymentMode
from domain.model import Message
from domain.orders.plans import Plan
from domain.status import Status

GENERATION_WORKFLOW = "Generation"
"""The type's name. It changes with an incompatible change of the workflow: runs of an older type are ended when the
stores are migrated, and new ones go on from the rows."""

OLDER_GENERATION_WORKFLOWS = ("GenerationWorkflow",)


class TaskQueue(StrEnum):
    """Where work waits: a thousand watchers must never block a cancel, nor decoding the loop."""

    GENERATIONS = "generations"
    WATCH = "watch"
    MEDIA = "media"


class Signal(StrEnum):
    """What can be said to a generation's workflow; the take may be left out by a person."""

    REGENERATE = "regenerate"
    CANCEL = "cancel"


VIEW_QUERY = "view"


class ActivityName(StrEnum):
    """The registered names of the activities; pinned, since histories refer to them."""

    CLAIM = "claim"
    WISH = "wish"
    SUBMIT = "submit"
    RESOLVE_SUBMIT = "resolve_submit"
    LOOK_UP = "look_up"
    WATCH = "watch"
    CANCEL = "cancel_job"
    GIVE_UP_CANCEL = "give_up_cancel"
    STORE = "store"
    GIVE_UP = "give_up"
    READ_GATE = "read_gate"
    WRITE_GATE = "write_gate"
    JUDGE_LEASES = "judge_leases"
    RECONCILE = "reconcile"
    RECONCILE_GATES = "reconcile_gates"
    LOOK_AGAIN = "look_again"


class Limits(Message):
    """How long each step may take; claimed with the order, so that a running generation keeps its limits.

    Attributes:
        send_within: From the grant to the last moment at which the order may be written to the socket.
        answer_within: From the write to the provider's answer.
        look_up: How long a job is looked for after a lost answer, where the provider can list its jobs.
        job: How long a job may take from its acceptance to its end.
        cancel: How long a provider is asked to stop a job after the job's own time is over.
        heartbeat: How long a watch may be silent before another worker takes it up.
        store: How long fetching and proving the output may take, over all tries.
        retry_delay: The first wait before a retry.
    """

    send_within: timedelta = timedelta(seconds=30)
    answer_within: timedelta = timedelta(seconds=60)
    look_up: timedelta = timedelta(minutes=5)
    job: timedelta = timedelta(minutes=15)
    cancel: timedelta = timedelta(minutes=2)
    heartbeat: timedelta = timedelta(seconds=30)
    store: timedelta = timedelta(hours=1)
    retry_delay: timedelta = timedelta(seconds=30)

    @property
    def held_up(self) -> timedelta:
        """How long after the permission to send an order may still be written."""
        return self.answer_within / 2

    @property
    def may_arrive(self) -> timedelta:
        """How long after the permission to send an order may still come in and become a job."""
        return self.held_up + self.answer_within

    @property
    def submit(self) -> timedelta:
        """How long the submit activity may run: connect, write, answer, and some room for SQL."""
        return self.send_within + self.answer_within + timedelta(seconds=5)


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
