"""Workers, who serve whatever people want, and everything that can happen at a provider, all at once."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable

from domain.attempts.failures import Category
from domain.attempts.outcomes import (
    Accepted,
    AttemptState,
    CancelOutcome,
    JobState,
    JobStatus,
    NotSent,
    Rejected,
    SubmitResult,
    Unknown,
)
from domain.gate.tickets import Refusal, RefusalReason
from domain.generation import Video
from domain.messages import CancelResult, Claim, Job, LateJob, Order
from domain.moments import micros_of, moment_of
from storage import catalog
from storage.attempts import answers, fence, jobs, lookups
from storage.database import Database
from storage.files import uses
from storage.files.assets import LocalAssets
from storage.takes import cancels, claims, endings
from tests.factories import LIMITS, a_failure, a_video
from tests.storage.steps import SOMEBODY, granted
from tests.storage.world import REFUSALS, People

VIDEOS = (b"one film", b"another film")
OUTLIVED = a_failure(Category.TIMEOUT)
BROKEN = a_failure(Category.BAD_OUTPUT)
_FAULTS = (
    Rejected(failure=a_failure(Category.CAPACITY, billed=False)),
    Rejected(failure=a_failure(Category.RATE_LIMIT, retry_after_seconds=3, billed=False)),
    NotSent(failure=a_failure(Category.NETWORK, billed=False)),
    Rejected(failure=a_failure(Category.VALIDATION, billed=False)),
    Unknown(client_reference="r", failure=a_failure(Category.SUBMISSION_UNKNOWN)),
)
_OUTCOMES = (CancelOutcome.STOPPED, CancelOutcome.GOES_ON, CancelOutcome.TOO_LATE)


class World(People):
    """A few generations and everything that can be done with them."""

    def __init__(self, databases: tuple[Database, ...], assets: LocalAssets, seed: int) -> None:
        super().__init__(databases, assets, seed)
        self.permissions: Counter[str] = Counter()
        self.did: Counter[str] = Counter()
        self._orders: dict[str, list[Order]] = {}
        self._late: dict[str, LateJob] = {}

    @property
    def acts(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """Everything that anybody does; what moves a generation on comes more often."""
        often = (self.claim, self.send, self.answer, self.end_job, self.store)
        return (
            *often,
            *often,
            self.order,
            self.cancel,
            self.regenerate,
            self.replace,
            self.judge,
            self.look_up,
            self.watch,
            self.stop_job,
            self.stop_late_job,
            self.give_up,
            self.drain,
            self.rate,
            self.keep,
            self.delete,
            self.erase,
            self.upload,
            self.remove_picture,
        )

    async def act(self) -> None:
        """Do one thing; being refused is part of life."""
        chosen = self.random.choice(self.acts)
        try:
            await chosen()
        except REFUSALS as refused:
            self.did[type(refused).__name__] += 1
        else:
            self.did[chosen.__name__] += 1

    def _order(self) -> Order | None:
        orders = self._orders.get(self.generation())
        return self.random.choice(orders[-3:]) if orders else None

    def _job(self) -> Job | None:
        order = self._order()
        if order is None:
            return None
        return Job.of(order, f"job-{order.attempt.ref}", micros_of(self.moment + LIMITS.job))

    # Workers.

    async def claim(self) -> None:
        order = self._order()
        refusal = None
        if order is not None and order.ticket is not None and self.random.random() < 0.2:
            reason = self.random.choice(list(RefusalReason))
            refusal = Refusal(ref=order.ticket.ref, reason=reason)
        generation_id = order.generation_id if order and refusal else self.generation()
        await self._claim(generation_id, self.random.randrange(1, 9), refusal)

    async def _claim(self, generation_id: str, began: int, refusal: Refusal | None = None) -> Order | None:
        wanted = Claim(
            generation_id=generation_id, run_id=f"run-{began}", run_started_micros=began, refusal=refusal
        )
        terms = claims.Terms(SOMEBODY.mode, LIMITS)
        async with self.database().write(generation_id) as connection:
            claimed = await claims.claim(connection, wanted, terms, self.now())
        self._late |= {one.job.ref: one for one in claimed.late}
        if claimed.order is not None:
            self._orders.setdefault(generation_id, []).append(claimed.order)
        return claimed.order

    async def send(self) -> None:
        if order := self._order():
            await self._send(order)

    async def _send(self, order: Order) -> bool:
        """Send an order, where its gate has granted it a slot."""
        if order.not_before is None:
            order = granted(order, self.moment)
        async with self.database().write(order.generation_id) as connection:
            may = await fence.begin_sending(connection, order, "run", self.now())
        self.permissions[order.attempt.ref] += may
        return may

    async def answer(self) -> None:
        if order := self._order():
            accepted: SubmitResult = Accepted(job_id=f"job-{order.attempt.ref}")
            result = self.random.choice([accepted, accepted, accepted, *_FAULTS])
            sent_by_us = self.permissions[order.attempt.ref] > 0
            if isinstance(result, NotSent) or sent_by_us:  # who has not sent has no other answer
                async with self.database().write(order.generation_id) as connection:
                    await answers.finish_sending(connection, order, result, self.now())

    async def judge(self) -> None:
        if order := self._order():
            async with self.database().write(order.generation_id) as connection:
                await answers.verdict(connection, order, None, self.now())

    async def look_up(self) -> None:
        order = self._order()
        if order is None:
            return
        async with self.database().write(order.generation_id) as connection:
            await lookups.looking_up(connection, order, self.now())
            lost = await lookups.lost(connection, order, self.now())
        if lost.known is None or not isinstance(lost.known.result, Unknown):
            return
        async with self.database().write(order.generation_id) as connection:
            match self.random.randrange(3):
                case 0:
                    await answers.accepted_unless_taken(
                        connection, order, f"job-{order.attempt.ref}", self.now()
                    )
                case 1:
                    await lookups.absent(connection, order, self.now())
                case _:
                    await lookups.in_vain(connection, order, self.now())

    async def watch(self) -> None:
        if job := await self._accepted_job():
            look = JobStatus(state=JobState.RUNNING, progress_percent=self.random.randrange(100))
            async with self.database().write(job.generation_id) as connection:
                await jobs.observed(connection, job, look, 1, self.now(), tell=True)

    async def end_job(self) -> None:
        if job := await self._accepted_job():
            async with self.database().write(job.generation_id) as connection:
                await jobs.ended(connection, job, self._end_of(job), self.now())

    async def store(self) -> None:
        if job := await self._accepted_job():
            await self._store(job)

    async def _store(self, job: Job) -> None:
        if self._end_of(job).state is not JobState.SUCCEEDED:
            return
        await self._end(job)
        video = await self._stored(VIDEOS[len(job.ref) % 2] if job.attempt == 1 else VIDEOS[0])
        async with self.database().write(job.generation_id) as connection:
            await endings.completed(connection, self.assets, job, video, self.now())

    async def stop_job(self) -> None:
        job = await self._accepted_job()
        if job is None:
            return
        outcome = self.random.choice(_OUTCOMES)
        async with self.database().write(job.generation_id) as connection:
            take = (await catalog.load(connection, job.generation_id)).take(job.take)
            if take.cancel_requested_at is None:
                return
            await cancels.sending(connection, job, self.now(), will_bill=True)
            await cancels.ended(
                connection, job, CancelResult(outcome=outcome, billed=True), self.now(), because=None
            )

    async def stop_late_job(self) -> None:
        job = await self._accepted_job()
        if job is None:
            return
        outcome = self.random.choice(_OUTCOMES)
        async with self.database().write(job.generation_id) as connection:
            await cancels.sending(connection, job, self.now(), will_bill=True, because=OUTLIVED)
        async with self.database().write(job.generation_id) as connection:
            result = CancelResult(outcome=outcome, billed=True)
            await cancels.ended(connection, job, result, self.now(), because=OUTLIVED)

    async def give_up(self) -> None:
        job = await self._accepted_job()
        if job is None or self._end_of(job).state is not JobState.SUCCEEDED:
            return
        await self._end(job)
        async with self.database().write(job.generation_id) as connection:
            await jobs.given_up(connection, job, BROKEN, self.now())

    async def drain(self) -> None:
        if self._late:
            late = self.random.choice(list(self._late.values()))
            await (self._store(late.job) if late.is_wanted else self._end(late.job))

    async def finish(self, generation_id: str) -> None:
        """Do with a generation what one run after another does, until there is nothing more to be done."""
        for began in range(10, 200):
            order = await self._claim(generation_id, began)
            if order is None:
                return
            if order.not_before is not None:
                self.moment = moment_of(order.not_before)
                continue
            await self._serve(order)
        raise AssertionError(f"generation {generation_id} never ends")

    async def _serve(self, order: Order) -> None:
        attempt = order.attempt
        if attempt.job_id is not None:
            job = Job.of(order, attempt.job_id, micros_of(self.moment + LIMITS.job))
            await self._store(job)
            await self._end(job)
        elif attempt.state is AttemptState.UNKNOWN:
            async with self.database().write(order.generation_id) as connection:
                await lookups.in_vain(connection, order, self.now())
        elif attempt.state is AttemptState.SENDING or not await self._send(order):
            self.moment += LIMITS.answer_within
            async with self.database().write(order.generation_id) as connection:
                await answers.verdict(connection, order, None, self.now())

    async def _accepted_job(self) -> Job | None:
        """Return a job that some attempt is known to have become."""
        job = self._job()
        if job is None:
            return None
        async with self.database().read() as connection:
            state = (await answers.state_of(connection, job.ref)).state
        return job if state.has_job else None

    async def _end(self, job: Job) -> None:
        async with self.database().write(job.generation_id) as connection:
            await jobs.ended(connection, job, self._end_of(job), self.now())

    @staticmethod
    def _end_of(job: Job) -> JobStatus:
        """Each job has its fate."""
        fate = hashlib.sha256(job.ref.encode()).digest()[0] % 4
        if fate == 0:
            return JobStatus(state=JobState.FAILED, failure=a_failure())
        return JobStatus(state=JobState.SUCCEEDED)

    async def _stored(self, content: bytes) -> Video:
        film = await self.assets.put_bytes(content, uses.VIDEO)
        poster = await self.assets.put_bytes(content + b"'s poster", uses.PICTURE)
        return a_video(sha256=film.sha256, poster_sha256=poster.sha256)
