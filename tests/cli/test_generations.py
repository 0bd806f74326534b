"""The commands about generations, against a pretend API over a real socket."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.cli.pretend_api import HANG_UP, ID, PATH, Answer, Script, generation, problem, serving
from tests.eventually import wait_until

ORDERS = "/v1/generations"
FILM = b"a film" * 1000
VIDEO = {
    "url": f"{PATH}/video?take=1",
    "poster_url": f"{PATH}/poster?take=1",
    "duration_seconds": 5.0,
    "width": 1280,
    "height": 720,
    "sha256": hashlib.sha256(FILM).hexdigest(),
}
COMPLETED = generation("completed", takes=[{"number": 1, "attempts": [{}], "video": VIDEO}], last_seq=9)


@pytest.fixture
def api() -> Iterator[Script]:
    with serving() as script:
        yield script


def run(script: Script, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"VIDEOPLANET_URL": script.url})


def test_an_order_is_sent_with_its_parameters_and_a_fresh_key(api: Script) -> None:
    api.on("POST", ORDERS, Answer(202, generation("pending")))
    options = [
        "--provider",
        "runway",
        "--duration",
        "5",
        "--aspect-ratio",
        "16:9",
        "--seed",
        "7",
        "--no-wait",
    ]
    options += [
        "--max-cost",
        "1.50",
        "--param",
        'camera={"pan": 1}',
        "--param",
        "style=noir",
        "--project",
        "p",
    ]
    for _ in range(2):
        assert run(api, "generate", "a fox", *options).exit_code == 0
    first, second = api.heard
    assert first.body == {
        "prompt": "a fox",
        "provider": "runway",
        "project_id": "p",
        "max_cost_usd": "1.50",
        "params": {
            "duration_seconds": 5,
            "aspect_ratio": "16:9",
            "seed": 7,
            "camera": {"pan": 1},
            "style": "noir",
        },
    }
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]


def test_a_broken_connection_repeats_the_same_order_with_the_same_key(api: Script) -> None:
    api.on("POST", ORDERS, HANG_UP, Answer(503, problem(503, "away")), Answer(202, generation("pending")))
    result = run(api, "generate", "a fox", "--no-wait")
    assert result.exit_code == 0
    assert len(api.heard) == 3
    assert len({heard.headers["Idempotency-Key"] for heard in api.heard}) == 1
    assert "trying again" in result.stderr
    assert "answers again" in result.stderr


def test_a_key_of_ones_own_is_used(api: Script) -> None:
    api.on("POST", ORDERS, Answer(202, generation("pending")))
    run(api, "generate", "a fox", "--no-wait", "--idempotency-key", "mine")
    assert api.heard[0].headers["Idempotency-Key"] == "mine"


def test_waiting_follows_by_the_last_event_seen_and_survives_a_restart_of_the_service(api: Script) -> None:
    api.on("POST", ORDERS, Answer(202, generation("pending", last_seq=1)))
    api.on("GET", PATH, Answer(200, generation(last_seq=4)), HANG_UP, Answer(200, COMPLETED))
    result = run(api, "generate", "a fox")
    assert result.exit_code == 0
    assert [heard.query["after"] for heard in api.heard[1:]] == ["1", "4", "4"]
    assert "completed" in result.stdout
    assert "sandbox, $0.00 real" in result.stdout


def test_json_is_exactly_one_document_the_final_one(api: Script) -> None:
    api.on("POST", ORDERS, Answer(202, generation("pending")))
    api.on("GET", PATH, HANG_UP, Answer(200, COMPLETED))
    result = run(api, "generate", "a fox", "--json")
    assert json.loads(result.stdout) == COMPLETED


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("failed", 1), ("cancelled", 4)])
def test_the_exit_code_says_how_it_ended(api: Script, status: str, code: int) -> None:
    error = {"category": "content_policy", "code": "x", "message": "refused", "advice": "Change the prompt."}
    api.on("POST", ORDERS, Answer(202, generation("pending")))
    api.on("GET", PATH, Answer(200, generation(status, error=error if status == "failed" else None)))
    result = run(api, "generate", "a fox")
    assert result.exit_code == code
    assert ("Change the prompt." in result.stdout) == (status == "failed")


def test_showing_a_failed_generation_is_no_failure_unless_it_was_waited_for(api: Script) -> None:
    api.on("GET", PATH, Answer(200, generation("failed")))
    assert run(api, "show", ID).exit_code == 0
    assert run(api, "show", ID, "--wait").exit_code == 1


def test_waiting_too_long_says_how_to_look_again(api: Script) -> None:
    api.on("POST", ORDERS, Answer(202, generation("pending")))
    api.on("GET", PATH, Answer(200, generation()))
    result = run(api, "generate", "a fox", "--timeout", "1")
    assert result.exit_code == 5
    assert f"videoplanet show {ID} --wait" in result.stderr


def test_nobody_there_is_exit_3_with_what_to_do() -> None:
    arguments = ["generate", "a fox", "--timeout", "0.5"]
    result = CliRunner().invoke(app, arguments, env={"VIDEOPLANET_URL": "http://127.0.0.1:9"})
    assert result.exit_code == 3
    assert "videoplanet up" in result.stderr


def test_a_broken_service_is_exit_3(api: Script) -> None:
    api.on("GET", ORDERS, Answer(500, problem(500, "Something is wrong on our side")))
    assert run(api, "list").exit_code == 3


def test_something_else_that_listens_there_is_named_as_such(api: Script) -> None:
    api.on("GET", ORDERS, Answer(200, b"<html>", "text/html"))
    result = run(api, "list")
    assert result.exit_code == 3
    assert "not VideoPlanet" in result.stderr


def test_a_refusal_names_the_field_and_what_would_be_right(api: Script) -> None:
    error = {
        "pointer": "/params/duration_seconds",
        "code": "duration_not_supported",
        "message": "gen4.5 makes videos of 2 to 10 seconds",
        "allowed": [5, 10],
        "served_by": ["google"],
    }
    api.on("POST", ORDERS, Answer(422, problem(422, "Not right", errors=[error], request_id="req_1")))
    result = run(api, "generate", "a fox", "--duration", "11")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "Not right (HTTP 422)",
        "  /params/duration_seconds: gen4.5 makes videos of 2 to 10 seconds",
        "      allowed: 5, 10",
        "      served by: google",
        "  request req_1",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "x", "--max-cost", "cheap"],
        ["generate", "x", "--param", "novalue"],
        ["show", "../providers"],
        ["generate", "x", "-o", "/nowhere/at/all.mp4"],
        ["list", "--limit", "0"],
    ],
)
def test_wrong_usage_is_exit_2_and_reaches_nobody(api: Script, arguments: list[str]) -> None:
    assert run(api, *arguments).exit_code == 2
    assert api.heard == []


def test_the_video_is_saved_whole_though_the_connection_broke(api: Script, tmp_path: Path) -> None:
    api.on("POST", ORDERS, Answer(202, generation("pending")))
    api.on("GET", PATH, Answer(200, COMPLETED))
    api.on("GET", f"{PATH}/video", HANG_UP, Answer(200, FILM, "video/mp4"))
    assert run(api, "generate", "a fox", "--no-wait", "-o", str(tmp_path / "fox.mp4")).exit_code == 0
    assert (tmp_path / "fox.mp4").read_bytes() == FILM
    assert [file.name for file in tmp_path.iterdir()] == ["fox.mp4"]


def test_a_damaged_video_is_not_saved(api: Script, tmp_path: Path) -> None:
    api.on("GET", PATH, Answer(200, COMPLETED))
    api.on("GET", f"{PATH}/video", Answer(200, FILM[:-1], "video/mp4"))
    result = run(api, "show", ID, "-o", str(tmp_path / "fox.mp4"))
    assert result.exit_code == 3
    assert "checksum" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_regenerate_sends_only_what_is_mentioned(api: Script) -> None:
    api.on("POST", f"{PATH}/regenerate", Answer(202, generation("pending")))
    assert run(api, "regenerate", ID, "--prompt", "a wolf", "--param", "seed=null").exit_code == 0
    assert api.heard[0].body == {"prompt": "a wolf", "params": {"seed": None}}


def test_cancel_says_what_came_of_it(api: Script) -> None:
    cost = {"reserved_usd": "0.00", "settled_usd": "0.60", "at_risk_usd": "0.00"}
    answer = {"generation_id": ID, "take": 1, "outcome": "too_late", "billed": True, "cost": cost}
    api.on("POST", f"{PATH}/cancel", Answer(202, answer))
    result = run(api, "cancel", ID, "--reason", "changed my mind")
    assert result.stdout == f"{ID}: cancel too late, billed, cost $0.60\n"
    assert api.heard[0].body == {"reason": "changed my mind"}


def test_a_list_is_filtered_and_names_the_next_page(api: Script) -> None:
    api.on("GET", ORDERS, Answer(200, {"data": [COMPLETED], "has_more": True, "next": "abc"}))
    result = run(api, "list", "--status", "completed", "--project", "p", "--limit", "1")
    assert api.heard[0].query == {"status": "completed", "project_id": "p", "limit": "1"}
    assert ID in result.stdout
    assert "--cursor abc" in result.stdout


def _event(seq: int, kind: str) -> dict[str, object]:
    return {"seq": seq, "type": kind, "at": "2026-01-02T03:04:05Z", "message": f"event {seq}"}


def test_events_are_read_page_by_page(api: Script) -> None:
    pages = [{"data": [_event(1, "a")], "has_more": True}, {"data": [_event(2, "b")], "has_more": False}]
    api.on("GET", f"{PATH}/events", *(Answer(200, page) for page in pages))
    result = run(api, "events", ID, "--json")
    assert [event["seq"] for event in json.loads(result.stdout)["data"]] == [1, 2]
    assert [heard.query["after"] for heard in api.heard] == ["0", "1"]


def test_followed_events_come_once_each_though_the_stream_breaks(api: Script) -> None:
    frames = [f"id: {seq}\nevent: x\ndata: {json.dumps(_event(seq, 'x'))}\n\n" for seq in (1, 2, 3)]
    streams = ["retry: 1000\n\n" + frames[0] + frames[1], frames[1] + ": still here\n\n" + frames[2]]
    api.on("GET", f"{PATH}/events", *(Answer(200, text.encode(), "text/event-stream") for text in streams))
    api.on("GET", PATH, Answer(200, generation(last_seq=3)), Answer(200, generation("completed", last_seq=3)))
    result = run(api, "events", ID, "--follow", "--json")
    assert [json.loads(line)["seq"] for line in result.stdout.splitlines()] == [1, 2, 3]
    asked = [heard.headers["Last-Event-ID"] for heard in api.heard if heard.path.endswith("/events")]
    assert asked == ["0", "2"]


def test_ctrl_c_while_waiting_leaves_it_running_and_says_how_to_look_again(api: Script) -> None:
    api.on("POST", ORDERS, Answer(202, generation("pending")))
    api.on("GET", PATH, Answer(200, generation()))
    line = [sys.executable, "-m", "cli.main", "generate", "a fox"]
    environ = os.environ | {"VIDEOPLANET_URL": api.url}
    waiting = subprocess.Popen(line, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: len(api.heard) > 1, what="it waits")
    waiting.send_signal(signal.SIGINT)
    output, notes = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert f"{ID} goes on" in notes
    assert "Traceback" not in output + notes
    assert not any(heard.path.endswith("/cancel") for heard in api.heard)


def test_help_documents_the_exit_codes() -> None:
    result = CliRunner().invoke(app, ["generate", "--help"])
    for words in ("1 the generation", "2 wrong usage", "3 the service", "4 the generation", "5 timed out"):
        assert words in " ".join(result.stdout.split())
