"""Stable Video over Stability's REST wire: `/v2beta/image-to-video` (facts read on 2026-11-23).

The hosted API was switched off on 2025-07-24; what is spoken to today is a server of one's own. A form makes a
job, and one address is both poll and download: 202 while the job runs, then the video itself.

Promises: one POST per submit, never repeated; through a retired door nothing is sent, be it an order or a
question; the key is in no failure, even where the server repeats it. The wire has no word for failure, so an
answer ends a job only if it is surely about the job: an error in the wire's own form. Refuses to guess: after a
lost answer nothing can be asked, since this wire lists no jobs and echoes no reference.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import httpx

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import CancelReply, JobState, JobStatus
from domain.orders.line_up.stable_video import RETIREMENT
from domain.orders.params import Plain
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
from providers.outgoing.http import FormBody, ask, json_of, open_client, send_once
from providers.stable_video.answers import error_of, failure_of, read_result

POLL_INTERVAL = timedelta(seconds=10)
"""Stability asked not to look at a job more often than every ten seconds."""

LOOKS_AT_A_BROKEN_JOB = 5
"""How many answers of 500 in a row are a failed job, and no longer a server that may recover."""

_PATH: Final = "/v2beta/image-to-video"
_OPTIONS: Final = ("cfg_scale", "motion_bucket_id")
_MAX_REMEMBERED: Final = 1000
_OF_A_JOB: Final = frozenset({400, 403, 413, 422})
"""Errors that are about a job for good; all others are about the question, and it may be asked again."""


class Stability:
    """One account at a server that speaks Stability's wire."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        poll_interval: timedelta = POLL_INTERVAL,
        answer_seconds: float = 60.0,
        is_retired: bool = False,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: Without `/v2beta`.
            api_key: The account's secret; empty where the server asks for none.
            poll_interval: Between two looks at a job.
            answer_seconds: How long a create may take to answer.
            is_retired: The server no longer makes videos: nothing is sent to it.
        """
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._poll_interval = poll_interval
        self._answer_seconds = answer_seconds
        self._is_retired = is_retired
        self._client = open_client(self._base_url, self._headers)
        # Answers of 500 in a row, by job; the job that answered so last stands last.
        self._broken: dict[str, int] = {}

    @property
    def poll_interval(self) -> timedelta:
        """Between two looks at a job."""
        return self._poll_interval

    @property
    def listing_delay(self) -> timedelta:
        """This wire lists no jobs."""
        return timedelta()

    @property
    def output_headers(self) -> Mapping[str, str]:
        """The output lies behind the same door as everything else, and comes as it is only if asked for so."""
        return {**self._headers, "Accept": "video/*"}

    async def submit(
        self, order: JobOrder, before_write: BeforeWrite, after_write: AfterWrite = nothing
    ) -> SubmitResult:
        """Make a job; see `Provider.submit`. Nothing is sent through a retired door, or without a picture."""
        if self._is_retired:
            return NotSent(failure=_retired())
        if order.picture is None:
            return NotSent(failure=_without_picture())
        answer = await send_once(
            url=self._base_url + _PATH,
            headers=self._headers,
            body=FormBody(fields=form_fields(order), picture=order.picture),
            answer_seconds=self._answer_seconds,
            before_write=before_write,
            after_write=after_write,
            client_reference=order.client_reference,
        )
        if isinstance(answer, Rejected | NotSent | Unknown):
            return answer
        return self._read_create(answer, order.client_reference)

    def _read_create(self, answer: httpx.Response, client_reference: str) -> SubmitResult:
        status = answer.status_code
        if answer.is_success:
            job_id = json_of(answer).get("id")
            if is_job_id(job_id):
                return Accepted(job_id=job_id)
            return unclear(client_reference, f"Stable Video answered {status} without a usable job id.")
        if answer.is_client_error and status not in UNCLEAR:
            failure = failure_of(answer, self._api_key, billed=False)
            return Rejected(failure=_no_such_door(failure) if status == httpx.codes.NOT_FOUND else failure)
        return unclear(client_reference, f"Stable Video answered {status}; a job may have been created.")

    async def status(self, job_id: str) -> JobStatus:
        """Look at a job; see `Provider.status`. A video that is ready is not read."""
        if self._is_retired:
            raise ProviderError(_retired())
        path = f"{_PATH}/result/{job_id}"
        answer = await ask(self._client, "GET", path, headers={"Accept": "video/*"})
        error = error_of(answer)
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR and error.is_whole:
            return self._broken_look(job_id, answer)
        self._broken.pop(job_id, None)
        match answer.status_code:
            case httpx.codes.ACCEPTED:
                return JobStatus(state=JobState.RUNNING)
            case httpx.codes.OK:
                return read_result(answer, self._base_url + path)
            case httpx.codes.NOT_FOUND:
                detail = f"Stable Video no longer knows the job {job_id}; results are kept for 24 hours."
                return JobStatus(state=JobState.GONE, failure=gone(detail))
        failure = failure_of(answer, self._api_key, billed=None)
        is_of_the_job = answer.status_code in _OF_A_JOB and failure.category is not Category.AUTH
        if is_of_the_job and error.is_whole:
            return JobStatus(state=JobState.FAILED, failure=failure)
        raise ProviderError(failure)

    def _broken_look(self, job_id: str, answer: httpx.Response) -> JobStatus:
        """Read a 500 in the wire's own form: it is what a failed job answers for ever, and a broken server for a while.

        Raises:
            ProviderError: It may yet be the server.
        """
        failure = failure_of(answer, self._api_key, billed=None)
        count = min(self._broken.pop(job_id, 0) + 1, LOOKS_AT_A_BROKEN_JOB)
        self._broken[job_id] = count
        if len(self._broken) > _MAX_REMEMBERED:
            del self._broken[next(iter(self._broken))]
        if count < LOOKS_AT_A_BROKEN_JOB:
            raise ProviderError(failure)
        return JobStatus(state=JobState.FAILED, failure=failure)

    async def cancel(self, job_id: str, seen: JobStatus) -> CancelReply:  # noqa: ARG002 - one interface
        """Nothing can be stopped on this wire."""
        return CancelReply.REFUSED

    def cancel_is_billed(self, seen: JobStatus) -> bool | None:  # noqa: ARG002 - one interface
        """Nothing can be stopped, so nothing is known of its bill."""
        return None

    async def find(self, order: JobOrder, sent_at: datetime) -> str | None:  # noqa: ARG002 - one interface
        """This wire lists no jobs."""
        raise CannotAsk(f"Stable Video cannot be asked what became of {order.client_reference}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def open_account(how: Access, answer_seconds: float) -> Provider:
    """Open an account; see `providers.base.OpenAccount`."""
    return Stability(
        base_url=how.base_url,
        api_key=how.api_key,
        answer_seconds=answer_seconds,
        poll_interval=POLL_INTERVAL if how.poll_interval is None else how.poll_interval,
        is_retired=how.is_retired,
    )


def form_fields(order: JobOrder) -> Mapping[str, str]:
    """Return the text fields of an order's form; an option that was not given is left to the server."""
    given = {name: order.plan.options[name] for name in _OPTIONS if name in order.plan.options}
    return {"seed": str(order.seed), **{name: _written(value) for name, value in given.items()}}


def _written(value: Plain) -> str:
    """Return a number in plain digits: forms are no place for exponents."""
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


def _retired() -> Failure:
    detail = f"Nothing was sent: this door is closed since {RETIREMENT.on:%Y-%m-%d}. {RETIREMENT.instead}"
    return Failure(category=Category.RETIRED, code="api_retired", detail=detail, billed=False)


def _without_picture() -> Failure:
    detail = "Stable Video makes videos from a picture only, and the order has none; nothing was sent."
    return Failure(category=Category.VALIDATION, code="image_required", detail=detail, billed=False)


def _no_such_door(failure: Failure) -> Failure:
    detail = f"The server at this account's base URL has no Stable Video. {failure.detail}"
    return failure.model_copy(update={"detail": detail})
