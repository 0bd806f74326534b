"""The sandbox as a process of its own: started, killed, started again, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.sandbox.live import HEADERS, LiveSandbox, eventually

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def process(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox process that listens, and the line in which it said so."""
    command = [sys.executable, "-m", "sandbox", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VIDEOPLANET_")}
    with subprocess.Popen(
        command, cwd=ROOT, env=clean | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline()
        finally:
            running.kill()


@contextlib.contextmanager
def client(line: str) -> Iterator[LiveSandbox]:
    sandbox = LiveSandbox(next(word.rstrip(",") for word in line.split() if word.startswith("http://")))
    try:
        yield sandbox
    finally:
        sandbox.close()


def test_jobs_survive_kill_9_and_go_on_where_the_clock_is(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--data-dir", str(tmp_path), "--seconds")
    throttling = {"VIDEOPLANET_SANDBOX_MAX_CONCURRENT": "2"}
    with process(*arguments, "1.2", **throttling) as (running, line), client(line) as sandbox:
        done = sandbox.create("[sandbox:fail_job=INTERNAL]")
        going = sandbox.create("[sandbox:truncated_output]")
        waiting, cancelled = (sandbox.create(f"Number {number}") for number in range(2))
        sandbox.runway.delete(f"/v1/tasks/{cancelled}")
        sandbox.arm("create", "drop_reply")
        with pytest.raises(httpx.RemoteProtocolError):
            sandbox.order("Nobody heard of it")
        before = sandbox.jobs()
        running.kill()
        running.wait()
    with process(*arguments, "1.2", **throttling) as (_, line), client(line) as sandbox:
        after = sandbox.jobs()
        unchanged = ("job_id", "created_at", "request")
        assert [[job[name] for name in unchanged] for job in after] == [
            [job[name] for name in unchanged] for job in before
        ]
        assert sandbox.runway.get(f"/v1/tasks/{cancelled}").status_code == 404
        assert sandbox.finished(done)["failureCode"] == "INTERNAL"
        assert sandbox.finished(waiting)["status"] == "SUCCEEDED"
        jobs = {job["job_id"]: job for job in sandbox.jobs()}
        assert jobs[waiting]["started_at"] == jobs[done]["ended_at"]
        assert jobs[going]["ended_at"] == pytest.approx(jobs[going]["created_at"] + 1.2)
        url = sandbox.finished(going)["output"][0]
        assert len(sandbox.control.get(url).content) < len(sandbox.control.get(url).content)


def test_an_address_and_its_bytes_outlive_the_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    arguments = ("--port", port, "--data-dir", str(tmp_path), "--seconds", "0")
    with process(*arguments) as (_, line), client(line) as sandbox:
        url = sandbox.output_url()
        content = sandbox.control.get(url).content
    with process(*arguments) as (_, line), client(line) as sandbox:
        assert sandbox.control.get(url).content == content


def test_it_says_one_line_and_leaves_at_once_on_sigterm_though_somebody_waits() -> None:
    with process("--port", "0", VIDEOPLANET_SANDBOX_SECONDS="3") as (running, line), client(line) as sandbox:
        assert line.startswith("sandbox: listening on http://127.0.0.1:")
        assert "3 s" in line
        task_id = sandbox.create()
        sandbox.arm("status", "slow", seconds=600)
        address = ("127.0.0.1", httpx.URL(sandbox.base_url).port or 0)
        with socket.create_connection(address) as idle, socket.create_connection(address) as waiting:
            fields = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
            waiting.sendall(f"GET /v1/tasks/{task_id} HTTP/1.1\r\nHost: sandbox\r\n{fields}\r\n".encode())
            eventually(
                lambda: sandbox.control.get("/_sandbox/faults").json()["faults"],
                until=lambda armed: not armed,
            )
            began = time.monotonic()
            running.send_signal(signal.SIGTERM)
            rest, complaints = running.communicate(timeout=10)
            assert time.monotonic() - began < 2
            assert (rest, complaints) == ("", "")
            assert (idle.recv(1), waiting.recv(1)) == (b"", b"")


def test_a_taken_port_is_said_and_not_shown_as_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with process("--port", port) as (running, line):
            _, complaints = running.communicate(timeout=10)
            assert (running.returncode, line) == (1, "")
            assert complaints.startswith(f"sandbox: cannot listen on 127.0.0.1:{port}")
