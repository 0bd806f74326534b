"""`videoplanet why`: the story of a generation as a plain timeline, and what it waits for now."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.asking.story import timeline
from cli.main import app
from tests.cli.pretend_api import ID, PATH, Answer, Script, generation, problem, serving
from tests.cli.real import videoplanet
from tests.stack import Stack

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[Script]:
    with serving() as script:
        yield script


def an_event(seconds: float, message: str, **fields: Any) -> dict[str, Any]:
    at = (BEGAN + timedelta(seconds=seconds)).isoformat()
    shown = {"seq": 1, "type": "attempt.queued", "take": 1, "attempt": None, "at": at, "message": message}
    return shown | fields


def told(api: Script, state: dict[str, Any], *events: dict[str, Any]) -> list[str]:
    numbered = [event | {"seq": seq} for seq, event in enumerate(events, start=1)]
    api.on("GET", PATH, Answer(200, state))
    api.on("GET", f"{PATH}/events", Answer(200, {"data": numbered, "has_more": False, "next": None}))
    ended = CliRunner().invoke(app, ["why", ID], env={"VIDEOPLANET_URL": api.url})
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout.splitlines()


def test_times_are_told_from_the_beginning() -> None:
    lines = list(
        timeline(
            [
                an_event(0, "Accepted."),
                an_event(0.25, "Waiting for a turn.", attempt=1),
                an_event(59.96, "Sending.", attempt=1),
                an_event(75, "Another one.", attempt=2),
                an_event(3725, "The end."),
            ]
        )
    )
    assert [line.split() for line in lines] == [
        ["+0.0", "s", "take", "1", "Accepted."],
        ["+0.2", "s", "take", "1,", "no.", "1", "Waiting", "for", "a", "turn."],
        ["+60.0", "s", "Sending."],
        ["+1:15", "take", "1,", "no.", "2", "Another", "one."],
        ["+1:02:05", "take", "1", "The", "end."],
    ]


def test_of_progress_only_the_last_word_is_told() -> None:
    progress = [an_event(number, f"{number} % done.", type="attempt.progress") for number in range(1, 5)]
    lines = list(timeline([an_event(0, "Accepted."), *progress, an_event(9, "Done.")]))
    assert [line.split("  ")[-1].strip() for line in lines] == ["Accepted.", "4 % done.", "Done."]
    assert list(timeline([])) == []


def test_a_wait_in_the_queue_is_explained(api: Script) -> None:
    place = {
        "account": "runway",
        "position": 3,
        "of": 7,
        "reason": "cap",
        "message": "All 3 places at Runway are taken.",
        "eta_seconds": 42,
    }
    lines = told(api, generation(stage="queued", queue=place), an_event(0, "Accepted [bold]."))
    assert lines[0] == f"{ID}  a fox"
    assert lines[1].endswith("Accepted [bold].")
    assert lines[2].split("  ")[-1].startswith("waiting for a free place, 3 of 7")
    assert [line.strip() for line in lines[3:]] == [
        "All 3 places at Runway are taken.",
        "its turn comes in about 42 s",
        "cost: sandbox, $0.00 real (a real provider: $0.60)",
    ]


def test_a_wait_for_another_attempt_says_when_it_ends(api: Script) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=3)).isoformat()
    lines = told(api, generation(stage="waiting_retry", retry_at=soon), an_event(0, "Accepted."))
    assert "the next attempt begins in 3 min" in lines[-2]
    assert "waiting before another attempt" in lines[-3]


def test_a_failure_is_told_with_its_advice(api: Script) -> None:
    error = {"category": "auth", "code": "x", "message": "The key is wrong.", "advice": "Ask the operator."}
    lines = [line.strip() for line in told(api, generation("failed", error=error), an_event(0, "Accepted."))]
    assert lines[2:5] == ["in the end  failed", "auth: The key is wrong.", "Ask the operator."]


def test_an_unknown_generation_is_refused(api: Script) -> None:
    api.on("GET", PATH, Answer(404, problem(404, "There is no such thing")))
    ended = CliRunner().invoke(app, ["why", ID], env={"VIDEOPLANET_URL": api.url})
    assert ended.exit_code == 2
    assert CliRunner().invoke(app, ["why", "nonsense"], env={"VIDEOPLANET_URL": api.url}).exit_code == 2


async def test_the_story_of_a_fallback_is_readable(stack: Stack) -> None:
    await stack.fault("create", "status:400")
    done = await stack.end_of((await stack.order(fallback_providers=["seedance"]))["id"])
    assert done["status"] == "completed", done["error"]
    lines = (await videoplanet(stack, "why", done["id"])).output.splitlines()
    decided = next(line for line in lines if "going on with Seedance" in line)
    assert "Runway refused the input" in decided
    assert any("no. 2" in line for line in lines)
    assert any(line.strip().startswith("in the end  completed") for line in lines)
    document = (await videoplanet(stack, "why", done["id"], "--json")).document
    assert document["generation"]["id"] == done["id"]
    assert document["events"][-1]["seq"] == done["last_seq"]
