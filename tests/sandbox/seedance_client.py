"""Seedance's side of a live sandbox as a test sees it: orders, tasks, lists, pictures."""

from __future__ import annotations

import base64
import functools
import io
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from pydantic import JsonValue

from tests.sandbox.live import LiveSandbox, eventually, live_sandbox

TASKS = "/api/v3/contents/generations/tasks"
LITE_T2V = "seedance-1-0-lite-t2v-250428"
LITE_I2V = "seedance-1-0-lite-i2v-250428"
PRO = "seedance-1-0-pro-250528"
PRO_FAST = "seedance-1-0-pro-fast-251015"
PRO_15 = "seedance-1-5-pro-251215"
TWO = "dreamina-seedance-2-0-260128"
TWO_FAST = "dreamina-seedance-2-0-fast-260128"
TWO_MINI = "dreamina-seedance-2-0-mini-260615"
TWO_AND_A_HALF = "dreamina-seedance-2-5-260628"
ENDED = ("succeeded", "failed", "cancelled")
_TLS = ssl.create_default_context()  # unused here, and slow to make for each client


def text(words: str = "A lighthouse in a storm") -> dict[str, JsonValue]:
    return {"type": "text", "text": words}


def image(url: str, role: str | None = None) -> dict[str, JsonValue]:
    part: dict[str, JsonValue] = {"type": "image_url", "image_url": {"url": url}}
    return part if role is None else part | {"role": role}


@functools.cache
def picture(width: int = 640, height: int = 480, kind: str = "png") -> str:
    """A data URI of a real picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


class Seedance:
    """A plain HTTP client of ModelArk at a running sandbox."""

    def __init__(self, sandbox: LiveSandbox, key: str = "key") -> None:
        self.sandbox = sandbox
        headers = {"Authorization": f"Bearer {key}"}
        self.ark = httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=10, verify=_TLS)

    def order(self, *content: JsonValue, **fields: JsonValue) -> httpx.Response:
        """Asks for a video; without content, from a text."""
        usual: dict[str, JsonValue] = {"model": PRO, "content": list(content) or [text()]}
        small: dict[str, JsonValue] = {} if "resolution" in fields else {"resolution": "480p"}
        return self.ark.post(TASKS, json=usual | small | fields)

    def create(self, *content: JsonValue, **fields: JsonValue) -> str:
        """The id of a new task."""
        answer = self.order(*content, **fields)
        assert answer.status_code == 200, answer.text
        task_id: str = answer.json()["id"]
        return task_id

    def refusal(self, *content: JsonValue, **fields: JsonValue) -> tuple[int, str, str]:
        """Status, code and parameter of an order that is refused."""
        answer = self.order(*content, **fields)
        error = answer.json()["error"]
        assert error.keys() == {"code", "message", "param", "type"}
        return answer.status_code, error["code"], error["param"]

    def task(self, task_id: str) -> dict[str, Any]:
        answer = self.ark.get(f"{TASKS}/{task_id}")
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def made(self, *content: JsonValue, **fields: JsonValue) -> dict[str, Any]:
        """A new task once it has ended."""
        task_id = self.create(*content, **fields)
        return eventually(lambda: self.task(task_id), until=lambda task: task["status"] in ENDED)

    def list(self, *pairs: tuple[str, str | int]) -> dict[str, Any]:
        answer = self.ark.get(TASKS, params=httpx.QueryParams(list(pairs)))
        assert answer.status_code == 200, answer.text
        listed: dict[str, Any] = answer.json()
        return listed

    def delete(self, task_id: str) -> httpx.Response:
        return self.ark.delete(f"{TASKS}/{task_id}")

    def arm(self, operation: str, fault: str, **more: JsonValue) -> None:
        body = {"provider": "seedance", "operation": operation, "fault": fault, **more}
        answer = self.sandbox.control.post("/_sandbox/faults", json=body)
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self.ark.close()


@contextmanager
def seedance_at(sandbox: LiveSandbox) -> Iterator[Seedance]:
    seedance = Seedance(sandbox)
    try:
        yield seedance
    finally:
        seedance.close()


@contextmanager
def live_seedance(**settings: float | str | Path | None) -> Iterator[Seedance]:
    """A sandbox of its own, seen from Seedance's side."""
    with live_sandbox(**settings) as sandbox, seedance_at(sandbox) as seedance:
        yield seedance
