"""Fetching files from addresses that somebody else chose: guarded, bounded in time, each redirect judged anew.

The bytes are handed on as they came: nothing is decoded here, and no header is believed about what they are. No cookie
is kept, and what shows who we are goes to the doors of our own only, whoever redirects where.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore
import httpx

from providers.outgoing.doors import Doors, Forbidden
from providers.outgoing.guarded import CheckedNetwork, GuardedTransport, Resolve, look_up
from providers.outgoing.http import USER_AGENT, tls

_LEADS_ON = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Patience:
    """How long one fetch may take, in seconds, and how often it may be sent elsewhere.

    Attributes:
        connect: To look a host up, and again to connect to one of its addresses.
        silence: Between two pieces of the answer.
        total: From the beginning to the last byte, however steadily it drips.
        redirects: To follow at most.
    """

    connect: float = 5.0
    silence: float = 10.0
    total: float = 60.0
    redirects: int = 3


class Outgoing:
    """What leaves the house for addresses that somebody else chose."""

    def __init__(
        self,
        doors: Doors,
        *,
        resolve: Resolve = look_up,
        network: httpcore.AsyncNetworkBackend | None = None,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            doors: Where one may go beside https on the public internet.
            resolve: Looks names up.
            network: Makes the connections, to addresses that were judged.
            certificates: How they are checked; by the public authorities if None.
        """
        self.doors = doors
        self._network = CheckedNetwork(doors, resolve, network)
        self._certificates = certificates

    @asynccontextmanager
    async def transport(self) -> AsyncIterator[GuardedTransport]:
        """Open a way out for one errand; nothing of it is kept for the next."""
        way = GuardedTransport(self.doors, self._network, self._certificates or tls())
        try:
            yield way
        finally:
            await way.aclose()

    @asynccontextmanager
    async def get(
        self, url: str, patience: Patience, *, credentials: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Ask for a file, and follow where it is; its body is to be read from `aiter_raw`, within this context.

        Args:
            url: Where it should be.
            patience: How long it may take.
            credentials: Headers that go to the doors of our own, and nowhere else.

        Raises:
            Forbidden: It leads where nothing may go.
            httpx.HTTPError: No whole answer came back; `httpx.TimeoutException` where that took too long.
        """
        try:
            async with asyncio.timeout(patience.total) as total, self.transport() as way:
                answer = await self._follow(way, url, patience, credentials or {})
                try:
                    yield answer
                finally:
                    await answer.aclose()
        except TimeoutError:
            if not total.expired():
                raise  # of the one who reads
            raise httpx.ReadTimeout("the answer took too long") from None

    async def _follow(
        self, way: GuardedTransport, url: str, patience: Patience, credentials: Mapping[str, str]
    ) -> httpx.Response:
        for _ in range(patience.redirects + 1):
            answer = await way.handle_async_request(self._request(url, patience, credentials))
            onward = answer.headers.get("location")
            if answer.status_code not in _LEADS_ON or onward is None:
                return answer
            await answer.aclose()
            url = self._onward(answer.request.url, onward)
        raise Forbidden("too_many_redirects", f"leads on more than {patience.redirects} times")

    def _request(self, url: str, patience: Patience, credentials: Mapping[str, str]) -> httpx.Request:
        origin = self.doors.admit(url)
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        if origin in self.doors.own:
            headers |= credentials
        limits = httpx.Timeout(patience.silence, connect=patience.connect)
        return httpx.Request("GET", url, headers=headers, extensions={"timeout": limits.as_dict()})

    def _onward(self, url: httpx.URL, location: str) -> str:
        """Return where a redirect leads, which must not be less safe than where it comes from."""
        try:
            onward = url.join(location)
        except (httpx.InvalidURL, ValueError):
            raise Forbidden("not_a_url", "leads on to what is not a URL") from None
        if url.scheme == "https" and onward.scheme != "https":
            raise Forbidden("not_https", "leads on from https to what is not")
        return str(onward)
