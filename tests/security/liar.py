"""The provider's side with a will of its own: the sandbox behind it answers, and a test changes what it says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

from tests.providers.raw import Script

Lie = Callable[[dict[str, Any]], dict[str, Any] | bytes]
"""Takes what the sandbox says, and returns what is said instead."""

_TASKS = "/v1/tasks/"


def truth(said: dict[str, Any]) -> dict[str, Any]:
    """Say what the sandbox says."""
    return said


class Liar:
    """What stands between our side and the sandbox.

    Attributes:
        url: Where our side believes the sandbox to be.
        pages: What is at other paths, such as pictures.
        asked: The heads of the requests for `pages`, in order.
        passed_on: The methods and paths of all other requests, in order.
    """

    def __init__(self, sandbox: httpx.AsyncClient) -> None:
        self.url = ""
        self.pages: dict[str, Script] = {}
        self.asked: list[str] = []
        self.passed_on: list[str] = []
        self._sandbox = sandbox
        self._by_prompt: dict[str, tuple[Lie, Lie]] = {}
        self._by_task: dict[str, Lie] = {}

    def has(self, path: str, script: Script) -> str:
        """Put something at a path, and return its URL."""
        self.pages[path] = script
        return self.url + path

    def lie(self, prompt: str, *, of_task: Lie = truth, of_order: Lie = truth) -> None:
        """Lie about what is ordered at Runway with a prompt.

        Args:
            prompt: Which.
            of_task: Each time the task is looked at.
            of_order: When it is ordered.
        """
        self._by_prompt[prompt] = (of_task, of_order)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head.strip().split("\r\n")
            method, path, _ = line.split(" ")
            headers = dict(one.split(": ", 1) for one in lines)
            length = {name.lower(): value for name, value in headers.items()}.get("content-length", "0")
            body = await reader.readexactly(int(length))
            if path in self.pages:
                self.asked.append(head)
                await self.pages[path](reader, writer)
            else:
                writer.write(await self._answer(method, path, headers, body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, httpx.HTTPError):
            return
        finally:
            with suppress(ConnectionError):
                writer.close()

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        self.passed_on.append(f"{method} {path}")
        answer = await self._sandbox.request(method, path, headers=headers, content=body)
        content, task = answer.content, path.removeprefix(_TASKS)
        if method == "POST" and answer.is_success and b'"promptText"' in body:
            of_task, of_order = self._by_prompt.get(json.loads(body)["promptText"], (truth, truth))
            self._by_task[answer.json()["id"]] = of_task
            content = _written(of_order(answer.json()))
        elif method == "GET" and task in self._by_task:
            content = _written(self._by_task[task](answer.json()))
        kind = answer.headers.get("content-type", "application/json")
        begin = (
            f"HTTP/1.1 {answer.status_code} So\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
        )
        return begin.encode() + b"Connection: close\r\n\r\n" + content


def _written(said: dict[str, Any] | bytes) -> bytes:
    return said if isinstance(said, bytes) else json.dumps(said).encode()


@asynccontextmanager
async def liar(sandbox_url: str) -> AsyncIterator[Liar]:
    """Stand before a sandbox, on a free port."""
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=30, trust_env=False) as sandbox:
        one = Liar(sandbox)
        server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
        one.url = "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname()[:2])
        try:
            yield one
        finally:
            server.close()
