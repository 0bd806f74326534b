"""ByteDance Seedance on ModelArk, in its international and its Chinese edition (facts read on 2026-11-23).

Promises: one POST per submit, never repeated, and no other path than the documented ones, since a POST below the
tasks' path may start a paid task. After a lost answer the list of tasks is searched for our reference, which
`safety_identifier` carries, and for the attempt's seed; see `providers.seedance.search`.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from domain.attempts.failures import Category
from domain.attempts.outcomes import CancelReply, JobState, JobStatus
from domain.costs.pricing import repriced
from domain.orders.capabilities import SILENT_OPTION
from domain.orders.line_up.seedance import SEEDANCE
from providers.answers import UNCLEAR, gone, is_job_id, unclear
from providers.base import (
    Accepted,
    Access,
    AfterWrite,
    BeforeWrite,
    JobOrder,
    NotSent,
    NotYetClear,
    Provider,
    ProviderError,
    Rejected,
    SubmitResult,
    Unknown,
    nothing,
)
from providers.outgoing.http import JsonBody, ask, json_of, open_client, send_once
from providers.seedance.errors import RUNNING_TASK, failure_of_answer, said_in
from providers.seedance.search import Search
from providers.seedance.tasks import PRICES, TokenPrices, model_name, read_task, token_prices

TASKS = "/api/v3/contents/generations/tasks"

POLL_INTERVAL = timedelta(seconds=5)
"""Our own caution: no pace is documented."""

LISTING_DELAY = timedelta(seconds=60)
"""Our own caution: how soon a new task is listed is not documented."""

PAGE_SIZE = 100
MAX_PAGES = 20

_CHINA = "volces.com"
_NO_RATIO_BESIDE_A_PICTURE = frozenset({"dreamina-seedance-2-5-260628"})
"""Models that refuse a ratio together with a first frame."""


class Seedance:
    """One Seedance account."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        poll_interval: timedelta = POLL_INTERVAL,
        listing_delay: timedelta = LISTING_DELAY,
        answer_seconds: float = 60.0,
        prices: TokenPrices = PRICES,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: Without `/api/v3`; a host of `volces.com` is the Chinese edition.
            api_key: The account's secret; it is bound to one edition.
            poll_interval: Between two looks at a task.
            listing_delay: How long a new task may be missing from the list.
            answer_seconds: How long a create may take to answer.
            prices: Of a million tokens, to turn what a task reports into a bill.
        """
        self._prices = prices
        self._base_url = base_url.rstrip("/").removesuffix("/api/v3")
        self._in_china = is_in_china(self._base_url)
        self._key = api_key
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._poll_interval = poll_interval
        self._listing_delay = listing_delay
        self._answer_seconds = answer_seconds
        self._client = open_client(self._base_url, self._headers)

    @property
    def poll_interval(self) -> timedelta:
        """Between two looks at a task."""
        return self._poll_interval

    @property
    def listing_delay(self) -> timedelta:
        """How long a new task may be missing from the list."""
        return self._listing_delay

    @property
    def output_headers(self) -> Mapping[str, str]:
        """The output's URL is signed, for a day."""
        return {}

    async def submit(
        self, order: JobOrder, before_write: BeforeWrite, after_write: AfterWrite = nothing
    ) -> SubmitResult:
        """Create a task; see `Provider.submit`."""
        answer = await send_once(
            url=self._base_url + TASKS,
            headers=self._headers,
            body=JsonBody(create_body(order, in_china=self._in_china)),
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
            return unclear(client_reference, f"Seedance answered {status} without a task id.")
        failure = failure_of_answer(answer, self._key)
        # A client error that says it is the server's is none.
        is_refusal = answer.is_client_error and failure.category is not Category.SERVER_ERROR
        if is_refusal and status not in UNCLEAR:
            return Rejected(failure=failure)
        said = f" ({failure.code})" if failure.code != f"http_{status}" else ""
        return unclear(client_reference, f"Seedance answered {status}{said}; a task may have been created.")

    async def status(self, job_id: str) -> JobStatus:
        """Look at a task; see `Provider.status`. Seedance keeps tasks for about seven days."""
        answer = await ask(self._client, "GET", f"{TASKS}/{job_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            failure = gone(f"Seedance no longer knows the task {job_id}.")
            return JobStatus(state=JobState.GONE, failure=failure)
        if not answer.is_success:
            raise ProviderError(failure_of_answer(answer, self._key))
        return read_task(json_of(answer), self._key, self._prices)

    async def cancel(self, job_id: str, seen: JobStatus) -> CancelReply:
        """Take a task out of the queue; see `Provider.cancel`.

        A running task cannot be stopped, so nothing is sent: on a task that has come to its end meanwhile the same verb
        removes the record, and with it the way to an output that is paid.
        """
        if seen.state is not JobState.QUEUED:
            return CancelReply.REFUSED
        answer = await ask(self._client, "DELETE", f"{TASKS}/{job_id}")
        if answer.is_success:
            return CancelReply.STOPPED
        if answer.status_code == httpx.codes.NOT_FOUND:
            return CancelReply.GONE
        if answer.status_code == httpx.codes.CONFLICT or said_in(json_of(answer)).code == RUNNING_TASK:
            return CancelReply.REFUSED
        raise ProviderError(failure_of_answer(answer, self._key))

    def cancel_is_billed(self, seen: JobStatus) -> bool | None:  # noqa: ARG002 - one interface
        """Only a task that waits can be stopped, and that costs nothing."""
        return False

    async def find(self, order: JobOrder, sent_at: datetime) -> str | None:
        """Search the list of tasks for an order; see `Provider.find`.

        The whole list is read, without a filter: by which of a model's names it filters is not certain, and an empty
        answer would be taken for a proof that there is no task.
        """
        search = Search(order, sent_at)
        for page_number in range(1, MAX_PAGES + 1):
            params = {"page_num": page_number, "page_size": PAGE_SIZE}
            answer = await ask(self._client, "GET", TASKS, params=params)
            if not answer.is_success:
                raise ProviderError(failure_of_answer(answer, self._key))
            search.read(json_of(answer))
            if search.found is not None:
                return search.found
            if search.is_complete:
                return search.conclude()
        raise NotYetClear(f"Seedance lists more tasks than can be searched for {order.client_reference}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def open_account(how: Access, answer_seconds: float) -> Provider:
    """Open an account; see `providers.base.OpenAccount`."""
    return Seedance(
        base_url=how.base_url,
        api_key=how.api_key,
        answer_seconds=answer_seconds,
        poll_interval=POLL_INTERVAL if how.poll_interval is None else how.poll_interval,
        listing_delay=LISTING_DELAY if how.listing_delay is None else how.listing_delay,
        prices=token_prices(repriced(SEEDANCE, how.prices)),
    )


def is_in_china(base_url: str) -> bool:
    """Tell whether an address is of the Chinese edition."""
    host = urlsplit(base_url).hostname or ""
    return host == _CHINA or host.endswith(f".{_CHINA}")


def create_body(order: JobOrder, *, in_china: bool = False) -> dict[str, Any]:
    """Return the create request of an order, in Seedance's field names and without nulls."""
    plan = order.plan
    content: list[dict[str, Any]] = [{"type": "text", "text": plan.prompt}]
    body: dict[str, Any] = {
        "model": f"doubao-{model_name(plan.model)}" if in_china else plan.model,
        "content": content,
        "resolution": plan.resolution,
        "ratio": plan.aspect_ratio,
        "duration": plan.duration_seconds,
        "seed": order.seed,
        "camera_fixed": plan.camera_fixed,
        "watermark": plan.options.get("watermark", False),
        "generate_audio": plan.options.get(SILENT_OPTION),
        "safety_identifier": order.client_reference,
    }
    if order.picture is not None:
        url = f"data:image/jpeg;base64,{base64.b64encode(order.picture).decode()}"
        content.append({"type": "image_url", "image_url": {"url": url}, "role": "first_frame"})
        if plan.model in _NO_RATIO_BESIDE_A_PICTURE:
            del body["ratio"]
    return {name: value for name, value in body.items() if value is not None}
