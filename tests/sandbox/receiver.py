"""A receiver of callbacks on a free port of this machine, which confirms or not as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from tests.sandbox.live import eventually


class Receiver:
    """What it was told; `answers` are the statuses of the next answers, then 200, and 0 answers never."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook?token=unguessable"
        self.told: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.closing = Event()

    def statuses(self) -> list[str]:
        return [task["status"] for task in self.told]

    def hears(self, *statuses: str) -> None:
        """Waits until it was told so many times, and of just these."""
        eventually(self.statuses, until=lambda seen: len(seen) >= len(statuses))
        assert self.statuses() == list(statuses)


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = told.answers.pop(0) if told.answers else 200
            told.headers.append({name.lower(): value for name, value in self.headers.items()})
            told.told.append(body)
            if answer == 0:
                told.closing.wait()
                return
            self.send_response(answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Hook) as server:
        server.daemon_threads = True
        told = Receiver(server.server_port)
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            told.closing.set()
            server.shutdown()
            thread.join()
