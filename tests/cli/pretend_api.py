"""The other side of the commands: a tiny HTTP server on loopback that plays a script and remembers what it heard."""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ID = "gen_01k9zq3v5x7b8c9d0e1f2g3h4j"
PATH = f"/v1/generations/{ID}"


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """One answer; without a status the connection breaks after the request was read."""

    status: int | None = 200
    body: Any = None
    content_type: str = "application/json"


HANG_UP = Answer(status=None)


@dataclass
class Script:
    """What is answered to which request: one after the other, the last one again and again."""

    answers: dict[tuple[str, str], deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    heard: list[Heard] = field(default_factory=list)
    url: str = ""

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self.answers[method, path].extend(answers)

    def next(self, method: str, path: str) -> Answer:
        left = self.answers.get((method, path))
        if not left:
            return Answer(404, problem(404, "There is no such thing"))
        return left.popleft() if len(left) > 1 else left[0]


def generation(status: str = "processing", **fields: Any) -> dict[str, Any]:
    """Return a generation as the API shows it."""
    stage = "generating" if status == "processing" else "done"
    shown: dict[str, Any] = {
        "id": ID,
        "mode": "sandbox",
        "status": status,
        "stage": stage,
        "progress": {"percent": 100 if status == "completed" else 40, "source": "provider", "as_of": None},
        "eta_seconds": None,
        "provider": "runway",
        "model": "gen4.5",
        "request": {"prompt": "a fox"},
        "takes": [],
        "cost": {"reserved_usd": "0.00", "settled_usd": "0.60", "at_risk_usd": "0.00"},
        "error": None,
        "actions": [],
        "last_seq": 3,
        "created_at": "2026-01-02T03:04:05Z",
        "links": {"self": PATH, "temporal": f"http://127.0.0.1:8233/namespaces/default/workflows/{ID}"},
    }
    return shown | fields


def problem(status: int, title: str, **fields: Any) -> dict[str, Any]:
    """Return a problem document (RFC 9457)."""
    return {"type": "about:blank", "title": title, "status": status, "detail": title, "code": "x"} | fields


@contextmanager
def serving() -> Iterator[Script]:
    """Serve a script until the block ends."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            is_form = self.headers.get("Content-Type", "").startswith("multipart/")
            body = sent if is_form else json.loads(sent) if length else None
            query = dict(parse_qsl(parts.query))
            script.heard.append(Heard(self.command, parts.path, query, dict(self.headers), body))
            answer = script.next(self.command, parts.path)
            self.close_connection = True
            if answer.status is None:
                return
            data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
