"""Sending an order to a provider, at most once, and finding out what became of it."""

import asyncio
import time
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity

from activities.first_frames import FirstFrameGone
from activities.releasing import release_after_submit
from activities.service import Service, insistently, now
from domain.attempts.codes import WOKE_TOO_LATE
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import Accepted, NotSent, SubmitResult
from domain.messages import Order, ResolveSubmit, Submitted
from domain.moments import moment_of
from domain.names import ActivityName
from failpoints import Point, reach
from providers.base import JobOrder
from providers.registry import UnknownAccount, WrongMode
from storage.attempts import answers, fence, lookups
from storage.database import uninterrupted

_ASK_AGAIN_SECONDS = 0.5
_RECORD_WITHIN = timedelta(seconds=10)


class _NotOurs(Exception):
    """The permission to send was used or withdrawn."""


class _WokeTooLate(Exception):
    """So much time has passed since the permission that others may have judged this order as lost."""


class Submitting:
    """The activities `submit` and `resolve_submit`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @activity.defn(name=ActivityName.SUBMIT)
    async def submit(self, order: Order) -> Submitted:
        """Send the order and report how that ended. Never retried; the row in `attempts` is the fence.

        The job id is this activity's first and only heartbeat, sent in the moment it is known: it survives the
        death of this process even before the row is written.
        """
        began, began_at = time.monotonic(), now()
        try:
            provider = self._service.accounts.get(order.attempt.account, order.mode)
        except (UnknownAccount, WrongMode) as error:
            failure = Failure(category=Category.AUTH, code="no_account", detail=str(error), billed=False)
            return await self._record(order, NotSent(failure=failure))
        try:
            picture = await self._service.first_frames.fitted(order.plan)
        except FirstFrameGone as error:
            return await self._record(order, NotSent(failure=error.failure))

        async def before_write() -> None:
            reach(Point.BEFORE_SEND)
            asked_at, started = now(), time.monotonic()
            if not await self._begin(order, asked_at):
                raise _NotOurs
            reach(Point.AFTER_CLAIM)
            # Two clocks: one may be set, the other stands still while the machine sleeps.
            passed = max(now() - asked_at, timedelta(seconds=time.monotonic() - started))
            if passed > order.limits.held_up or self._is_too_late(order, began_at, began):
                raise _WokeTooLate

        acks: list[asyncio.Task[None]] = []

        async def after_write() -> None:
            acks.append(asyncio.create_task(self._ack(order)))
            reach(Point.AFTER_SEND)

        wanted = JobOrder(
            plan=order.plan,
            client_reference=order.attempt.ref,
            attempt=order.attempt.number,
            picture=picture,
        )
        try:
            result = await provider.submit(wanted, before_write, after_write)
        except _NotOurs:
            submitted = await self._verdict(order, None)
            await release_after_submit(self._service, order, submitted)
            return submitted
        except _WokeTooLate:
            return await self._record(order, NotSent(failure=_woke_too_late()), has_permission=True)
        reach(Point.ANSWERED)
        if isinstance(result, Accepted):
            activity.heartbeat(result.job_id)
        submitted = await self._record(order, result)
        await asyncio.gather(*acks)
        reach(Point.ACCEPTED)
        return submitted

    @staticmethod
    def _is_too_late(order: Order, began_at: datetime, began: float) -> bool:
        """Tell whether the slot's time is over, by the clock and by how long this activity has been at it."""
        if order.send_by is None:
            return True
        passed = timedelta(seconds=time.monotonic() - began)
        return max(now(), began_at + passed) > moment_of(order.send_by)

    async def _ack(self, order: Order) -> None:
        """Tell the gate that the order was written, where it counts from that."""
        limits = self._service.account_limits.get(order.attempt.account)
        if limits is not None and limits.spacing:
            await self._service.gates.ack(order.attempt.account, order.attempt.ref)

    async def _record(self, order: Order, result: SubmitResult, *, has_permission: bool = False) -> Submitted:
        """Write down how the submit ended; where another process has the permission, what became of that one."""
        # A process that was frozen finds its activity cancelled when it wakes: the answer is written down all the
        # same, and the slot of what was surely not sent is given back.
        recording = asyncio.create_task(self._write_down(order, result, has_permission=has_permission))
        try:
            submitted = await asyncio.shield(recording)
        except asyncio.CancelledError:
            written = await recording
            if written is not None:
                await release_after_submit(self._service, order, written)
            raise
        if submitted is None:
            submitted = await self._verdict(order, None)
        await release_after_submit(self._service, order, submitted)
        return submitted

    async def _write_down(
        self, order: Order, result: SubmitResult, *, has_permission: bool
    ) -> Submitted | None:
        async def record() -> Submitted | None:
            async with self._service.database.write(order.generation_id) as connection:
                return await answers.finish_sending(
                    connection, order, result, now(), has_permission=has_permission
                )

        try:
            return await insistently(record, during=_RECORD_WITHIN)
        except (SQLAlchemyError, OSError):
            if not isinstance(result, Accepted):
                raise
            # The id must not be lost with the database: the workflow keeps it, and the watch writes it down.
            activity.logger.exception("The database is away; the job id goes into the workflow's history")
            job = answers.job_of(order, result.job_id, now())
            return Submitted(result=result, deadline_micros=job.deadline_micros)

    @activity.defn(name=ActivityName.RESOLVE_SUBMIT)
    async def resolve_submit(self, lost: ResolveSubmit) -> Submitted:
        """Find out what became of a submit whose activity was lost."""
        await self._show_looking_up(lost.order)
        submitted = await self._verdict(lost.order, lost.job_id)
        await release_after_submit(self._service, lost.order, submitted)
        return submitted

    async def _verdict(self, order: Order, job_id: str | None) -> Submitted:
        while True:
            verdict = await self._judge(order, job_id)
            if verdict is not None:
                return verdict
            await asyncio.sleep(_ASK_AGAIN_SECONDS)

    @uninterrupted
    async def _begin(self, order: Order, moment: datetime) -> bool:
        run_id = activity.info().workflow_run_id or ""
        async with self._service.database.write(order.generation_id) as connection:
            return await fence.begin_sending(connection, order, run_id, moment)

    @uninterrupted
    async def _judge(self, order: Order, job_id: str | None) -> Submitted | None:
        async with self._service.database.write(order.generation_id) as connection:
            return await answers.verdict(connection, order, job_id, now())

    @uninterrupted
    async def _show_looking_up(self, order: Order) -> None:
        async with self._service.database.write(order.generation_id) as connection:
            await lookups.looking_up(connection, order, now())


def _woke_too_late() -> Failure:
    return Failure(
        category=Category.NETWORK,
        code=WOKE_TOO_LATE,
        detail="The sending process was held up for too long after it got the permission; it sent nothing.",
        billed=False,
    )
