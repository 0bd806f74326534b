"""Runway's API, as `api.dev.runwayml.com` speaks it (version 2024-11-06, facts read on 2026-11-23).

Promises: one POST per submit, never repeated; THROTTLED is waiting, not an error; failure codes are matched by
their prefix and unknown ones are the provider's fault. Refuses to guess: after a lost answer Runway cannot be
asked, since it lists no tasks and echoes no reference.
"""

import math
import re
from datetime import timedelta
from typing import Any, TypeGuard

import httpx

from domain.capabilities import Mode
from domain.failures import Category, Failure
from domain.outcomes import CancelReply, JobState, JobStatus
from providers.base import (
    Accepted,
    BeforeWrite,
    CannotAsk,
    JobOrder,
    NotSent,
    ProviderError,
    Rejected,
    SubmitResult,
    Unknown,
)
from providers.http import ask, json_of, open_client, retry_after_seconds, send_once

API_VERSION = "2024-11-06"
POLL_INTERVAL = timedelta(seconds=5)
"""Runway asks not to look at a task more often than every five seconds."""

SHEDDING = frozenset({503})
"""Statuses of a create after which surely no task exists: load shedding, an order turned away at the door.

Runway documents 502 as load shedding too, but that is also what a gateway answers that has lost the server behind it
after it had passed the order on: there a task may exist.
"""

UNCLEAR = frozenset({408, 425, 499})
"""Client errors that a proxy may answer after it has passed the order on."""

_CREDIT_MICROS = 10_000
_MAX_CREDITS = 10**9  # ten million dollars: whatever says more is no bill
_CREATE_PATHS = {Mode.TEXT: "/v1/text_to_video", Mode.IMAGE: "/v1/image_to_video"}

_STATES = {
    "PENDING": JobState.QUEUED,
    "THROTTLED": JobState.QUEUED,
    "RUNNING": JobState.RUNNING,
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
    "CANCELLED": JobState.CANCELLED,
    "CANCELED": JobState.CANCELLED,
}

# Longest prefix first. The second value: whether Runway bills it (None: it does not say).
_FAILURE_CODES: tuple[tuple[str, Category, bool | None], ...] = (
    ("INPUT_PREPROCESSING.SAFETY", Category.CONTENT_POLICY, None),
    ("INPUT_PREPROCESSING.INTERNAL", Category.SERVER_ERROR, None),
    ("SAFETY.INPUT", Category.CONTENT_POLICY, True),
    ("SAFETY.OUTPUT", Category.CONTENT_POLICY, False),
    ("SAFETY", Category.CONTENT_POLICY, None),
    ("THIRD_PARTY.UNAVAILABLE", Category.CAPACITY, None),
    ("THIRD_PARTY.INPUT_VALIDATION", Category.VALIDATION, None),
    ("ASSET.INVALID", Category.VALIDATION, None),
    ("INTERNAL.BAD_OUTPUT", Category.SERVER_ERROR, False),
    ("INTERNAL", Category.SERVER_ERROR, None),
)

