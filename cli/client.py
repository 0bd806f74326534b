"""The HTTP side of the commands: one client of `/v1`, which tells a refusal from a service that is not there.

Promises: an order is sent with one idempotency key however often it is repeated, so that a connection that breaks or a
service that restarts never makes two orders of one. Reading is repeated in the same way while waiting.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from cli.exits import Exit, Stop

Json = dict[str, Any]

PATIENCE_SECONDS = 60.0
"""How long a service that is away is tried, unless a command says otherwise."""

_AWAY = frozenset({502, 503, 504})
_CLIENT_ERRORS = range(400, 500)
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_RETRY_FIRST_SECONDS = 0.2
_RETRY_LONGEST_SECONDS = 2.0
_SAY_AGAIN_SECONDS = 5.0


class Refused(Exception):
    """The service understood and refused, or reported that it is broken itself.

    Attributes:
        status: The HTTP status.
        problem: The problem+json body, or what can be said without one.
    """

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))
        self.status = status
        self.problem = problem

    @property
    def is_the_callers(self) -> bool:
        """True where the request is at fault, not the service."""
        return self.status in _CLIENT_ERRORS


class Unreachable(Exception):
    """Nobody answers, or what answers cannot work now."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the service at {url} cannot be reached ({reason})")
        self.url = url
        self.reason = reason


class Client:
    """A connection to one service, to be used as a context manager.

    Args:
        base_url: Where the API listens.
        key: What shows who asks; nobody is named if None.
        note: Told what a person should know meanwhile: that the service is away, and that it is back.
        transport: Another way to the service; the network if None.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        note: Callable[[str], None] = lambda _: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.note = note
        on_loopback = urlsplit(self.base_url).hostname in {"127.0.0.1", "localhost", "::1"}
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            headers={} if key is None else {"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            trust_env=not on_loopback,  # no proxy stands between us and our own machine
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, params: Mapping[str, Any] | None = None, wait_seconds: float = 0) -> Json:
        """Read one JSON document.

        Args:
            path: From the root of the service.
            params: The query; what is None is left out.
            wait_seconds: How long the service may hold the answer back.

        Raises:
            Refused: A 4xx or 5xx answer.
            Unreachable: No answer.
        """
        query = {name: value for name, value in (params or {}).items() if value is not None}
        timeout = httpx.Timeout(_ANSWER_SECONDS + wait_seconds, connect=_CONNECT_SECONDS)
        return await self._json("GET", path, params=query, timeout=timeout)

    async def post(
        self, path: str, body: Json, *, key: str | None = None, patience_seconds: float = PATIENCE_SECONDS
    ) -> Json:
        """Send an order or a wish, again and again with the same key while the service is away.

        Args:
            path: From the root of the service.
            body: The JSON document.
            key: The idempotency key: the same order is the same key; a fresh one if None.
            patience_seconds: How long a service that is away is tried.

        Raises:
            Refused: A 4xx or 5xx answer.
            Unreachable: Away for longer than the patience.
        """
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return await self.patiently(
            lambda: self._json("POST", path, json=body, headers=headers), patience_seconds
        )

    async def upload(self, path: str, file: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> Json:
        """Send a file as the field `file` of a form; harmless to repeat where the answer follows from its content.

        Raises:
            Refused: A 4xx or 5xx answer.
            Unreachable: Away for longer than the patience.
            Stop: The file cannot be read.
        """
        try:
            content = await asyncio.to_thread(file.read_bytes)
        except OSError as error:
            raise Stop(f"{file} cannot be read: {error.strerror}", Exit.REFUSED) from error
        form = {"file": (file.name, content)}
        return await self.patiently(lambda: self._json("POST", path, files=form), patience_seconds)

    async def delete(self, path: str, *, patience_seconds: float = PATIENCE_SECONDS) -> Json:
        """Delete something, again and again while the service is away.

        Returns:
            The answer; empty where there is none, or where only a repetition found nothing left to delete.

        Raises:
            Refused: A 4xx or 5xx answer.
            Unreachable: Away for longer than the patience.
        """
        asked = 0

        async def attempt() -> Json:
            nonlocal asked
            asked += 1
            try:
                return await self._json("DELETE", path)
            except Refused as refused:
                if asked > 1 and refused.status == httpx.codes.NOT_FOUND:
                    return {}  # the answer to an earlier request was lost
                raise

        return await self.patiently(attempt, patience_seconds)

    async def patiently(self, attempt: Callable[[], Awaitable[Json]], patience_seconds: float) -> Json:
        """Repeat what is harmless to repeat until the service answers, for as long as the patience lasts."""
        began = said = time.monotonic()
        delay, was_away = _RETRY_FIRST_SECONDS, False
        while True:
            try:
                answer = await attempt()
            except Unreachable as away:
                now = time.monotonic()
                if now - began + delay > patience_seconds:
                    raise
                if not was_away or now - said >= _SAY_AGAIN_SECONDS:
                    said = now
                    self.note(f"no answer from {self.base_url} ({away.reason}); trying again")
                was_away = True
                await asyncio.sleep(delay)
                delay = min(delay * 2, _RETRY_LONGEST_SECONDS)
            else:
                if was_away:
                    self.note("the service answers again")
                return answer

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """Open a long answer: a file or an event stream. Raises as `get` does."""
        timeout = httpx.Timeout(60.0, connect=_CONNECT_SECONDS)
        try:
            async with self._http.stream("GET", url, headers=headers, timeout=timeout) as response:
                if response.status_code >= _CLIENT_ERRORS.start:
                    await response.aread()
                    raise self._refusal(response)
                yield response
        except httpx.TransportError as error:
            raise Unreachable(self.base_url, _reason(error)) from error

    async def _json(self, method: str, path: str, **options: Any) -> Json:
        try:
            response = await self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise Unreachable(self.base_url, _reason(error)) from error
        if response.status_code >= _CLIENT_ERRORS.start:
            raise self._refusal(response)
        if response.status_code == httpx.codes.NO_CONTENT:
            return {}
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Unreachable(
                self.base_url, "what listens there is not VideoPlanet: it does not answer in JSON"
            )
        return document

    def _refusal(self, response: httpx.Response) -> Refused | Unreachable:
        try:
            problem = response.json()
        except ValueError:
            problem = None
        if not isinstance(problem, dict):
            problem = {"title": response.reason_phrase}
        if response.status_code in _AWAY:
            said = problem.get("detail") or problem.get("title")
            return Unreachable(self.base_url, f"HTTP {response.status_code}: {said}")
        return Refused(response.status_code, problem)


def _reason(error: httpx.TransportError) -> str:
    match error:
        case httpx.ConnectError():
            return "nothing listens there"
        case httpx.TimeoutException():
            return "no answer in time"
        case _:
            return "the connection broke"
