"""One generation: a loop that serves whatever take is wanted, and ends when nothing is.

Wiring only: what is wanted is in SQL (claimed at the start of each attempt), what follows from an answer is decided
in `domain.attempts.recovery`, and the work is done by the activities in `workflows.calls`. Signals only raise flags,
any number of times.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.attempts.outcomes import Accepted, AttemptState, CancelOutcome, JobState, Unknown
    from domain.gate.tickets import Grant, Refusal
    from domain.limits import Limits
    from domain.messages import Ending, Job, JobEnd, LateJob, Order, Submitted, View
    from domain.moments import moment_of
    from domain.names import GENERATION_WORKFLOW, VIEW_QUERY, Signal, SlotSignal
    from domain.orders.line_up import name_of

    from workflows import calls
    from workflows.details import Details
    from workflows.drains import Drains
    from workflows.slots import Slot, Slots
    from workflows.wishes import Wishes

_NEXT_IS_KEPT = "a next take that is asked for beside a cancel is kept"
"""Runs from before dropped it: theirs are played again as they were."""

_LEAST_PAUSE = timedelta(milliseconds=500)
"""The claim's clock and the server's may differ a little; asking again and again would not help."""


@workflow.defn(name=GENERATION_WORKFLOW)
class GenerationWorkflow:
    """Serves the takes of the generation whose id is the workflow's id; it needs no other argument."""

    @workflow.init
    def __init__(self) -> None:
        self._wishes = Wishes()
        self._details = Details()
        self._slots = Slots()
        self._refusal: Refusal | None = None
        self._drains = Drains(self._drained)
        self._order: Order | None = None
        self._job: Job | None = None
        self._ending: Ending | None = None

    @workflow.run
    async def run(self) -> Ending | None:
        """Serve what is wanted; the Temporal UI's own Cancel is heard as an operator's `cancel`."""
        serving = asyncio.create_task(self._serve_all())
        giving_back = asyncio.create_task(self._slots.give_back())
        try:
            while True:
                try:
                    return await asyncio.shield(serving)
                except BaseException as error:
                    if serving.done() or not is_cancelled_exception(error):
                        raise
                    self._wishes.cancel_in_ui()
        finally:
            giving_back.cancel()

    @workflow.signal(name=Signal.REGENERATE)
    def regenerate(self, take: int | None = None) -> None:
        """A take is wanted: one that SQL knows of already, or, without an argument, a new one."""
        self._wishes.regenerate(take)

    @workflow.signal(name=Signal.CANCEL)
    def cancel(self, take: int | None = None) -> None:
        """A cancel is wanted: one that SQL knows of already, or, without an argument, an operator's."""
        self._wishes.cancel(take)

    @workflow.signal(name=SlotSignal.GRANTED)
    def slot_granted(self, grant: Grant | None = None) -> None:
        """A gate has a slot for this generation; one that a person makes up is ignored."""
        if grant is not None:
            self._slots.granted(grant)

    @workflow.signal(name=SlotSignal.REFUSED)
    def slot_refused(self, refusal: Refusal | None = None) -> None:
        """A gate sends this generation's ticket away."""
        if refusal is not None:
            self._slots.refused(refusal)

    @workflow.query(name=VIEW_QUERY)
    def view(self) -> View:
        """Tell what this run is doing."""
        return View(
            generation_id=workflow.info().workflow_id,
            take=self._order.take if self._order else None,
            attempt=self._order.attempt.number if self._order else None,
            job_id=self._job.job_id if self._job else None,
            doing=self._details.doing,
            cancel_wanted=self._order is not None and self._wishes.is_cancel_wanted(self._order.take),
            drains=len(self._drains),
            story=self._details.story,
        )

    async def _serve_all(self) -> Ending | None:
        while True:
            await self._wishes.before_look()
            # A regenerate that came before the claim is answered by the take that is claimed, if there is one.
            is_next_asked = self._wishes.take_up_next()
            order = await self._claim()
            if order is not None:
                is_over = await self._serve(order)
                if not is_over or not order.is_last:
                    continue
            elif is_next_asked and await self._wishes.write_regenerate_down():
                continue
            if not self._is_at_rest and not self._wishes.is_work_wanted:
                if len(self._drains):
                    self._details.tell("waiting for a job that goes on by itself")
                await workflow.wait_condition(lambda: self._wishes.is_work_wanted or self._is_at_rest)
            # Nothing may be awaited from here to the return: a signal that arrives now makes the server refuse
            # this task's completion, and the next one sees the flag.
            if not self._wishes.is_work_wanted and self._is_at_rest:
                if self._ending is not None:
                    self._details.end(self._ending)
                return self._ending

    async def _claim(self) -> Order | None:
        refusal, self._refusal = self._refusal, None
        claimed = await calls.claim(refusal)
        if claimed.order is None:
            claimed = await calls.claim_patiently()
            self._ending = claimed.ending or self._ending
        self._drains.follow(claimed.late, claimed.limits)
        return claimed.order

    @property
    def _is_at_rest(self) -> bool:
        return len(self._drains) == 0 and self._slots.is_at_rest

    def _drained(self, ending: Ending | None) -> None:
        """A job beside the takes is over: what follows is found by the next claim."""
        self._ending = ending or self._ending
        self._wishes.nudge()

    async def _serve(self, order: Order) -> bool:
        """Make one attempt of the claimed take; tell whether the take is over.

        Where it is not, the next claim decides what follows, from what the rows say.
        """
        self._order, self._job = order, None
        if order.cancel_requested:
            self._wishes.cancel_known(order.take)
        if order.not_before is not None:
            self._details.tell(f"take {order.take}: waiting for the next attempt")
            await self._pause(order.take, moment_of(order.not_before) - workflow.now())
            return False
        submitted = await self._submit(order)
        if submitted is not None and isinstance(submitted.result, Unknown):
            self._details.tell("the answer was lost; looking for the job")
            submitted = await calls.look_up(order)
        if submitted is None or not isinstance(submitted.result, Accepted):
            return False
        if submitted.deadline_micros is None:
            raise ValueError("an accepted job has a deadline")
        return await self._follow(order, Job.of(order, submitted.result.job_id, submitted.deadline_micros))

    async def _submit(self, order: Order) -> Submitted | None:
        """Send the order, or take up what an earlier run had begun; None where it is not sent for now."""
        attempt = order.attempt
        match attempt.state:
            case AttemptState.ACCEPTED | AttemptState.FOUND if attempt.job_id:
                return Submitted(
                    result=Accepted(job_id=attempt.job_id), deadline_micros=attempt.deadline_micros
                )
            case AttemptState.QUEUED:
                return await self._submit_in_turn(order)
            case _:
                return await calls.resolve_submit(order, None)

    async def _submit_in_turn(self, order: Order) -> Submitted | None:
        name = name_of(order.plan.provider)
        self._details.tell(f"take {order.take}, attempt {order.attempt.number}: waiting for a turn at {name}")
        async with self._slots.lease(order) as slot:
            while not slot.is_answered or self._is_stale(slot.grant):
                slot.grant = None
                await workflow.wait_condition(
                    lambda: (
                        slot.is_answered or self._wishes.is_work_wanted or self._wishes.is_cancel_unwritten
                    )
                )
                stale = not slot.is_answered or self._is_stale(slot.grant)
                if stale and not await self._is_still_queued(order, slot):
                    return None
            slot.is_used = True
            if slot.grant is None:
                self._refusal = slot.refusal
                return None
            self._details.tell(f"take {order.take}, attempt {order.attempt.number}: sending to {name}")
            return await calls.submit(order.model_copy(update={"send_by": slot.grant.send_by}))

    @staticmethod
    def _is_stale(grant: Grant | None) -> bool:
        """Tell whether a slot was granted that can no longer be used."""
        return grant is not None and moment_of(grant.send_by) <= workflow.now()

    async def _is_still_queued(self, order: Order, slot: Slot) -> bool:
        """Look whether a ticket is still wanted after somebody said something, and join the queue again."""
        is_next_asked = self._wishes.take_up_next()
        await self._wishes.before_look()
        claimed = await calls.claim()
        self._drains.follow(claimed.late, claimed.limits)
        fresh = claimed.order
        if fresh is None or fresh.attempt.ref != order.attempt.ref:
            if is_next_asked and workflow.patched(_NEXT_IS_KEPT):
                self._wishes.regenerate(None)  # this take is no answer to it
            return False
        if fresh.ticket is None:
            slot.is_used = True  # by a sender of an earlier run, which gives it back
        return fresh.ticket is not None

    async def _pause(self, take: int, delay: timedelta) -> None:
        """Wait, but not longer than a wish takes to arrive."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: (
                    self._wishes.is_work_wanted
                    or self._wishes.is_cancel_wanted(take)
                    or self._wishes.is_cancel_unwritten
                ),
                timeout=max(delay, _LEAST_PAUSE),
                timeout_summary="until the next attempt",
            )

    async def _follow(self, order: Order, job: Job) -> bool:
        """Watch a job to its end, cancel it when that is wanted, and store what it made."""
        self._job = job
        self._details.tell(f"job {job.job_id} at {name_of(job.plan.provider)}")
        limits = order.limits
        watching = calls.watch(job, limits.heartbeat)
        while True:
            await self._end_or_cancel(watching, job.take)
            if watching.done():
                end = await watching
                if end.state.is_over:
                    return await self._finish(order, job, end)
                # It outlived its time. If it ended in this very moment after all, look again.
                if await self._stop_late_job(job, end, limits):
                    watching = calls.watch(job, limits.heartbeat)
                    continue
                return False
            if self._wishes.is_cancel_unwritten:
                await self._wishes.write_cancel_down()
                continue
            result = await calls.cancel(job, limits)
            self._details.tell(f"cancel: {result.outcome}")
            if result.outcome is CancelOutcome.TOO_LATE:
                self._wishes.cancel_is_too_late(job.take)
                continue
            self._ending = result.ending
            if result.outcome is CancelOutcome.GOES_ON:
                self._drains.take(LateJob(job=job), watching, limits)
            else:
                watching.cancel()
            return True

    async def _end_or_cancel(self, watching: "workflow.ActivityHandle[JobEnd]", take: int) -> None:
        await workflow.wait_condition(
            lambda: watching.done() or self._wishes.is_cancel_unwritten or self._wishes.is_cancel_wanted(take)
        )

    async def _stop_late_job(self, job: Job, end: JobEnd, limits: Limits) -> bool:
        """Cancel a job that outlived its time; tell whether it turned out to be over."""
        self._details.tell("the job outlived its time; cancelling it")
        if end.failure is None:
            raise ValueError("a watch that ends before its job says why")
        result = await calls.cancel_late(job, end.failure, limits)
        return result.outcome is CancelOutcome.TOO_LATE

    async def _finish(self, order: Order, job: Job, end: JobEnd) -> bool:
        if end.state is not JobState.SUCCEEDED:
            self._details.tell(f"failed: {end.failure.detail if end.failure else end.state}")
            return False
        self._details.tell("the video is made; fetching and proving it")
        stored = await calls.store(job, order.limits.store, order.limits.heartbeat)
        if stored.ending is None:
            self._details.tell(f"failed: {stored.failure.detail if stored.failure else 'not stored'}")
            return False
        self._ending = stored.ending
        self._details.tell(f"take {order.take} is {stored.ending.status}")
        return True