_STATUS_CATEGORIES = {
    400: Category.VALIDATION,
    401: Category.AUTH,
    403: Category.AUTH,
    404: Category.VALIDATION,
    405: Category.VALIDATION,
    422: Category.VALIDATION,
    429: Category.RATE_LIMIT,
    502: Category.CAPACITY,
    503: Category.CAPACITY,
    504: Category.CAPACITY,
}


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
        self._headers = {"Authorization": f"Bearer {api_key}", "X-Runway-Version": API_VERSION}
        self._poll_interval = poll_interval
        self._answer_seconds = answer_seconds
        self._shedding = shedding
        self._client = open_client(self._base_url, self._headers)

    @property
    def poll_interval(self) -> timedelta:
        """Between two looks at a task."""
        return self._poll_interval

    async def submit(self, order: JobOrder, before_write: BeforeWrite) -> SubmitResult:
        """Create a task; see `Provider.submit`."""
        answer = await send_once(
            url=self._base_url + _CREATE_PATHS[order.plan.mode],
            headers=self._headers,
            body=create_body(order),
            answer_seconds=self._answer_seconds,
            before_write=before_write,
            client_reference=order.client_reference,
        )
        if isinstance(answer, Rejected | NotSent | Unknown):
            return answer
        return self._read_create(answer, order.client_reference)

    def _read_create(self, answer: httpx.Response, client_reference: str) -> SubmitResult:
        if answer.is_success:
            job_id = json_of(answer).get("id")
            if _is_task_id(job_id):
                return Accepted(job_id=job_id)
            return _unclear(client_reference, f"Runway answered {answer.status_code} without a task id.")
        is_refusal = answer.is_client_error and answer.status_code not in UNCLEAR
        if is_refusal or answer.status_code in self._shedding:
            return Rejected(failure=failure_of_answer(answer))
        return _unclear(
            client_reference, f"Runway answered {answer.status_code}; a task may have been created."
        )

    async def status(self, job_id: str) -> JobStatus:
        """Look at a task; see `Provider.status`."""
        answer = await ask(self._client, "GET", f"/v1/tasks/{job_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return JobStatus(state=JobState.GONE, failure=_gone(job_id))
        if not answer.is_success:
            raise ProviderError(failure_of_answer(answer))
        return read_task(json_of(answer))

    async def cancel(self, job_id: str) -> CancelReply:
        """Stop a task; see `Provider.cancel`. On a finished task the same verb destroys its output."""
        answer = await ask(self._client, "DELETE", f"/v1/tasks/{job_id}")
        if answer.is_success:
            return CancelReply.STOPPED
        if answer.status_code == httpx.codes.NOT_FOUND:
            return CancelReply.GONE
        if answer.status_code == httpx.codes.CONFLICT:
            return CancelReply.REFUSED
        raise ProviderError(failure_of_answer(answer))

    def cancel_is_billed(self, seen: JobStatus) -> bool | None:
        """A running task is cancelled without refund; one that still waits is refunded."""
        return seen.state is JobState.RUNNING

    async def find(self, order: JobOrder) -> str | None:
        """Runway lists no tasks."""
        raise CannotAsk(f"Runway cannot be asked what became of {order.client_reference}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def create_body(order: JobOrder) -> dict[str, Any]:
    """Return the create request of an order, in Runway's field names."""
    plan = order.plan
    body: dict[str, Any] = {
        "model": plan.model,
        "promptText": plan.prompt,
        "ratio": f"{plan.width}:{plan.height}",
        "duration": plan.duration_seconds,
        "seed": plan.seed,
    }
    if plan.mode is Mode.IMAGE:
        body["promptImage"] = plan.image_url
    return body


def read_task(task: dict[str, Any]) -> JobStatus:
    """Translate a task object.

    Raises:
        ProviderError: It has no status that is known; asking again is harmless.
    """
    state = _STATES.get(str(task.get("status")))
    if state is None:
        raise ProviderError(
            Failure(
                category=Category.SERVER_ERROR,
                code="unknown_status",
                detail=f"Runway answered with the unknown status {task.get('status')!r:.40}.",
            )
        )
    output = task.get("output")
    urls = [url for url in output if isinstance(url, str)] if isinstance(output, list) else []
    return JobStatus(
        state=state,
        progress_percent=_percent(task.get("progress")),
        output_url=urls[0] if urls else None,
        failure=_failure_of_task(task) if state in {JobState.FAILED, JobState.CANCELLED} else None,
        cost=_cost(task.get("cost")) if state.is_over else None,
    )


def _is_task_id(job_id: object) -> TypeGuard[str]:
    """A task id is a UUID; anything that fits a path and a column will do."""
    return isinstance(job_id, str) and re.fullmatch(r"[\w.:~-]{1,255}", job_id, re.ASCII) is not None


def _percent(progress: object) -> int | None:
    """Runway's examples count from 0 to 1; a number above 1 can only be a percentage."""
    if isinstance(progress, bool) or not isinstance(progress, int | float) or not 0 <= progress < math.inf:
        return None
    return round(min(100, progress * 100 if progress <= 1 else progress))


def _cost(cost: object) -> int | None:
    credits_used = cost.get("credits") if isinstance(cost, dict) else None
    if isinstance(credits_used, bool) or not isinstance(credits_used, int | float):
        return None
    if not 0 <= credits_used <= _MAX_CREDITS:
        return None
    return round(credits_used * _CREDIT_MICROS)


def _failure_of_task(task: dict[str, Any]) -> Failure:
    if task.get("status") != "FAILED":
        return Failure(
            category=Category.SERVER_ERROR,
            code="cancelled_at_provider",
            detail="The task was cancelled at Runway, and not by us.",
        )
    code = str(task.get("failureCode") or "UNKNOWN")
    category, is_billed = next(
        (
            (category, is_billed)
            for prefix, category, is_billed in _FAILURE_CODES
            if code == prefix or code.startswith(f"{prefix}.")
        ),
        (Category.SERVER_ERROR, None),
    )
    if category is Category.CONTENT_POLICY:
        # The last part of a safety code is a best guess, which Runway asks not to show to users.
        code = ".".join(code.split(".")[:2])
    return Failure(
        category=category,
        code=code,
        detail=str(task.get("failure") or f"Runway failed with {code}.")[:500],
        billed=is_billed,
    )


def failure_of_answer(answer: httpx.Response) -> Failure:
    """Translate an HTTP error."""
    status = answer.status_code
    text = str(json_of(answer).get("error") or "").strip()
    category = _STATUS_CATEGORIES.get(status, Category.SERVER_ERROR)
    if status == httpx.codes.BAD_REQUEST and "credit" in text.lower():
        category = Category.QUOTA
    if status == httpx.codes.TOO_MANY_REQUESTS and "daily" in text.lower():
        category = Category.QUOTA
    return Failure(
        category=category,
        code=f"http_{status}",
        detail=f"Runway answered {status}: {text[:400]}" if text else f"Runway answered {status}.",
        retry_after_seconds=retry_after_seconds(answer),
        billed=False,
    )


def _gone(job_id: str) -> Failure:
    return Failure(
        category=Category.SERVER_ERROR,
        code="job_gone",
        detail=f"Runway no longer knows the task {job_id}.",
    )


def _unclear(client_reference: str, detail: str) -> Unknown:
    failure = Failure(category=Category.SUBMISSION_UNKNOWN, code="unclear_answer", detail=detail)
    return Unknown(client_reference=client_reference, failure=failure)
