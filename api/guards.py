"""What every request passes: a request id, bounds on its size and its time, safe headers, and an answer if we break."""

import asyncio
import re
import uuid

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.door.pace import WrongKeys, rate_headers
from api.door.rates import Rates
from api.headers import protect
from api.pictures.taking_in import MAX_IMAGE_BYTES
from api.problems import Problem, response
from runtime.settings import Settings

MAX_BODY_BYTES = 64 * 1024
MAX_UPLOAD_BYTES = MAX_IMAGE_BYTES + 64 * 1024
"""A picture and the form around it."""
MAX_TARGET_BYTES = 8 * 1024
"""The path and the query."""
MAX_HEADERS_BYTES = 32 * 1024

_UPLOADS = frozenset({"/v1/images"})
_UPLOAD_PATIENCE = 10
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger(__name__)


class _Unreadable(HTTPException):
    """The body is refused while it is read; of this type, as FastAPI takes any other for broken JSON."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(status, problem.detail, problem.headers)
        self.problem = problem


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, settings: Settings, rates: Rates) -> None:
        self._app = app
        self._body_seconds = settings.request_seconds
        self._is_https = (settings.public_url or "").startswith("https:")
        self._wrong_keys = WrongKeys(rates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one request; what is no HTTP passes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = _request_id(request)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        passage = self._passage(scope, receive, send)
        try:
            problem = _oversized(scope) or passage.announced(request) or await self._wrong_keys.refusal(scope)
            if problem is None:
                await self._app(scope, passage.receive, passage.send)
                return
        except _Unreadable as refused:
            problem = refused.problem
        except Exception:
            log.exception("a request broke", path=scope["path"])
            problem = Problem("internal", "Something is wrong on our side; the log says what.")
            if passage.has_answered:
                raise
        if not passage.has_answered:
            await response(request, problem)(scope, receive, passage.send)

    def _passage(self, scope: Scope, receive: Receive, send: Send) -> "_Passage":
        is_upload = scope["path"].rstrip("/") in _UPLOADS

        async def finish(message: Message) -> None:
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = scope["state"]["request_id"]
            protect(scope, headers, is_https=self._is_https)
            headers.update(rate_headers(scope))
            await self._wrong_keys.heard(scope, message["status"], headers)

        return _Passage(
            max_body_bytes=MAX_UPLOAD_BYTES if is_upload else MAX_BODY_BYTES,
            seconds=self._body_seconds * (_UPLOAD_PATIENCE if is_upload else 1),
            receive=receive,
            send=send,
            finish=finish,
        )


class _Passage:
    """One request on its way through: counts and times what comes in, completes what goes out."""

    def __init__(
        self, *, max_body_bytes: int, seconds: float, receive: Receive, send: Send, finish: Send
    ) -> None:
        self.has_answered = False
        self._max_body_bytes = max_body_bytes
        self._seconds = seconds
        self._body_by: float | None = None
        self._is_whole = False
        self._received = 0
        self._receive = receive
        self._send = send
        self._finish = finish

    def announced(self, request: Request) -> Problem | None:
        """Return what is wrong with the length that the client announces."""
        length = request.headers.get("content-length", "")
        is_over = length.isdecimal() and int(length[:18]) > self._max_body_bytes
        return self._too_large() if is_over else None

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        self._body_by = self._body_by or asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._body_by):
                message = await self._receive()
        except TimeoutError:
            raise _Unreadable(408, self._too_slow()) from None
        self._is_whole = not message.get("more_body", False)
        self._received += len(message.get("body", b""))
        if self._received > self._max_body_bytes:
            raise _Unreadable(413, self._too_large())
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_answered = True
            await self._finish(message)
        await self._send(message)

    def _too_large(self) -> Problem:
        # The rest is read and thrown away: who still sends when the connection closes never sees the answer.
        return Problem("body_too_large", f"The body may have {self._max_body_bytes} bytes at most.")

    def _too_slow(self) -> Problem:
        detail = f"The body must be here after {self._seconds:g} seconds; send it faster, or a smaller one."
        return Problem("too_slow", detail, headers={"Connection": "close"})


def _oversized(scope: Scope) -> Problem | None:
    """Return what is wrong with the size of the request's head."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
        return Problem("target_too_long", f"Path and query may have {MAX_TARGET_BYTES} bytes at most.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS_BYTES:
        return Problem("headers_too_large", f"The headers may have {MAX_HEADERS_BYTES} bytes at most.")
    return None


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
