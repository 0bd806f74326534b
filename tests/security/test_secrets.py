"""Provider keys stay in the activities that need them, prompts out of the logs: canaries are planted and looked for.

A key is planted as a deployment has it, and the providers' side does its worst: it says the key back in its errors.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.stack import Stack

RUNWAY, SEEDANCE = "key_canary-of-runway-5f1c0e", "ark-canary-of-seedance-77ab2d"
PROMPT = "a canary that sings one song only"


@asynccontextmanager
async def telltale(answers: list[str | None]) -> AsyncIterator[str]:
    """A provider that fails and says back all it was sent, the key too; None: it hangs up. The last answer stays."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            sent = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?i)^content-length: *(\d+)", sent, re.MULTILINE)
            sent += (await reader.readexactly(int(length[1]) if length else 0)).decode("latin-1")
            status = answers.pop(0) if len(answers) > 1 else answers[0]
            if status is not None:
                body = f"you sent: {sent}".replace('"', "'").replace("\r\n", " ")
                text = f'{{"error": {{"code": "InternalError", "message": "{body}"}}}}'
                head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}"
                writer.write(f"{head}\r\nConnection: close\r\n\r\n{text}".encode("latin-1"))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def live(folder: Path, answers: list[str | None]) -> AsyncIterator[Stack]:
    """A house in live mode, whose Runway is the sandbox and whose Seedance is a telltale."""
    async with telltale(answers) as url:
        stack = Stack(folder)
        keys = {"RUNWAY_API_KEY": RUNWAY, "SEEDANCE_API_KEY": SEEDANCE, "VIDEOPLANET_MODE": "live"}
        urls = {"VIDEOPLANET_RUNWAY_BASE_URL": stack.sandbox_url, "VIDEOPLANET_SEEDANCE_BASE_URL": url}
        stack.environment |= keys | urls | {"VIDEOPLANET_LOOK_UP_SECONDS": "3"}
        try:
            yield await stack.start()
        finally:
            await stack.close()


def files_with(folder: Path, words: list[str]) -> list[str]:
    """Which files under a folder hold which of the words."""
    return [
        f"{path.relative_to(folder)}: {word}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for word in words
        if word.encode() in path.read_bytes()
    ]


async def everything_said(stack: Stack, generation_id: str) -> str:
    """All that users and operators can read of a generation."""
    paths = ["", "/events", "/workflow", "/cancel-preview", "/video"]
    answers = [await stack.http.get(f"/v1/generations/{generation_id}{path}") for path in paths]
    others = [
        await stack.http.get(path) for path in ("/v1/providers", "/v1/queue", "/readyz", "/openapi.json")
    ]
    history = await stack.temporal("workflow", "show", "-w", generation_id, "-o", "json")
    said = [
        f"{answer.headers} {answer.text}"
        for answer in [*answers, *others]
        if answer.headers.get("content-type") != "video/mp4"
    ]
    return history + "".join(said)


@pytest.mark.parametrize("answer", ["401 Unauthorized", "500 Internal Server Error", "400 Bad Request", None])
async def test_no_key_is_anywhere_and_no_prompt_is_in_a_log(tmp_path: Path, answer: str | None) -> None:
    async with live(tmp_path, [answer]) as stack:
        good = await stack.order(PROMPT)
        failing = await stack.order(PROMPT, provider="seedance", max_cost_usd=5)
        reset = await stack.order(f"{PROMPT} [sandbox:fail_job=SAFETY.INPUT.TEXT]")
        refused = await stack.http.post("/v1/generations", json={"prompt": PROMPT * 100, "provider": PROMPT})
        assert refused.status_code == 422
        assert PROMPT not in refused.text, "a problem does not say the prompt back"
        said = ""
        for ordered in (good, failing, reset):
            await stack.end_of(ordered["id"], within=90)
            said += await everything_said(stack, ordered["id"])
        assert not [key for key in (RUNWAY, SEEDANCE) if key in said]
        for part in ("worker", "api"):
            await stack.kill(part, 15)
    assert files_with(tmp_path, [RUNWAY, SEEDANCE]) == []
    assert [found for found in files_with(tmp_path, [PROMPT]) if ".log:" in found] == []
    assert any("videoplanet.db" in found for found in files_with(tmp_path, [PROMPT])), "the search can find"
    assert any("temporal.db" in found for found in files_with(tmp_path, [good["id"]])), "the search can find"
