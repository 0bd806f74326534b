"""The queue and the operators' controls in a terminal: against a pretend API, and once against a real one."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.api.paused import occupied, resume_account, say, stop, waits
from tests.cli.pretend_api import ID, PATH, Answer, Script, generation, problem, serving
from tests.cli.real import videoplanet
from tests.stack import Stack

TOLD = "Runway is paused by the operator: a [bold] test."


@pytest.fixture
def api() -> Iterator[Script]:
    with serving() as script:
        yield script


def run(script: Script, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"VIDEOPLANET_URL": script.url})


def an_account(**fields: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "account": "runway",
        "name": "Runway",
        "state": "open",
        "pause_reason": None,
        "breaker": {"state": "closed", "until": None, "cause": None},
        "max_concurrent": 3,
        "spacing_seconds": 5.0,
        "running": 2,
        "waiting": 7,
        "job_seconds": 41.2,
        "hold_off_until": None,
    }
    return shown | fields


def an_entry(**fields: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": ID,
        "prompt": "a fox",
        "stage": "queued",
        "provider": "runway",
        "progress": {"percent": 0, "source": None, "as_of": None},
        "eta_seconds": None,
        "queue": None,
        "retry_at": None,
    }
    return shown | fields


def a_page(**fields: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "paused": False,
        "accounts": [an_account()],
        "processing": [],
        "processing_count": 0,
        "waiting": [],
        "waiting_count": 0,
        "has_more": False,
        "next": None,
    }
    return shown | fields


def shown(api: Script, **fields: Any) -> str:
    api.on("GET", "/v1/queue", Answer(200, a_page(**fields)))
    ended = run(api, "queue")
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout


def test_an_account_is_a_line(api: Script) -> None:
    head, line, *rest = shown(api).splitlines()
    assert head.split("  ")[0] == "account"
    assert line.split() == ["runway", "open", "2", "of", "3", "7", "41", "s"]
    assert "nothing of yours" in rest[-1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "paused", "pause_reason": "a [bold] test"}, ["paused", "a [bold] test"]),
        (
            {
                "state": "breaker_open",
                "breaker": {"state": "open", "until": "2026-01-02T03:04:05Z", "cause": "server_error"},
            },
            ["left alone", "no orders after server_error until "],
        ),
        ({"state": "unknown"}, ["does not answer"]),
        ({"hold_off_until": "2026-01-02T03:04:05Z"}, ["asked everybody to wait until "]),
    ],
    ids=["paused", "breaker", "unknown", "hold-off"],
)
def test_why_an_account_takes_no_orders_is_said(
    api: Script, fields: dict[str, Any], words: list[str]
) -> None:
    text = shown(api, accounts=[an_account(**fields)])
    for one in words:
        assert one in text


def test_who_waits_is_shown_with_place_reason_and_time(api: Script) -> None:
    place = {
        "account": "runway",
        "position": 3,
        "of": 7,
        "reason": "paused",
        "message": TOLD,
        "eta_seconds": 90,
    }
    retry = an_entry(stage="waiting_retry", retry_at="2026-01-02T03:04:05Z")
    running = an_entry(stage="generating", eta_seconds=12, progress={"percent": 40})
    text = shown(
        api,
        processing=[running],
        processing_count=1,
        waiting=[an_entry(queue=place), retry, an_entry(stage="accepted")],
        waiting_count=9,
        has_more=True,
        next="abc",
    )
    lines = text.splitlines()
    waiting = lines.index("waiting: 9")
    assert lines[waiting + 2].split("  ") == [ID, "3 of 7", "90 s", TOLD]
    assert "The next attempt at runway begins now." in lines[waiting + 3]
    assert lines[waiting + 4].split() == [ID, "accepted"]
    making = lines[lines.index("in the making: 1") + 2]
    for word in (ID, "runway", "40", "12 s", "generating"):
        assert word in making
    assert lines[-1] == "more with --cursor abc"


def test_a_paused_queue_says_how_to_go_on(api: Script) -> None:
    assert "videoplanet queue resume" in shown(api, paused=True)


def test_the_pages_are_asked_for(api: Script) -> None:
    api.on("GET", "/v1/queue", Answer(200, a_page()))
    assert run(api, "queue", "--limit", "2", "--cursor", "abc", "--json").exit_code == 0
    assert api.heard[0].query == {"limit": "2", "cursor": "abc"}
    assert run(api, "queue", "--limit", "0").exit_code == 2


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_ones_own_queue_is_paused_and_resumed(api: Script, verb: str) -> None:
    api.on("POST", f"/v1/queue/{verb}", Answer(200, a_page(paused=verb == "pause")))
    ended = run(api, "queue", verb)
    assert ended.exit_code == 0
    assert ("your queue is paused" in ended.stdout) == (verb == "pause")
    assert api.heard[0].headers["Idempotency-Key"]


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        (["pause", "runway", "--reason", "a test"], "pause", {"reason": "a test"}),
        (["resume", "runway"], "resume", {}),
        (["reset-breaker", "runway"], "reset_breaker", {}),
    ],
)
def test_an_operator_controls_an_account(
    api: Script, arguments: list[str], path: str, body: dict[str, str]
) -> None:
    answer = an_account(state="paused", pause_reason="a test")
    api.on("POST", f"/v1/providers/runway/{path}", Answer(200, answer))
    ended = run(api, "providers", *arguments)
    assert ended.stdout == "Runway (runway): paused; a test; 2 of 3 running, 7 waiting; a job takes 41 s\n"
    assert api.heard[0].body == body


def test_a_pause_needs_a_reason_and_an_account_that_can_be_one(api: Script) -> None:
    assert run(api, "providers", "pause", "runway").exit_code == 2
    assert run(api, "providers", "resume", "../queue").exit_code == 2
    assert api.heard == []
    api.on("POST", "/v1/providers/nobody/resume", Answer(404, problem(404, "There is no account of this id")))
    refused = run(api, "providers", "resume", "nobody")
    assert refused.exit_code == 2
    assert "There is no account" in refused.stderr


def test_a_cancel_can_be_looked_at_before(api: Script) -> None:
    cost = {"reserved_usd": "0.00", "settled_usd": "0.60", "at_risk_usd": "0.00"}
    told = {"outcome": "stopped", "billed": True, "cost": cost, "message": "Runway would stop it."}
    api.on("GET", f"{PATH}/cancel-preview", Answer(200, told))
    ended = run(api, "cancel", "--preview", ID)
    assert ended.stdout == f"{ID}: Runway would stop it. cost then: $0.60\n"
    assert [heard.method for heard in api.heard] == ["GET"]


def test_waiting_is_shown_with_the_place_and_the_reason(api: Script) -> None:
    place = {
        "account": "runway",
        "position": 3,
        "of": 7,
        "reason": "paused",
        "message": TOLD,
        "eta_seconds": None,
    }
    api.on("GET", PATH, Answer(200, generation(stage="queued", queue=place)))
    assert f"waiting for a free place, 3 of 7, {TOLD[:-1]}" in run(api, "show", ID).stdout


async def test_a_person_reads_at_the_terminal_why_nothing_moves(narrow: Stack) -> None:
    async with occupied(narrow):
        paused = await videoplanet(narrow, "providers", "pause", "runway", "--reason", "a [bold] test")
        try:
            assert paused.output.startswith("Runway (runway): paused; a [bold] test; 1 of 1 running")
            ordered = await narrow.order("one that waits")
            await waits(narrow, ordered["id"], "paused")
            told = (await videoplanet(narrow, "queue")).output
            assert "1 of 1" in told
            assert TOLD in told
            assert "in the making: 1" in told
            for command in (["show", ordered["id"]], ["why", ordered["id"]]):
                assert TOLD[:-1] in (await videoplanet(narrow, *command)).output
            assert "paused; a [bold] test" in (await videoplanet(narrow, "providers")).output
            own = await videoplanet(narrow, "queue", "pause", "--json")
            assert own.document["paused"] is True
            assert (await videoplanet(narrow, "queue", "resume", "--json")).document["paused"] is False
            preview = await videoplanet(narrow, "cancel", "--preview", ordered["id"])
            assert "would be stopped and cost nothing. cost then: $0.00" in preview.output
        finally:
            await say(narrow, "/v1/queue/resume")
            await resume_account(narrow)
        await stop(narrow, ordered["id"])
    unpaused = await videoplanet(narrow, "providers", "reset-breaker", "runway", "--json")
    assert unpaused.document["state"] == "open"
