"""How hard each provider was used, measured where it stands: creations, the gaps between them, jobs at once."""

from __future__ import annotations

import math
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.arrivals import ArrivalBook, Door, most_at_once
from tests.sandbox.live import HEADERS, LiveSandbox, eventually, live_sandbox
from tests.sandbox.test_process import client, process

PROVIDERS = {"runway", "seedance", "stable-video"}
UNUSED: dict[str, Any] = {"creates": 0, "min_gap_seconds": None, "max_at_once": 0, "arrivals": []}


def load(sandbox: LiveSandbox, provider: str = "runway") -> dict[str, Any]:
    providers: dict[str, dict[str, Any]] = sandbox.control.get("/_sandbox/load").json()["providers"]
    assert providers.keys() == PROVIDERS
    return providers[provider]


def test_nobody_has_come_yet(sandbox: LiveSandbox) -> None:
    assert [load(sandbox, provider) for provider in PROVIDERS] == [UNUSED] * len(PROVIDERS)


def test_every_creation_counts_whatever_became_of_it(sandbox: LiveSandbox) -> None:
    before = time.time()
    sandbox.create()
    sandbox.arm("create", "status:503")
    sandbox.arm("create", "reset_connection")
    sandbox.arm("create", "drop_reply")
    sandbox.order()
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            sandbox.order()
    assert sandbox.order(model="no such model").status_code == 400
    sandbox.runway.post("/v1/text_to_video", content=b"{", headers={"Authorization": "Bearer invalid"})
    seen = load(sandbox)
    assert seen["creates"] == 6
    assert len(seen["arrivals"]) == 6
    assert [before, *seen["arrivals"]] == sorted([before, *seen["arrivals"]])
    assert seen["arrivals"][-1] <= time.time()


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("runway", "/v1/image_to_video"),
        ("seedance", "/api/v3/contents/generations/tasks"),
        ("stable-video", "/v2beta/image-to-video"),
    ],
)
def test_each_provider_has_a_door_of_its_own(sandbox: LiveSandbox, provider: str, path: str) -> None:
    assert sandbox.runway.post(path, content=b"{}").is_client_error
    assert {name: load(sandbox, name)["creates"] for name in PROVIDERS} == dict.fromkeys(PROVIDERS, 0) | {
        provider: 1
    }


def test_polls_and_lists_are_no_creations(sandbox: LiveSandbox) -> None:
    sandbox.finished(sandbox.create())
    sandbox.runway.get("/api/v3/contents/generations/tasks")
    assert (load(sandbox)["creates"], load(sandbox, "seedance")["creates"]) == (1, 0)


def test_the_smallest_gap_is_the_one_between_two_neighbours(sandbox: LiveSandbox) -> None:
    sandbox.create()
    assert load(sandbox)["min_gap_seconds"] is None
    for _ in range(5):
        sandbox.create()
    seen = load(sandbox)
    gaps = [later - earlier for earlier, later in zip(seen["arrivals"], seen["arrivals"][1:], strict=False)]
    assert seen["min_gap_seconds"] == pytest.approx(min(gaps), abs=1e-6)


def test_a_creation_arrives_with_its_headers_however_late_its_body_comes(sandbox: LiveSandbox) -> None:
    sandbox.create()  # the first connection is made
    fields = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    head = f"POST /v1/text_to_video HTTP/1.1\r\nHost: sandbox\r\n{fields}Content-Length: 2\r\n\r\n"
    with socket.create_connection(("127.0.0.1", httpx.URL(sandbox.base_url).port or 0)) as slow:
        slow.sendall(head.encode())
        (_, at) = eventually(lambda: load(sandbox)["arrivals"], until=lambda arrivals: len(arrivals) == 2)
        sandbox.create()
        slow.sendall(b"{}")
        assert slow.recv(12) == b"HTTP/1.1 400"
    assert load(sandbox)["arrivals"][1] == at
    assert load(sandbox)["creates"] == 3


def test_jobs_at_once_are_counted_from_creation_to_end() -> None:
    with live_sandbox(seconds=0.3) as sandbox:
        first = sandbox.create()
        sandbox.finished(first)
        sandbox.create("[sandbox:stuck]")
        together = [sandbox.create() for _ in range(2)]
        assert load(sandbox)["max_at_once"] == 3
        for task_id in together:
            sandbox.finished(task_id)
        sandbox.create()
        assert load(sandbox)["max_at_once"] == 3


def test_a_throttled_job_counts_and_a_cancelled_one_no_longer() -> None:
    with live_sandbox(seconds=60, max_concurrent=1) as sandbox:
        for _ in range(4):
            sandbox.runway.delete(f"/v1/tasks/{sandbox.create()}")
        assert load(sandbox)["max_at_once"] == 1
        sandbox.create()
        sandbox.create()
        assert load(sandbox)["max_at_once"] == 2


def test_a_reset_forgets_it(sandbox: LiveSandbox) -> None:
    sandbox.create()
    sandbox.reset()
    assert load(sandbox) == UNUSED
    sandbox.create()
    assert (load(sandbox)["creates"], load(sandbox)["min_gap_seconds"]) == (1, None)


def test_it_survives_kill_9_with_the_jobs(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--data-dir", str(tmp_path), "--seconds", "60")
    with process(*arguments) as (running, line), client(line) as sandbox:
        for _ in range(3):
            sandbox.create()
        before = load(sandbox)
        running.send_signal(signal.SIGKILL)
        running.wait()
    with process(*arguments) as (_, line), client(line) as sandbox:
        assert load(sandbox) == before
        sandbox.create()
        after = load(sandbox)
    assert (after["creates"], after["max_at_once"]) == (4, 4)
    assert after["arrivals"][:3] == before["arrivals"]
    assert after["min_gap_seconds"] == before["min_gap_seconds"]


def test_only_the_newest_arrivals_are_kept_one_by_one_but_all_are_counted() -> None:
    book = ArrivalBook(None, kept=3)
    for at in (1.0, 1.5, 3.0, 7.0, 9.0):
        book.add("runway", at)
    assert book.at("runway") == Door(creates=5, min_gap_seconds=0.5, arrivals=(3.0, 7.0, 9.0))
    assert book.at("seedance") == Door()
    book.close()


def test_a_clock_that_was_set_back_makes_no_gap_below_nothing() -> None:
    book = ArrivalBook(None)
    for at in (5.0, 4.0, 9.0):
        book.add("runway", at)
    assert book.at("runway").min_gap_seconds == 0.0
    book.close()


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(1, 2)], 1),
        ([(1, 2), (2, 3)], 1),
        ([(1, 2), (1.9, 3)], 2),
        ([(1, math.inf), (2, math.inf), (3, 4), (4, 5)], 3),
        ([(1, 1), (1, 1)], 0),
    ],
)
def test_spans_that_only_touch_are_not_at_once(spans: list[tuple[float, float]], most: int) -> None:
    assert most_at_once(spans) == most
