"""A live sandbox for tests, and its provider's side as a test sees it: jobs, faults, requests."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import JsonValue

from sandbox import Settings
from sandbox.server import running

_TLS = ssl.create_default_context()  # unused here, and slow to make for each client
HEADERS = {"Authorization": "Bearer key", "X-Runway-Version": "2024-11-06"}
TEXT_ORDER: dict[str, JsonValue] = {
    "model": "gen4.5",
    "promptText": "A lighthouse in a storm",
    "ratio": "1280:720",
    "duration": 2,
    "seed": 7,
}


class LiveSandbox:
    """A running sandbox and a plain HTTP client of Runway at it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.runway = httpx.Client(base_url=base_url, headers=HEADERS, timeout=10, verify=_TLS)
        self.control = httpx.Client(base_url=base_url, timeout=10, verify=_TLS)

    def close(self) -> None:
        self.runway.close()
        self.control.close()

    def order(self, prompt: str | None = None, **changes: JsonValue) -> httpx.Response:
        """Asks Runway for a video from text."""
        body = TEXT_ORDER | ({} if prompt is None else {"promptText": prompt}) | changes
        return self.runway.post("/v1/text_to_video", json=body)

    def create(self, prompt: str | None = None, **changes: JsonValue) -> str:
        """The id of a new task."""
        answer = self.order(prompt, **changes)
        assert answer.status_code == 200, answer.text
        task_id: str = answer.json()["id"]
        return task_id

    def task(self, task_id: str) -> dict[str, Any]:
        answer = self.runway.get(f"/v1/tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def finished(self, task_id: str) -> dict[str, Any]:
        """The task once it has ended."""
        return eventually(
            lambda: self.task(task_id),
            until=lambda task: task["status"] in ("SUCCEEDED", "FAILED", "CANCELLED"),
        )

    def output_url(self, prompt: str | None = None, **changes: JsonValue) -> str:
        """The address of a new, finished video."""
        url: str = self.finished(self.create(prompt, **changes))["output"][0]
        return url

    def arm(self, operation: str, fault: str, **more: JsonValue) -> None:
        body = {"provider": "runway", "operation": operation, "fault": fault, **more}
        answer = self.control.post("/_sandbox/faults", json=body)
        assert answer.status_code == 200, answer.text

    def jobs(self) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = self.control.get("/_sandbox/jobs").json()["jobs"]
        return jobs

    def reset(self) -> None:
        assert self.control.post("/_sandbox/reset").status_code == 200


@contextmanager
def live_sandbox(**settings: float | str | Path | None) -> Iterator[LiveSandbox]:
    """A sandbox on a free port of this machine; its jobs take no time unless told."""
    told = Settings.model_validate({"port": 0, "seconds": 0.0, "data_dir": None, **settings})
    with running(told) as base_url:
        sandbox = LiveSandbox(base_url)
        try:
            yield sandbox
        finally:
            sandbox.close()


T = TypeVar("T")


def eventually(look: Callable[[], T], until: Callable[[T], bool], within: float = 10.0) -> T:
    """What `look` sees once it is as it should be, or a failure that shows what it was last."""
    deadline = time.monotonic() + within
    while not until(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
    return seen
