"""Runway's API, as `api.dev.runwayml.com` speaks it (version 2024-11-06, facts read on 2026-11-23).

Promises: one POST per submit, never repeated; THROTTLED is waiting, not an error; failure codes are matched by
their prefix and unknown ones are the provider's fault. Refuses to guess: after a lost answer Runway cannot be
asked, since it lists no tasks and echoes no reference.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from domain.attempts.outcomes import CancelReply, JobState, JobStatus
from domain.orders.capabilities import Mode
from providers.answers import UNCLEAR, gone, is_job_id, unclear
from providers.base import (
    Accepted,
    Access,
    AfterWrite,
    BeforeWrite,
    CannotAsk,
    JobOrder,
    NotSent,
    Provider,
    ProviderError,
    Rejected,
    SubmitResult,
    Unknown,
    nothing,
)
from providers.outgoing.http import JsonBody, ask, json_of, open_client, send_once
from providers.runway.tasks import failure_of_answer, read_task

API_VERSION = "2024-11-06"
POLL_INTERVAL = timedelta(seconds=5)
"""Runway asks not to look at a task more often than every five seconds."""

SHEDDING = frozenset({503})
"""Statuses of a create after which surely no task exists: load shedding, an order turned away at the door.

Runway documents 502 as load shedding too, but that is also what a gateway answers that has lost the server behind it
after it had passed the order on: there a task may exist.
"""

_CREATE_PATHS = {Mode.TEXT: "/v1/text_to_video", Mode.IMAGE: "/v1/image_to_video"}


class Runway:
    """One Runway account."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        poll_interval: timedelta = POLL_INTERVAL,
        answer_seconds: float = 60.0,
        shedding: frozenset[int] = SHEDDING,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: Without `/v1`.
            api_key: The account's secret.
            poll_interval: Between two looks at a task.
            answer_seconds: How long a create may take to answer.
            shedding: Statuses of a create after which surely no task exists.
        """
        self._base_url = base_url.rstrip("/")
        self._key = api_key
        self._headers = {"Authorization": f"Bearer {api_key}", "X-Runway-Version": API_VERSION}
        self._poll_interval = poll_interval
        self._answer_seconds = answer_seconds
        self._shedding = shedding
        self._client = open_client(self._base_url, self._headers)

    @property
    def poll_interval(self) -> timedelta:
        """Between two looks at a task."""
        return self._poll_interval

    @property
    def listing_delay(self) -> timedelta:
        """Runway lists no tasks."""
        return timedelta()

    @property
    def output_headers(self) -> Mapping[str, str]:
        """The output's URL is signed."""
        return {}

    async def submit(
        self, order: JobOrder, before_write: BeforeWrite, after_write: AfterWrite = nothing
    ) -> SubmitResult:
        """Create a task; see `Provider.submit`."""
        answer = await send_once(
            url=self._base_url + _CREATE_PATHS[order.plan.mode],
            headers=self._headers,
            body=JsonBody(create_body(order)),
            answer_seconds=self._answer_seconds,
            before_write=before_write,
            after_write=after_write,
            client_reference=order.client_reference,
        )
        if isinstance(answer, Rejected | NotSent | Unknown):
            return answer
        return self._read_create(answer, order.client_reference)

    def _read_create(self, answer: httpx.Response, client_reference: str) -> SubmitResult:
        if answer.is_success:
            job_id = json_of(answer).get("id")
            if is_job_id(job_id):
                return Accepted(job_id=job_id)
            return unclear(client_reference, f"Runway answered {answer.status_code} without a task id.")
        is_refusal = answer.is_client_error and answer.status_code not in UNCLEAR
        if is_refusal or answer.status_code in self._shedding:
            return Rejected(failure=failure_of_answer(answer, self._key))
        detail = f"Runway answered {answer.status_code}; a task may have been created."
        return unclear(client_reference, detail)

    async def status(self, job_id: str) -> JobStatus:
        """Look at a task; see `Provider.status`."""
        answer = await ask(self._client, "GET", f"/v1/tasks/{job_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return JobStatus(state=JobState.GONE, failure=gone(f"Runway no longer knows the task {job_id}."))
        if not answer.is_success:
            raise ProviderError(failure_of_answer(answer, self._key))
        return read_task(json_of(answer), self._key)

    async def cancel(self, job_id: str, seen: JobStatus) -> CancelReply:  # noqa: ARG002 - one interface
        """Stop a task; see `Provider.cancel`. On a finished task the same verb destroys its output."""
        answer = await ask(self._client, "DELETE", f"/v1/tasks/{job_id}")
        if answer.is_success:
            return CancelReply.STOPPED
        if answer.status_code == httpx.codes.NOT_FOUND:
            return CancelReply.GONE
        if answer.status_code == httpx.codes.CONFLICT:
            return CancelReply.REFUSED
        raise ProviderError(failure_of_answer(answer, self._key))

    def cancel_is_billed(self, seen: JobStatus) -> bool | None:
        """A running task is cancelled without refund; one that still waits is refunded."""
        return seen.state is JobState.RUNNING

    async def find(self, order: JobOrder, sent_at: datetime) -> str | None:  # noqa: ARG002 - one interface
        """Runway lists no tasks."""
        raise CannotAsk(f"Runway cannot be asked what became of {order.client_reference}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def open_account(how: Access, answer_seconds: float) -> Provider:
    """Open an account; see `providers.base.OpenAccount`."""
    return Runway(
        base_url=how.base_url,
        api_key=how.api_key,
        answer_seconds=answer_seconds,
        poll_interval=POLL_INTERVAL if how.poll_interval is None else how.poll_interval,
    )


def create_body(order: JobOrder) -> dict[str, Any]:
    """Return the create request of an order, in Runway's field names."""
    plan = order.plan
    body: dict[str, Any] = {
        "model": plan.model,
        "promptText": plan.prompt,
        "ratio": f"{plan.width}:{plan.height}",
        "duration": plan.duration_seconds,
        "seed": order.seed,
    }
    if order.picture is not None:
        body["promptImage"] = f"data:image/jpeg;base64,{base64.b64encode(order.picture).decode()}"
    threshold = plan.options.get("public_figure_threshold")
    if threshold is not None:
        body["contentModeration"] = {"publicFigureThreshold": threshold}
    return body
