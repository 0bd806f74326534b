"""The guarded way out: requests to addresses that somebody else chose never reach what is not public.

Promises: a name is looked up once for each connection, every address that it has is judged, and one of those is
connected to, by number: a name that changes its mind finds nobody asking again. Certificates are checked by the name.
No proxy, cookie or setting of the environment has a part in it. What the operator has configured (`Doors.own`) is
connected to as it is written.

The providers' own APIs are not guarded: their addresses are the operator's configuration.
`providers.outgoing.fetching` is how files are fetched through here.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import httpcore
import httpx
import structlog

from domain.addresses import Address, address_of, is_refused, kind_of
from providers.outgoing.doors import Doors, Forbidden

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a host up: its name and a port become addresses, the preferred one first.

Raises:
    OSError: There is none.
"""

_MOST_TRIED: Final = 4
_LOOK_UPS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="look-up")
"""Of its own: a name server that is slow on purpose must not hold the threads that files and databases need."""

log = structlog.get_logger(__name__)


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host as this machine's resolver gives them; see `Resolve`."""

    def ask() -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    return await asyncio.get_running_loop().run_in_executor(_LOOK_UPS, ask)


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connections to public addresses only, and to the doors of one's own."""

    def __init__(
        self,
        doors: Doors,
        resolve: Resolve = look_up,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            doors: Where one may go beside the public internet.
            resolve: Looks names up.
            network: Makes the connections, to addresses that were judged.
        """
        self._own = {(origin.host, origin.port) for origin in doors.own}
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend() if network is None else network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore has it - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host at one of the addresses that it has now.

        Raises:
            Forbidden: One of them is not public.
            httpcore.ConnectError: It has none, or nobody answers there; `ConnectTimeout` where that takes too long.
        """
        if (host, port) in self._own:
            return await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        failure: Exception | None = None
        for address in await self._judged(host, port, timeout):
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def _judged(self, host: str, port: int, timeout: float | None) -> list[Address]:  # noqa: ASYNC109 - as httpcore has it
        """Return the addresses of a host, all of which are public.

        A host with one that is not is refused as a whole: nobody has such a one by accident.
        """
        written = address_of(host)
        found = [written] if written is not None else await self._looked_up(host, port, timeout)
        refused = [address for address in found if is_refused(address)]
        if refused:
            # Told to our log only: to whom it belongs, and what is there, is not the asker's business.
            kinds = sorted({str(kind_of(address)) for address in refused})
            log.warning("a request to an address that is not public is refused", host=host, kinds=kinds)
            raise Forbidden("not_public", "leads to an address that is not on the public internet")
        return found[:_MOST_TRIED]

    async def _looked_up(self, host: str, port: int, timeout: float | None) -> list[Address]:  # noqa: ASYNC109 - as httpcore has it
        try:
            async with asyncio.timeout(timeout):
                texts = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"looking {host} up took too long") from None
        except (OSError, UnicodeError):
            raise httpcore.ConnectError(f"{host} has no address") from None
        found = [address_of(text) for text in texts]
        if None in found:
            raise httpcore.ConnectError(f"{host} has an address that cannot be read")
        return [address for address in found if address is not None]

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 - as httpcore has it
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - as httpcore has it
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: nothing public is behind a file."""
        raise Forbidden("not_public", f"is the file {path}")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore does between two tries."""
        await self._network.sleep(seconds)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Requests over a `CheckedNetwork`; what is written in their URL is judged before anything is connected.

    It can be given to an `httpx.AsyncClient`, or asked as it is: then it neither follows, nor decodes, nor remembers.
    """

    def __init__(self, doors: Doors, network: CheckedNetwork, tls: ssl.SSLContext) -> None:
        """Open nothing yet.

        Args:
            doors: Where one may go beside https on the public internet.
            network: Made of the same doors.
            tls: How certificates are checked.
        """
        self._doors = doors
        self._pool = httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=network)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            Forbidden: It must not go there.
            httpx.HTTPError: It got no answer.
        """
        self._doors.admit(request.url)
        if not isinstance(request.stream, httpx.AsyncByteStream):
            raise TypeError("the body of the request cannot be read here")
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            answer = await self._pool.handle_async_request(sent)
        if not isinstance(answer.stream, AsyncIterable):
            raise TypeError("the body of the answer cannot be read here")
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), request=request
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The bytes of an answer as they came."""

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()


_SAME: Final = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.NetworkError, httpx.ReadError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)
"""What httpcore calls what httpx calls; the first that fits counts."""


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except tuple(ours for ours, _ in _SAME) as error:
        known = next(theirs for ours, theirs in _SAME if isinstance(error, ours))
        raise known(str(error)) from error
