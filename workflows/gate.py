"""The gate of one account: a durable queue, its slots, its pace, and its breaker.

Wiring only: signals edit the state of `domain.gate.admission`, one loop asks it what is due, and slots are granted by
signals that go out at once, side by side. What waits is in SQL, so a gate that starts anew reads it there; one that
goes on carries its slots, pace and breaker.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.gate.admission import Admission
    from domain.gate.rows import GateNews, GateRows, LeasesToJudge, TicketsWanted
    from domain.gate.status import GateStatus, StatusWanted
    from domain.gate.tickets import AccountLimits, BreakerState, GateRecord, Release, Ticket
    from domain.moments import micros_in, micros_of, moment_of
    from domain.names import GATE_WORKFLOW, STATUS_QUERY, GateSignal

    from workflows import calls
    from workflows.errands import Errands

_ACCOUNT = ""
"""Stands for the account among the tenants of which was said whether they are paused."""

MAX_EVENTS = 2_000
"""A history of this length is left behind, for a new run that goes on.

A worker that takes the gate over plays all of it again, and has 10 seconds for that on the slowest machine.
"""


@workflow.defn(name=GATE_WORKFLOW)
class ProviderGate:
    """Admits attempts to the account that its workflow id names; it never ends by itself."""

    @workflow.init
    def __init__(self, carried: GateRecord | None = None) -> None:
        self._account = workflow.info().workflow_id.partition("/")[2]
        self._is_carried = carried is not None
        self._admission = Admission(carried.limits if carried else AccountLimits(), carried)
        self._is_ready = False
        # What was said before the rows were read, and is newer than they are.
        self._released: dict[str, None] = {}
        self._joined: dict[str, Ticket] = {}
        self._controls: dict[str, None] = {}
        self._changed = False
        self._errands = Errands(self._account, self._unheard)
        self._timer: asyncio.Task[None] | None = None
        self._timer_at = 0
        self._news = self._news_now()
        self._is_writing = False

    @workflow.run
    async def run(self, carried: GateRecord | None = None) -> None:  # noqa: ARG002 - taken by __init__
        """Admit, until the history is long; then go on in a new run."""
        await self._begin()
        while True:
            self._changed = False
            self._decide()
            if self._is_long() and not self._changed:
                break
            await workflow.wait_condition(lambda: self._changed)
        # What was granted is on its way before this run ends: a signal from an ending task would be lost.
        await workflow.wait_condition(lambda: self._errands.are_done)
        workflow.continue_as_new(self._admission.record())

    @workflow.signal(name=GateSignal.JOIN)
    def join(self, ticket: Ticket) -> None:
        """Put a ticket into the queue; one that was granted already is told so again."""
        again = self._admission.join(ticket, self._now())
        if not self._is_ready:
            self._joined[ticket.ref] = ticket
        elif again is not None:
            self._errands.offer(again)
        self._changed = True

    @workflow.signal(name=GateSignal.ACK)
    def ack(self, ref: str) -> None:
        """An order was written: the next one's turn is counted from now."""
        self._admission.ack(ref, self._now())
        self._changed = True

    @workflow.signal(name=GateSignal.RELEASE)
    def release(self, release: Release) -> None:
        """A slot is given back, or a ticket withdrawn."""
        if not self._is_ready and release.hold_until is None:
            self._released[release.ref] = None
            self._joined.pop(release.ref, None)
        self._admission.release(release, self._now())
        self._changed = True

    @workflow.signal(name=GateSignal.PAUSE)
    def pause(self, reason: str = "Paused by an operator.") -> None:
        """Let no more orders through; what runs is not touched."""
        self._controls[_ACCOUNT] = None
        self._admission.pause(reason)
        self._changed = True

    @workflow.signal(name=GateSignal.RESUME)
    def resume(self) -> None:
        """Go on."""
        self._controls[_ACCOUNT] = None
        self._admission.resume()
        self._changed = True

    @workflow.signal(name=GateSignal.PAUSE_TENANT)
    def pause_tenant(self, tenant_id: str) -> None:
        """Pass a tenant's tickets over."""
        self._controls[tenant_id] = None
        self._admission.pause_tenant(tenant_id)
        self._changed = True

    @workflow.signal(name=GateSignal.RESUME_TENANT)
    def resume_tenant(self, tenant_id: str) -> None:
        """Serve them again."""
        self._controls[tenant_id] = None
        self._admission.resume_tenant(tenant_id)
        self._changed = True

    @workflow.signal(name=GateSignal.CONFIGURE)
    def configure(self, limits: AccountLimits) -> None:
        """Take what the account can bear from now on."""
        self._admission.configure(limits)
        self._changed = True

    @workflow.signal(name=GateSignal.RESET_BREAKER)
    def reset_breaker(self) -> None:
        """Close the breaker and forget the faults."""
        self._admission.reset_breaker(self._now())
        self._changed = True

    @workflow.query(name=STATUS_QUERY)
    def status(self, wanted: StatusWanted | None = None) -> GateStatus:
        """Tell how the gate stands, and who waits for what."""
        return self._admission.status(self._account, wanted or StatusWanted(), self._now())

    async def _begin(self) -> None:
        """Take over from the run before, or from SQL where there is none.

        Where a gate ran before and its state is lost, somebody may hold a grant of it. Nothing is granted until that
        can no longer be used, and the rows are read after that.
        """
        rows = await calls.read_gate(TicketsWanted(account=self._account))
        self._admission.configure(rows.limits)
        if not self._is_carried and not rows.is_new:
            quiet = rows.limits.send_within + rows.limits.spacing
            self._admission.be_quiet_until(self._now() + micros_in(quiet))
            await workflow.sleep(quiet, summary="an earlier gate's grants run out")
            rows = await calls.read_gate(TicketsWanted(account=self._account))
        if not self._is_carried:
            self._take_over(rows)
        while True:
            for ticket in rows.tickets:
                if ticket.ref not in self._released:
                    self._admission.join(ticket, self._now())
            if not rows.has_more:
                break
            rows = await calls.read_gate(TicketsWanted(account=self._account, after=rows.tickets[-1].ref))
        self._is_ready = True
        for ticket in self._joined.values():
            again = self._admission.join(ticket, self._now())
            if again is not None:
                self._errands.offer(again)
        self._released.clear()
        self._joined.clear()
        self._controls.clear()

    def _take_over(self, rows: GateRows) -> None:
        breaker = rows.breaker
        if breaker.state is BreakerState.HALF_OPEN:
            # Its probe is nobody's by now: the next order is one.
            breaker = breaker.model_copy(update={"state": BreakerState.OPEN, "until": self._now()})
        record = self._admission.record().model_copy(
            update={
                "breaker": breaker,
                "hold_off_until": rows.hold_off_until,
                "job_seconds": rows.job_seconds,
            }
        )
        self._admission = Admission(rows.limits, record)
        for ticket in self._joined.values():
            self._admission.join(ticket, self._now())
        for lease in rows.leases:
            if lease.ref not in self._released:
                self._admission.restore(lease)
        if rows.pause_reason is not None and _ACCOUNT not in self._controls:
            self._admission.pause(rows.pause_reason)
        for tenant_id in rows.paused_tenants:
            if tenant_id not in self._controls:
                self._admission.pause_tenant(tenant_id)

    def _decide(self) -> None:
        """Do what is due, and see to it that somebody looks when time alone makes something due."""
        step = self._admission.step(self._now())
        self._errands.tell(step.refusals, step.grants)
        if step.judge:
            self._errands.spawn(self._judge(step.judge))
        self._wake_at(step.wake_at)
        if self._news_now() != self._news and not self._is_writing:
            self._errands.spawn(self._write_news())
        self._show()

    def _unheard(self, ref: str) -> None:
        """A grant reached nobody: its slot and its turn are free again."""
        self._admission.release(Release(ref=ref, was_sent=False), self._now())
        self._changed = True

    async def _write_news(self) -> None:
        """Write down how the gate stands, one word after another: an older one must not come last."""
        self._is_writing = True
        while (news := self._news_now()) != self._news:
            self._news = news
            await calls.write_gate(news)
        self._is_writing = False

    async def _judge(self, refs: tuple[str, ...]) -> None:
        answer = await calls.judge_leases(LeasesToJudge(account=self._account, refs=refs))
        for verdict in answer.verdicts:
            self._admission.judged(verdict, self._now())
        self._changed = True

    def _wake_at(self, moment: int | None) -> None:
        """Have one timer at most; one that is early is left alone, since each costs two events."""
        if moment is None or (
            self._timer is not None and not self._timer.done() and self._timer_at <= moment
        ):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = moment
        self._timer = asyncio.create_task(self._sleep_until(moment))

    async def _sleep_until(self, moment: int) -> None:
        await workflow.sleep(max(moment_of(moment) - workflow.now(), timedelta(milliseconds=1)))
        self._changed = True

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.get_current_history_length() > MAX_EVENTS or info.is_continue_as_new_suggested()

    def _news_now(self) -> GateNews:
        gate = self._admission
        return GateNews(account=self._account, breaker=gate.breaker, hold_off_until=gate.hold_off_until)

    def _show(self) -> None:
        """Show in the Temporal UI how the gate stands; costs no events."""
        status = self._admission.status(self._account, StatusWanted(limit=0), self._now())
        slots = f"{len(status.leases)} of {status.limits.max_concurrent} slots in use"
        lines = [f"**{slots}, {status.waiting_count} waiting**", ""]
        if status.pause_reason is not None:
            lines.append(f"- paused: {status.pause_reason}")
        if status.breaker.state is not BreakerState.CLOSED:
            until = (
                "" if status.breaker.until is None else f" until {moment_of(status.breaker.until):%H:%M:%S}"
            )
            lines.append(f"- the breaker is {status.breaker.state}{until} ({status.breaker.cause})")
        lines += [f"- {lease.ref}" for lease in status.leases[:20]]
        workflow.set_current_details("\n".join(lines))

    @staticmethod
    def _now() -> int:
        return micros_of(workflow.now())
