"""What HTTP frameworks hide: closing or resetting a connection instead of answering.

`SandboxProtocol` is uvicorn's own HTTP protocol that also hands the transport to the application, as an
ASGI extension, and the moment at which a request's headers had arrived. A `HangUp` is returned like any response
and needs a server with that protocol.
"""

from __future__ import annotations

import socket
import struct
import time
from asyncio import Transport
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION: Final = "sandbox.transport"
_ARRIVAL: Final = "sandbox.arrival"
_LINGER_ZERO: Final = struct.pack("ii", 1, 0)  # closing throws away what is unsent and sends RST


class SandboxProtocol(HttpToolsProtocol):
    """HTTP/1.1 over a connection that the application may break."""

    def on_message_begin(self) -> None:
        """Puts the transport beside the request that begins."""
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"transport": self.transport}}

    def on_headers_complete(self) -> None:
        """Notes the moment: what the request waits for from now on, it waits for here."""
        self.scope["extensions"] = {**(self.scope.get("extensions") or {}), _ARRIVAL: {"at": time.time()}}
        super().on_headers_complete()


class HangUp(Response):
    """No answer, or the beginning of one, and then the end of the connection.

    Args:
        reset: Ends with TCP RST instead of an orderly close.
        headers: Headers of an answer that begins (200); None sends no byte at all.
        beginning: The beginning of its body.
    """

    def __init__(
        self, *, reset: bool = False, headers: Mapping[str, str] | None = None, beginning: bytes = b""
    ) -> None:
        super().__init__(headers=headers)
        self._reset = reset
        self._beginning = None if headers is None else beginning

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends what is to be sent, breaks the connection and waits until it is gone."""
        if self._beginning is not None:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self._beginning, "more_body": True})
        _break(_transport(scope), reset=self._reset)
        while (await receive())["type"] != "http.disconnect":
            pass


def arrived_at(scope: Scope) -> float:
    """When a request's headers had arrived, in unix seconds."""
    told = scope.get("extensions", {}).get(_ARRIVAL)
    return time.time() if told is None else float(told["at"])


def _transport(scope: Scope) -> Transport:
    extension = scope.get("extensions", {}).get(_EXTENSION)
    if extension is None:
        raise RuntimeError("connections can only be broken under sandbox.wire.SandboxProtocol")
    transport: Transport = extension["transport"]
    return transport


def _break(transport: Transport, *, reset: bool) -> None:
    connection = transport.get_extra_info("socket")
    if reset and connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()
    else:
        transport.close()
