"""Servers on the internet outside, and the guarded way to them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from providers.outgoing.doors import Doors, Forbidden
from providers.outgoing.fetching import Outgoing, Patience
from tests.outside import HERE, Authority, Names, Outside
from tests.providers.raw import RawServer, Script, raw_server

QUICK = Patience(connect=1, silence=0.2, total=1)
STRICT, OPEN = Doors(), Doors(allows_http=True)


class World:
    """Servers on the internet outside, and the way to them."""

    def __init__(self, authority: Authority, stack: AsyncExitStack) -> None:
        self.outside = Outside()
        self.names = Names({})
        self._authority = authority
        self._stack = stack

    async def server(self, name: str, script: Script, *, at: str = HERE, called: str = "") -> RawServer:
        """Start a server that answers to https at an address; its certificate has its name, or another."""
        context = self._authority.server(called or name)
        server = await self._stack.enter_async_context(raw_server(script, context))
        self.outside.places[at, 443] = server.port
        return server

    async def plain_server(self, script: Script, *, at: str) -> RawServer:
        """Start a server that answers to http."""
        server = await self._stack.enter_async_context(raw_server(script))
        self.outside.places[at, 80] = server.port
        return server

    def know(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        """Give names addresses: those of the first look, of the second..."""
        self.names = Names(names)

    def outgoing(self, doors: Doors = STRICT) -> Outgoing:
        """The way out."""
        return Outgoing(
            doors, resolve=self.names, network=self.outside, certificates=self._authority.client()
        )

    async def fetch(
        self,
        url: str,
        doors: Doors = STRICT,
        patience: Patience = QUICK,
        credentials: Mapping[str, str] | None = None,
    ) -> bytes:
        """What is there."""
        async with self.outgoing(doors).get(url, patience, credentials=credentials) as answer:
            assert answer.status_code == 200, answer.status_code
            kept = b""
            async for chunk in answer.aiter_raw():
                kept = (kept + chunk)[:100]
            return kept

    async def refusal(self, url: str, doors: Doors = STRICT, patience: Patience = QUICK) -> str:
        """Why it is refused."""
        with pytest.raises(Forbidden) as refused:
            await self.fetch(url, doors, patience)
        assert refused.value.reason
        return refused.value.code


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Fail where it takes longer."""
    async with asyncio.timeout(seconds):
        yield
