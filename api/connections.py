"""Connections that wait for no slow client: the head of a request is bounded in bytes and in time.

The parser behind uvicorn keeps what it is sent until a line is whole, however long that line is and however slowly it
comes: a client that never ends its head would hold a connection, and as much memory as it likes, for nothing.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers, before they are parsed; `api.guards` is stricter with what is parsed."""


class Connection(HttpToolsProtocol):
    """One connection of a client.

    Attributes:
        head_seconds: How long the head of a request may take.
    """

    head_seconds = 30.0
    _is_in_head = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and count what belongs to a head that is not whole."""
        super().data_received(data)
        if not self._is_in_head:
            self._stop_waiting()
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.transport.close()
        elif self._head_timer is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Hear from the parser that a head begins."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hear from the parser that a head is whole."""
        self._is_in_head = False
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def impatient(head_seconds: float) -> type[Connection]:
    """Return connections that wait so long for the head of a request."""
    return type("ImpatientConnection", (Connection,), {"head_seconds": head_seconds})
