"""Histories of a gate that are told and not recorded: what a real server does only in a moment that nobody can hit.

A gate that is replayed must send exactly the commands that the history has; another one is a nondeterminism error.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.gate.rows import GateRows
from domain.gate.tickets import Grant, Ticket
from domain.names import GATE_WORKFLOW, ActivityName, GateSignal, SlotSignal, TaskQueue, gate_id

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)


class GateHistory:
    """A gate's history, event by event, a second apart."""

    def __init__(self, account: str = "runway") -> None:
        self._account = account
        self._events: list[HistoryEvent] = []
        self._add(
            "WORKFLOW_EXECUTION_STARTED",
            workflow_type={"name": GATE_WORKFLOW},
            task_queue={"name": TaskQueue.GENERATIONS},
            original_execution_run_id="the run",
        )

    @property
    def now(self) -> datetime:
        """When the next event happens."""
        return BEGAN + timedelta(seconds=len(self._events))

    def history(self) -> WorkflowHistory:
        """Return it as it is so far."""
        return WorkflowHistory(gate_id(self._account), self._events)

    def joins(self, ticket: Ticket) -> None:
        """A ticket's holder joins."""
        self._add("WORKFLOW_EXECUTION_SIGNALED", signal_name=GateSignal.JOIN, input=_payloads(ticket))

    def decides(self, *meanwhile: int) -> None:
        """The gate's code runs, and hears of everything so far.

        Args:
            meanwhile: Signals to holders that the server fails to deliver before the code runs.
        """
        scheduled = self._add("WORKFLOW_TASK_SCHEDULED", task_queue={"name": TaskQueue.GENERATIONS})
        for initiated in meanwhile:
            self._add("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED", initiated_event_id=initiated)
        started = self._add("WORKFLOW_TASK_STARTED", scheduled_event_id=scheduled)
        self._add("WORKFLOW_TASK_COMPLETED", scheduled_event_id=scheduled, started_event_id=started)

    def reads(self, rows: GateRows) -> None:
        """It asks for the rows of its account, and gets them."""
        scheduled = self._add(
            "ACTIVITY_TASK_SCHEDULED",
            activity_id="1",
            activity_type={"name": ActivityName.READ_GATE},
            workflow_task_completed_event_id=len(self._events),
        )
        started = self._add("ACTIVITY_TASK_STARTED", scheduled_event_id=scheduled)
        self._add(
            "ACTIVITY_TASK_COMPLETED",
            scheduled_event_id=scheduled,
            started_event_id=started,
            result=_payloads(rows),
        )

    def grants(self, grant: Grant, generation_id: str) -> int:
        """It tells a holder of its slot; return the event's number."""
        return self._add(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
            workflow_execution=WorkflowExecution(workflow_id=generation_id),
            signal_name=SlotSignal.GRANTED,
            input=_payloads(grant),
            workflow_task_completed_event_id=len(self._events),
        )

    def is_heard(self, initiated: int) -> None:
        """The holder has got what it was told."""
        self._add("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED", initiated_event_id=initiated)

    def sets_a_timer(self) -> None:
        """It will look again though nothing happens."""
        self._add(
            "TIMER_STARTED",
            timer_id="1",
            start_to_fire_timeout=timedelta(seconds=1),
            workflow_task_completed_event_id=len(self._events),
        )

    def _add(self, kind: str, **attributes: Any) -> int:
        number = len(self._events) + 1
        event = HistoryEvent(event_id=number, event_type=EventType.Value(f"EVENT_TYPE_{kind}"))
        event.event_time.FromDatetime(self.now)
        field = getattr(event, f"{kind.lower()}_event_attributes")
        self._events.append(event)
        field.MergeFrom(type(field)(**attributes))
        return number


def _payloads(value: object) -> Payloads:
    return Payloads(payloads=pydantic_data_converter.payload_converter.to_payloads([value]))
