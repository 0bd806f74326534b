"""OWASP API10:2023, unsafe consumption of APIs: what a provider answers is believed no more than what a stranger sends.

Every lie is told at once, each about an order of its own; the provider is the sandbox behind a liar.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.providers.raw import RawServer, answers, raw_server
from tests.security.liar import Lie, truth
from tests.security.town import MAX_OUTPUT_BYTES, Town, an_order
from tests.stack import ROOT

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
LEADS_ASTRAY = "../../_sandbox/reset?"
GARBLED: list[bytes] = [
    b"<html>",
    b'{"status": ["SUCCEEDED"]}',
    b"[" * 100_000,
    b'{"a":' + b"9" * 2_000_000 + b"}",
]


@dataclass(frozen=True)
class Lies:
    """How the generations ended about which was lied, and who was asked inside.

    Attributes:
        ends: By the name of the lie.
        inside: A server that nobody has configured; whoever asks it was led there.
    """

    ends: dict[str, dict[str, Any]]
    inside: RawServer


def over(state: str, **told: Any) -> Lie:
    """Say that it is over as soon as it is, and how."""

    def lie(said: dict[str, Any]) -> dict[str, Any]:
        return said | {"status": state} | told if said["status"] == "SUCCEEDED" else said

    return lie


def at_first(garbled: list[bytes]) -> Lie:
    """Answer with garbage before the truth."""
    left = list(garbled)

    def lie(said: dict[str, Any]) -> dict[str, Any] | bytes:
        return left.pop(0) if left else said

    return lie


def renamed(said: dict[str, Any]) -> dict[str, Any]:
    return said | {"id": LEADS_ASTRAY}


async def end_or_last_look(town: Town, generation_id: str) -> dict[str, Any]:
    """A generation at its end; as it stands where a lie keeps it from ending, so that only that lie's test fails."""
    try:
        return await town.stack.end_of(generation_id, within=90)
    except AssertionError:
        return await town.stack.look(generation_id)


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A film that has no end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n\0\0\0\x18ftypmp42")
    while not writer.is_closing():
        writer.write(bytes(1 << 18))
        await writer.drain()


@pytest.fixture(scope="module")
async def lies(town: Town) -> AsyncIterator[Lies]:
    """Everything that a provider may say, said at once."""
    liar = town.provider
    async with raw_server(answers(200, b"what is inside")) as inside:
        onward = liar.has("/onward.mp4", answers(302, b"", {"Location": f"{inside.url}/onward.mp4"}))
        no_end = liar.has("/endless.mp4", endless)
        page = liar.has("/page.mp4", answers(200, SCRIPT.encode(), {"Content-Type": "video/mp4"}))
        told: dict[str, Callable[[dict[str, Any]], dict[str, Any] | bytes]] = {
            "an output inside": over("SUCCEEDED", output=[f"{inside.url}/film.mp4"]),
            "an output at the metadata": over(
                "SUCCEEDED", output=["http://169.254.169.254/latest/meta-data/"]
            ),
            "an output that is a file": over("SUCCEEDED", output=["file:///etc/passwd"]),
            "an output that leads on": over("SUCCEEDED", output=[onward]),
            "an output without an end": over("SUCCEEDED", output=[no_end]),
            "an output that is a page": over("SUCCEEDED", output=[page]),
            "a bill of millions": over("SUCCEEDED", cost={"credits": 10**8}),
            "a bill below nothing": over("SUCCEEDED", cost={"credits": -60}),
            "a bill in words": over("SUCCEEDED", cost={"credits": "60; DROP TABLE ledger"}),
            "a message with a script": over(
                "FAILED", failureCode="INTERNAL\r\nX-Evil: 1", failure=SCRIPT * 999
            ),
            "garbage at first": at_first(GARBLED),
        }
        for prompt, lie in told.items():
            liar.lie(prompt, of_task=lie)
        liar.lie("a job id that leads astray", of_task=truth, of_order=renamed)
        ids = {}
        for prompt in (*told, "a job id that leads astray"):
            order = an_order(prompt, "runway") | {"allow_duplicate": True}
            answer = await town.ann.post("/v1/generations", json=order)
            assert answer.status_code == 202, answer.text
            ids[prompt] = answer.json()["id"]
        ended = await asyncio.gather(*(end_or_last_look(town, one) for one in ids.values()))
        yield Lies(dict(zip(ids, ended, strict=True)), inside)


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ("an output inside", "output_refused"),
        ("an output at the metadata", "output_refused"),
        ("an output that is a file", "output_gone"),
        ("an output that leads on", "output_refused"),
        ("an output without an end", "too_large"),
        ("an output that is a page", "unplayable"),
    ],
)
async def test_an_output_is_fetched_from_outside_only_and_proved_to_be_a_video(
    town: Town, lies: Lies, lie: str, code: str
) -> None:
    end = lies.ends[lie]
    assert (end["status"], end["error"]["category"], end["error"]["code"]) == ("failed", "bad_output", code)
    assert lies.inside.connections == 0
    assert "what is inside" not in str(end)
    assert (end["takes"][0]["video"], end["links"]["video"]) == (None, None)
    kept = [path for path in (town.stack.data_dir / "assets").rglob("*") if path.is_file()]
    assert not [path for path in kept if path.stat().st_size >= MAX_OUTPUT_BYTES]


@pytest.mark.parametrize("lie", ["a bill of millions", "a bill below nothing", "a bill in words"])
async def test_a_bill_that_nobody_can_believe_is_none(lies: Lies, lie: str) -> None:
    end = lies.ends[lie]
    assert end["status"] == "completed", end["error"]
    assert end["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.24", "at_risk_usd": "0.00"}


async def test_what_a_provider_says_stays_text_and_short(town: Town, lies: Lies) -> None:
    end = lies.ends["a message with a script"]
    assert (end["status"], end["error"]["category"]) == ("failed", "server_error")
    assert len(end["error"]["message"]) <= 500
    assert len(end["error"]["code"]) <= 100
    path = f"/v1/generations/{end['id']}"
    for answer in (await town.ann.get(path), await town.ann.get(f"{path}/events")):
        assert "onerror" in answer.text, "it is told as it is"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "x-evil" not in answer.headers


def test_our_page_writes_text_and_never_markup() -> None:
    scripts = {path.name: path.read_text() for path in (ROOT / "api" / "static").rglob("*.js")}
    assert scripts
    markup = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    )
    assert {name for name, text in scripts.items() if markup.search(text)} == set()


async def test_answers_that_cannot_be_read_change_nothing(lies: Lies) -> None:
    end = lies.ends["garbage at first"]
    assert end["status"] == "completed", end["error"]
    assert end["cost"]["settled_usd"] == "0.24"


async def test_a_job_s_id_leads_nowhere_else(town: Town, lies: Lies) -> None:
    end = lies.ends["a job id that leads astray"]
    assert (end["status"], end["error"]["category"]) == ("failed", "submission_unknown")
    assert end["cost"]["at_risk_usd"] == "0.24"
    assert not [request for request in town.provider.passed_on if "_sandbox" in request]


async def test_no_key_goes_along_to_where_a_provider_sends_us(town: Town, lies: Lies) -> None:
    assert lies.ends
    fetched = [head.lower() for head in town.provider.asked if ".mp4" in head]
    assert len(fetched) >= 3
    for head in fetched:
        assert "authorization" not in head
        assert "cookie" not in head
