"""The one place from which requests leave the house.

`send_once` is the only way to send something that costs money: it knows, for every end, whether the first byte
was written. Everything else may be asked again and uses ordinary clients from `open_client`.
"""

import asyncio
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import NotSent, Rejected, Unknown
from providers.base import AfterWrite, BeforeWrite, ProviderError, nothing

USER_AGENT = "VideoPlanet/0.1"
CONNECT_SECONDS = 10.0
MAX_ANSWER_BYTES = 1 << 20
_FIRST_WRITE = "send_request_headers.started"
_LAST_WRITE = "send_request_body.complete"


@cache
def tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes 50 ms, in which the loop stands still."""
    return httpx.create_ssl_context(trust_env=False)


def open_client(
    base_url: str, headers: Mapping[str, str], *, timeout_seconds: float = 30.0
) -> httpx.AsyncClient:
    """Return a client for questions, which may be repeated; the caller closes it."""
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"User-Agent": USER_AGENT, **headers},
        timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        verify=tls(),
    )


@dataclass(frozen=True)
class JsonBody:
    """A JSON object."""

    fields: Mapping[str, Any]

    def as_arguments(self) -> dict[str, Any]:
        """Return it as httpx takes it."""
        return {"json": dict(self.fields)}


@dataclass(frozen=True)
class FormBody:
    """A form with a picture, as multipart/form-data.

    Attributes:
        fields: Text fields.
        picture: A JPEG.
        picture_field: The name of the field that carries it.
    """

    fields: Mapping[str, str]
    picture: bytes
    picture_field: str = "image"

    def as_arguments(self) -> dict[str, Any]:
        """Return it as httpx takes it."""
        return {
            "data": dict(self.fields),
            "files": {self.picture_field: ("picture.jpg", self.picture, "image/jpeg")},
        }


async def send_once(
    *,
    url: str,
    headers: Mapping[str, str],
    body: JsonBody | FormBody,
    answer_seconds: float,
    before_write: BeforeWrite,
    client_reference: str,
    after_write: AfterWrite = nothing,
) -> httpx.Response | Rejected | NotSent | Unknown:
    """POST a body once, and tell surely whether it left.

    A fresh connection is used, because a kept one may be closed by the other side in the very moment of writing,
    which looks like a lost answer.

    Args:
        url: Where to.
        headers: With the credentials.
        body: What is sent.
        answer_seconds: How long to wait for the whole answer after the write, however slowly it drips in.
        before_write: The last act before the first byte; what it raises is passed on, and nothing is sent.
        after_write: Called when the last byte is written.
        client_reference: Goes along as `Idempotency-Key`, harmless where unknown, and into `Unknown`.

    Returns:
        The answer, whatever its status; NotSent where not a byte was written; Rejected where we cannot even write
        it; Unknown where the order left and no answer came back, or one too large to be read.
    """
    written = False

    async def trace(event: str, _: dict[str, Any]) -> None:
        nonlocal written
        if event.endswith(_FIRST_WRITE) and not written:
            await before_write()
            written = True
            patience.reschedule(asyncio.get_running_loop().time() + answer_seconds)
        elif event.endswith(_LAST_WRITE):
            await after_write()

    async with httpx.AsyncClient(
        timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        verify=tls(),
    ) as client:
        request = client.build_request(
            "POST",
            url,
            headers={"User-Agent": USER_AGENT, "Idempotency-Key": client_reference, **headers},
            extensions={"trace": trace},
            **body.as_arguments(),
        )
        try:
            async with asyncio.timeout(None) as patience:
                return await _read(await client.send(request, stream=True))
        except TimeoutError:
            if not patience.expired():
                raise  # it came from `before_write`
            failure = failure_of_transport(httpx.ReadTimeout("the answer took too long"), sent=True)
            return Unknown(client_reference=client_reference, failure=failure)
        except httpx.LocalProtocolError:
            # Our own side refuses to write such a request. No cause is kept: it can hold the key.
            detail = (
                "The order cannot be written as a request; the key may hold characters that no header can."
            )
            return Rejected(
                failure=Failure(category=Category.AUTH, code="unwritable", detail=detail, billed=False)
            )
        except httpx.HTTPError as error:
            failure = failure_of_transport(error, sent=written)
            if written:
                return Unknown(client_reference=client_reference, failure=failure)
            return NotSent(failure=failure)


def failure_of_transport(error: httpx.HTTPError, *, sent: bool) -> Failure:
    """Name what went wrong below HTTP."""
    if sent:
        return Failure(
            category=Category.SUBMISSION_UNKNOWN,
            code="answer_lost",
            detail=f"The order was sent, but no whole answer was read: the connection {_end_of(error)}.",
        )
    return Failure(
        category=Category.NETWORK,
        code="not_reached",
        detail=f"The connection to the provider {_end_of(error)} ({type(error).__name__}).",
        billed=False,
    )


def _end_of(error: httpx.HTTPError) -> str:
    match error:
        case httpx.TimeoutException():
            return "timed out"
        case AnswerTooLarge():
            return "was closed, because far too much came back"
        case _:
            return "broke"


async def ask(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send a question that may be repeated. A video that comes as the answer is not read: its headers tell.

    Raises:
        ProviderError: No answer came back.
    """
    request = client.build_request(method, path, params=params, headers=headers)
    try:
        async with asyncio.timeout(client.timeout.read):
            return await _read(await client.send(request, stream=True))
    except TimeoutError:
        # No cause is kept: it can hold the request's headers, and with them the key.
        slow = httpx.ReadTimeout("the answer took too long")
        raise ProviderError(failure_of_transport(slow, sent=False)) from None
    except httpx.HTTPError as error:
        raise ProviderError(failure_of_transport(error, sent=False)) from None


class AnswerTooLarge(httpx.ReadError):
    """The answer is longer than any that makes sense."""


async def _read(answer: httpx.Response) -> httpx.Response:
    """Return an answer with its body; a video is left where it is, since the headers tell all that is asked."""
    try:
        is_video = answer.headers.get("content-type", "").lower().startswith("video/")
        body = b"" if is_video else await _bounded(answer)
    finally:
        await answer.aclose()
    headers = _plain(answer.headers)
    return httpx.Response(answer.status_code, headers=headers, content=body, request=answer.request)


async def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLarge("the answer is too large")
    return bytes(body)


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Return the headers without those that describe the body as it was sent: it is decoded by now."""
    sent = {"content-encoding", "content-length", "transfer-encoding"}
    return [(name, value) for name, value in headers.multi_items() if name.lower() not in sent]


def json_of(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer, with text that can be stored, or an empty one where it holds none."""
    try:
        parsed = _storable(response.json())
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _storable(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Replace halves of characters, which a cut text may end with, and NUL: no database takes them."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode().replace("\0", "?")
        case list():
            return [_storable(item) for item in value]
        case dict():
            return {name: _storable(item) for name, item in value.items()}
        case _:
            return value


def retry_after_seconds(response: httpx.Response) -> float | None:
    """Return how long the provider asks us to wait: `Retry-After` in seconds or as a date."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else None
