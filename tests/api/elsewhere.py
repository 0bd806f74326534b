"""A server elsewhere that has pictures, and tricks, at the paths that a test gives it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.providers.raw import Script, answers


class Elsewhere:
    """What is at which path.

    Attributes:
        pages: What is answered, by path.
        asked: The paths that were asked for, in order.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Script] = {}
        self.asked: list[str] = []
        self.url = ""

    def has(self, path: str, script: Script) -> str:
        """Put something at a path, and return its URL."""
        self.pages[path] = script
        return self.url + path

    def times(self, url: str) -> int:
        """How often something was asked for."""
        return self.asked.count(url.removeprefix(self.url))


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """Serve on a free port; what is not there is 404."""
    found = Elsewhere()
    open_now: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            found.asked.append(path)
            await found.pages.get(path, answers(404, b"not here"))(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            open_now.discard(writer)
            with suppress(ConnectionError):
                writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    found.url = "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname()[:2])
    try:
        yield found
    finally:
        server.close()
        for writer in list(open_now):
            writer.transport.abort()
