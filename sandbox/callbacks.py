"""Tells clients of their jobs' changes: one task that wakes at the next change, and one for each delivery.

Nothing runs while a job runs, so the changes are read off the records: a job starts, a job ends. What a
provider says about a job at such a moment it has told us with `describe`.

Promises: a start is told once; an end is told again, three times, until the receiver confirms it with a 2xx
in time. A receiver that is down or slow holds up no other. Being queued or cancelled is not told.
Refuses: every address that is not of this machine, and to sign anything. What changed while the process was
down is never told.
"""

from __future__ import annotations

import asyncio
import heapq
import ipaddress
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

import httpx
from pydantic import JsonValue

from sandbox.jobbook import JobBook
from sandbox.jobs import Callback, Job, State

Describe = Callable[[Job, float, str], JsonValue]
"""What a provider tells of a job, for a moment in unix seconds and the base URL of addresses in it."""

_RETRIES: Final = 3
_LOOK_AGAIN_SECONDS: Final = 0.1  # at a throttled job: when its turn comes is not known before
_OK: Final = range(200, 300)


def is_allowed(url: str) -> bool:
    """Whether the sandbox would call this address: plain HTTP on this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme != "http" or port == 0:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Callbacks:
    """The callbacks of all providers. Belongs to the event loop of the jobs.

    Args:
        jobs: The jobs that it looks at.
        patience_seconds: How long a receiver may take to confirm.
    """

    def __init__(self, jobs: JobBook, patience_seconds: float) -> None:
        self._jobs = jobs
        self._patience_seconds = patience_seconds
        self._describe: dict[str, Describe] = {}
        self._looks: list[tuple[float, str, str]] = []
        self._is_news = asyncio.Event()
        self._deliveries: set[asyncio.Task[None]] = set()

    def describe(self, provider: str, describe: Describe) -> None:
        """Takes the words in which a provider tells of a job."""
        self._describe[provider] = describe

    def expect(self, job: Job) -> None:
        """Begins to watch a job, if somebody wants to hear of it."""
        if job.callback is not None and job.provider in self._describe:
            self._look_at(job, self._first_moment(job))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tells what is to be told; what was being told at the end is given up."""
        now = self._jobs.now()
        for job in self._jobs.all():
            match job.state(now):
                case State.PENDING | State.THROTTLED:
                    self.expect(job)
                case State.RUNNING if job.callback is not None:
                    self._look_at(job, job.ends_at)
                case _:
                    continue
        async with httpx.AsyncClient(verify=False, trust_env=False) as client:  # noqa: S501 - plain HTTP only
            watch = asyncio.create_task(self._watch(client))
            try:
                yield
            finally:
                ending = [watch, *self._deliveries]
                for task in ending:
                    task.cancel()
                await asyncio.gather(*ending, return_exceptions=True)

    async def _watch(self, client: httpx.AsyncClient) -> None:
        while True:
            while self._looks and self._looks[0][0] <= self._jobs.now():
                moment, provider, job_id = heapq.heappop(self._looks)
                job = self._jobs.get(provider, job_id)
                if job is not None and job.callback is not None:
                    self._look(client, job, job.callback, moment)
            self._is_news.clear()
            wait = self._looks[0][0] - self._jobs.now() if self._looks else None
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_news.wait(), wait)

    def _look(self, client: httpx.AsyncClient, job: Job, callback: Callback, moment: float) -> None:
        """Tells what a job became at the moment, and looks again at its next change."""
        match job.state(moment):
            case State.THROTTLED | State.PENDING:
                self._look_at(job, self._first_moment(job))
                return
            case State.RUNNING:
                attempts = 1
                self._look_at(job, job.ends_at)
            case State.SUCCEEDED | State.FAILED:
                attempts = 1 + _RETRIES
            case State.CANCELLED:
                return
        body = self._describe[job.provider](job, moment, callback.base_url)
        for _ in range(callback.times):
            delivery = asyncio.create_task(self._deliver(client, callback.url, body, attempts))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)

    async def _deliver(self, client: httpx.AsyncClient, url: str, body: JsonValue, attempts: int) -> None:
        clock = asyncio.get_running_loop().time
        for attempt in range(attempts):
            began = clock()
            with suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError):
                async with asyncio.timeout(self._patience_seconds):
                    answer = await client.post(url, json=body, timeout=None)
                if answer.status_code in _OK:
                    return
            if attempt + 1 < attempts:
                await asyncio.sleep(max(0.0, began + self._patience_seconds - clock()))

    def _first_moment(self, job: Job) -> float:
        """When to look at a job that has not started: at its start, if that is known."""
        return self._jobs.now() + _LOOK_AGAIN_SECONDS if job.starts_at is None else job.starts_at

    def _look_at(self, job: Job, moment: float) -> None:
        if math.isfinite(moment):
            heapq.heappush(self._looks, (moment, job.provider, job.job_id))
            self._is_news.set()
