"""The line-up in a terminal: what can be made, from what, and for how much."""

import asyncio
import os
import pty
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.cli.pretend_api import Answer, Script, serving
from tests.cli.real import videoplanet
from tests.stack import ROOT, Stack

COLUMNS = 80


@pytest.fixture
def api() -> Iterator[Script]:
    with serving() as script:
        yield script


def shown(script: Script, *providers: dict[str, Any]) -> str:
    script.on("GET", "/v1/providers", Answer(200, {"data": list(providers)}))
    return CliRunner().invoke(app, ["providers"], env={"VIDEOPLANET_URL": script.url}).stdout


def provider(**fields: Any) -> dict[str, Any]:
    price = {
        "unit": "million_tokens",
        "usd": "2.40",
        "silent_usd": "1.20",
        "example_usd": "0.261360",
        "example_seconds": 5,
        "is_certain": False,
        "read_on": "2026-11-23",
    }
    mode = {
        "mode": "image_to_video",
        "image_required": True,
        "duration_seconds": [4, 5, 6],
        "sizes": [{"pixels": "1280x720", "resolution": "720p", "aspect_ratio": "16:9"}],
        "price": price,
    }
    model = {"id": "m-1", "needs_image": True, "modes": [mode], "facts_read": "2026-11-23"}
    return {"id": "p", "name": "P", "mode": "live", "retired": None, "models": [model]} | fields


def test_a_model_is_shown_with_what_it_needs_and_what_it_costs(api: Script) -> None:
    head, _, row = shown(api, provider()).splitlines()[:3]
    assert head == "P (p), live, facts of 2026-11-23"
    for words in (
        "m-1",
        "image only",
        "4-6",
        "720p: 16:9",
        "$2.40/1M tokens",
        "$1.20 if silent",
        "5 s: $0.26",
    ):
        assert words in row
    assert "uncertain" in row


def test_a_door_that_is_closed_says_since_when_and_what_instead(api: Script) -> None:
    text = shown(api, provider(retired={"on": "2025-07-24", "instead": "Use another."}))
    assert "retired since 2025-07-24: Use another." in text


def test_no_providers_at_all_points_to_the_doctor(api: Script) -> None:
    assert "videoplanet doctor" in shown(api)


async def test_json_is_what_the_service_says(stack: Stack) -> None:
    page = (await videoplanet(stack, "providers", "--json")).document
    assert [provider["id"] for provider in page["data"]] == ["runway", "seedance", "stable-video"]


async def test_the_whole_line_up_is_readable_at_80_columns(stack: Stack) -> None:
    text = await _in_a_terminal(stack, "providers")
    assert max(map(len, text.splitlines())) <= COLUMNS
    for model in ("gen4.5", "gen4_turbo", "dreamina-seedance-2-5-260628", "svd"):
        assert model in text
    assert "…" not in text


async def _in_a_terminal(stack: Stack, *arguments: str) -> str:
    ours, theirs = pty.openpty()
    environ = stack.environment | {"VIDEOPLANET_URL": stack.api_url, "COLUMNS": str(COLUMNS), "NO_COLOR": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, cwd=ROOT, env=environ | {"TERM": "dumb"}, stdout=theirs
    )
    os.close(theirs)
    text = await asyncio.to_thread(_all_of, ours)
    assert await process.wait() == 0
    return text


def _all_of(descriptor: int) -> str:
    """Read until the other side is closed, which Linux tells as an error."""
    data = b""
    with suppress(OSError):
        while chunk := os.read(descriptor, 65536):
            data += chunk
    os.close(descriptor)
    return data.decode()
