"""What every request passes: a request id, a bound on its body, and an answer even if we break."""

import re
import uuid

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.images import MAX_IMAGE_BYTES
from api.problems import Problem, response

MAX_BODY_BYTES = 64 * 1024
MAX_UPLOAD_BYTES = MAX_IMAGE_BYTES + 64 * 1024
"""A picture and the form around it."""

_UPLOADS = frozenset({"/v1/images"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger(__name__)


class _TooLarge(HTTPException):
    """The body went over its bound while it was read; of this type, as FastAPI takes any other for broken JSON."""

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(413, f"The body may have {max_body_bytes} bytes at most.")


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one request; streams pass through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Request(scope))
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        max_body_bytes = MAX_UPLOAD_BYTES if scope["path"].rstrip("/") in _UPLOADS else MAX_BODY_BYTES
        passage = _Passage(request_id, max_body_bytes, receive, send)
        try:
            if passage.announced(scope) <= max_body_bytes:
                await self._app(scope, passage.receive, passage.send)
                return
            problem = passage.too_large()
        except _TooLarge:
            problem = passage.too_large()
        except Exception:
            log.exception("a request broke", path=scope["path"])
            problem = Problem("internal", "Something is wrong on our side; the log says what.")
            if passage.has_answered:
                raise
        if not passage.has_answered:
            await response(Request(scope), problem)(scope, receive, passage.send)


class _Passage:
    """One request on its way through: counts what comes in, marks what goes out."""

    def __init__(self, request_id: str, max_body_bytes: int, receive: Receive, send: Send) -> None:
        self.has_answered = False
        self._request_id = request_id
        self._max_body_bytes = max_body_bytes
        self._received = 0
        self._receive = receive
        self._send = send

    def announced(self, scope: Scope) -> int:
        length = Request(scope).headers.get("content-length", "")
        return int(length[:18]) if length.isdecimal() else 0

    def too_large(self) -> Problem:
        return Problem("body_too_large", f"The body may have {self._max_body_bytes} bytes at most.")

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._max_body_bytes:
            raise _TooLarge(self._max_body_bytes)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_answered = True
            message["headers"] = [*message.get("headers", []), (b"x-request-id", self._request_id.encode())]
        await self._send(message)


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
