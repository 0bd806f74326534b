"""What a cancel would do now: told before anybody asks for it, from the record of a generation.

The record is as old as the last look at the job, so the preview is a foresight and no promise: the cancel itself looks
once more, and tells the truth. It follows from where the newest attempt stands, and from what its provider can stop.
"""

from collections.abc import Mapping
from enum import StrEnum

from domain.attempts.outcomes import AttemptState, CancelOutcome, JobState
from domain.costs.billing import billed
from domain.generation import Attempt, Cost, Generation, Take
from domain.model import Frozen
from domain.orders.entries import AtCancel
from domain.orders.line_up import entry_of, name_of
from domain.status import Stage


class Foresight(StrEnum):
    """What would become of a cancel."""

    STOPPED_BEFORE_SUBMIT = "stopped_before_submit"
    STOPPED = "stopped"
    GOES_ON = "goes_on"
    TOO_LATE = "too_late"
    UNKNOWN = "unknown"


class NothingToCancel(ValueError):
    """The newest take is over, and not by a cancel."""


class Preview(Frozen):
    """What a cancel would do.

    Attributes:
        take: The take that it would stop.
        billed: Whether the provider would bill what was stopped; None where that is not known.
        cost: Of the generation, as it would be right after the cancel.
        message: A sentence for a person.
    """

    take: int
    outcome: Foresight
    billed: bool | None
    cost: Cost
    message: str


_BILLED = {AtCancel.STOPS_FREE: False, AtCancel.STOPS_BILLED: True, AtCancel.GOES_ON: None}
"""Whether a job is billed that is asked to stop; None where it goes on."""

_STOPPED = {
    True: "{name} would stop the job, and bills it in full.",
    False: "{name} would stop the job, which costs nothing.",
}
_WAS = {
    CancelOutcome.STOPPED_BEFORE_SUBMIT: "It was cancelled before anything was sent, and costs nothing.",
    CancelOutcome.STOPPED: "It was cancelled, and the provider has stopped the job.",
    CancelOutcome.GOES_ON: "It was cancelled, but the provider's job goes on and may be billed.",
    CancelOutcome.TOO_LATE: "A cancel came too late: the job was over.",
}


def preview(generation: Generation) -> Preview:
    """Return what a cancel of the newest take would do now, or what the one that was has done.

    Raises:
        NothingToCancel: It is over, and nobody had asked for a cancel.
    """
    take = generation.current
    if take.cancel_outcome not in {None, CancelOutcome.REQUESTED}:
        outcome = CancelOutcome(take.cancel_outcome)
        return Preview(
            take=take.number,
            outcome=Foresight(outcome),
            billed=take.cancel_billed,
            cost=generation.cost,
            message=_WAS[outcome],
        )
    if take.status.is_terminal:
        raise NothingToCancel(f"take {take.number} is {take.status} already")
    return _Foreseen(generation, take).preview()


class _Foreseen:
    """One look into what would be."""

    def __init__(self, generation: Generation, take: Take) -> None:
        self._generation = generation
        self._take = take

    def preview(self) -> Preview:
        attempt = self._take.attempts[-1] if self._take.attempts else None
        if attempt is None or not attempt.is_open or attempt.state is AttemptState.QUEUED:
            return self._at_rest()
        if attempt.state in {AttemptState.SENDING, AttemptState.UNKNOWN}:
            return self._on_its_way(attempt)
        if self._generation.stage is Stage.STORING or (attempt.job_state and attempt.job_state.is_over):
            return self._say(
                Foresight.TOO_LATE, None, {}, "The job is over: a cancel would change nothing any more."
            )
        return self._with_job(attempt)

    def _at_rest(self) -> Preview:
        """Nothing is at a provider now: what was sent earlier may still be."""
        freed = {one.ref: Cost() for one in self._take.attempts if one.state is AttemptState.QUEUED}
        left = [one for one in self._take.attempts if one.cost.at_risk or _may_run(one)]
        if left:
            name = name_of(left[-1].provider)
            message = f"Nothing more would be sent, but an earlier job at {name} may go on and be billed."
            return self._say(Foresight.GOES_ON, None, freed, message)
        message = "Nothing has been sent to a provider: it would be stopped and cost nothing."
        return self._say(Foresight.STOPPED_BEFORE_SUBMIT, False, freed, message)

    def _on_its_way(self, attempt: Attempt) -> Preview:
        name = name_of(attempt.provider)
        doing = "is being sent to" if attempt.state is AttemptState.SENDING else "may have reached"
        message = f"The order {doing} {name}; only when it is known what became of it can a job be stopped."
        return self._say(Foresight.UNKNOWN, None, {attempt.ref: _doubtful(attempt)}, message)

    def _with_job(self, attempt: Attempt) -> Preview:
        name, entry = name_of(attempt.provider), entry_of(attempt.provider)
        price = (attempt.plan or self._take.plan).price
        either = {entry.at_cancel(state) for state in self._states} if entry else set()
        if entry is None or len(either) > 1:
            message = f"{name} has just taken the order; whether it would stop the job is not known yet."
            return self._say(Foresight.UNKNOWN, None, {attempt.ref: Cost(at_risk=price)}, message)
        is_billed = _BILLED[either.pop()]
        changed = {attempt.ref: billed(price, is_billed)}
        if is_billed is not None:
            return self._say(Foresight.STOPPED, is_billed, changed, _STOPPED[is_billed].format(name=name))
        which = "a job" if entry.never_stops else "a job that runs"
        message = f"{name} does not stop {which}: it would go on without you, and may be billed."
        return self._say(Foresight.GOES_ON, None, changed, message)

    @property
    def _states(self) -> tuple[JobState, ...]:
        """The states that the job may be in, as far as the last look tells."""
        match self._generation.stage:
            case Stage.PROVIDER_QUEUED:
                return (JobState.QUEUED,)
            case Stage.GENERATING:
                return (JobState.RUNNING,)
            case _:
                return (JobState.QUEUED, JobState.RUNNING)

    def _say(
        self, outcome: Foresight, is_billed: bool | None, changed: Mapping[str, Cost], message: str
    ) -> Preview:
        return Preview(
            take=self._take.number,
            outcome=outcome,
            billed=is_billed,
            cost=self._cost(changed),
            message=message,
        )

    def _cost(self, changed: Mapping[str, Cost]) -> Cost:
        """Return the money of the generation with other numbers for some attempts, and none for what is not sent."""
        of_attempts = sum((changed.get(one.ref, one.cost) for one in self._take.attempts), start=Cost())
        others = (take.cost for take in self._generation.takes if take.number != self._take.number)
        return sum(others, start=of_attempts)


def _may_run(attempt: Attempt) -> bool:
    return attempt.state.has_job and attempt.ended_at is None


def _doubtful(attempt: Attempt) -> Cost:
    """Return the money of an attempt of which nobody knows whether there is a job: what was promised may be owed."""
    cost = attempt.cost
    return Cost(settled=cost.settled, at_risk=cost.at_risk + cost.reserved)
