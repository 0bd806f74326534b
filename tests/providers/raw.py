"""A server below HTTP: it keeps every byte that it was sent and answers whatever a test likes."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from providers.runway.account import Runway

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """What arrived.

    Attributes:
        connections: How many were opened.
        received: All bytes of each connection.
        requests: How many whole requests were read.
        connected: Set once there was a connection.
    """

    def __init__(self) -> None:
        self.url = ""
        self.port = 0
        self.connections = 0
        self.received: list[bytes] = []
        self.requests = 0
        self.connected = asyncio.Event()

    @property
    def head(self) -> str:
        """The head of the first request."""
        return self.received[0].partition(b"\r\n\r\n")[0].decode()

    @property
    def body(self) -> object:
        """The JSON of the first request."""
        return json.loads(self.received[0].partition(b"\r\n\r\n")[2])


@asynccontextmanager
async def raw_server(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve on a free port; the script is run after each whole request."""
    seen = RawServer()
    open_now: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        open_now.add(writer)
        number = len(seen.received)
        seen.received.append(b"")
        seen.connected.set()
        try:
            while True:
                data = await reader.read(65536)
                seen.received[number] += data
                if not data:
                    return
                if _is_whole(seen.received[number]):
                    seen.requests += 1
                    await script(reader, writer)
                    return
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            open_now.discard(writer)
            with suppress(ConnectionError):
                writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    seen.url = f"http{'s' if tls else ''}://127.0.0.1:{seen.port}"
    try:
        yield seen
    finally:
        server.close()
        for writer in list(open_now):
            writer.transport.abort()


def _is_whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return bool(end) and len(body) >= int(line.partition(b":")[2])
    return bool(end)


def sends(data: bytes) -> Script:
    """Send these bytes and hang up."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return script


def answers(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Script:
    """Send an HTTP answer; a body that is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    if status in {204, 304}:
        content = b""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return sends("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


async def says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read on until the other side gives up."""
    while await reader.read(65536):
        pass


async def drips(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never fall silent, and never come to an end: a header of a byte every tenth of a second."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not writer.is_closing():
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.05)


async def babbles(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"z" * 65536)
        await writer.drain()


@asynccontextmanager
async def runway_at(url: str, *, key: str = "secret", answer_seconds: float = 5.0) -> AsyncIterator[Runway]:
    """An open Runway account at some address."""
    runway = Runway(
        base_url=url, api_key=key, poll_interval=timedelta(milliseconds=10), answer_seconds=answer_seconds
    )
    try:
        yield runway
    finally:
        await runway.close()
