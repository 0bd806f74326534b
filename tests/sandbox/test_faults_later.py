"""What a client sees when a poll, a cancellation or a download goes wrong."""

from __future__ import annotations

import time

import av
import httpx
import pytest

from tests.sandbox.live import LiveSandbox
from tests.sandbox.playback import play


def test_a_poll_can_be_refused_dropped_and_reset(sandbox: LiveSandbox) -> None:
    task_id = sandbox.create()
    sandbox.arm("status", "status:503", times=2)
    sandbox.arm("status", "drop_reply")
    sandbox.arm("status", "reset_connection")
    path = f"/v1/tasks/{task_id}"
    assert [sandbox.runway.get(path).status_code for _ in range(2)] == [503, 503]
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.runway.get(path)
    with pytest.raises(httpx.ReadError):
        sandbox.runway.get(path)
    assert sandbox.task(task_id)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("operation", ["status", "cancel"])
def test_an_answer_can_be_slow(sandbox: LiveSandbox, operation: str) -> None:
    task_id = sandbox.create()
    sandbox.arm(operation, "slow", seconds=0.3)
    began = time.monotonic()
    answer = sandbox.runway.request("GET" if operation == "status" else "DELETE", f"/v1/tasks/{task_id}")
    assert answer.is_success
    assert time.monotonic() - began >= 0.3


def test_a_cancellation_whose_reply_is_dropped_has_happened(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "stuck")
    task_id = sandbox.create()
    sandbox.arm("cancel", "drop_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.runway.delete(f"/v1/tasks/{task_id}")
    assert sandbox.runway.get(f"/v1/tasks/{task_id}").status_code == 404
    assert sandbox.jobs()[0]["state"] == "cancelled"


def test_a_cancellation_that_is_refused_has_not_happened(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "stuck")
    task_id = sandbox.create()
    sandbox.arm("cancel", "status:500")
    assert sandbox.runway.delete(f"/v1/tasks/{task_id}").status_code == 500
    assert sandbox.task(task_id)["status"] == "RUNNING"


def test_a_truncated_output_lies_until_it_is_decoded(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url()
    sandbox.arm("output", "truncated_output")
    answer = sandbox.control.get(url)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    cut = play(answer.content)
    assert cut.promised_seconds == pytest.approx(2.0)
    assert cut.seconds < 1.5
    assert play(sandbox.control.get(url).content).seconds == 2.0


def test_an_output_of_the_wrong_type_is_a_page_that_claims_to_be_a_video(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url()
    sandbox.arm("output", "wrong_type")
    answer = sandbox.control.get(url)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.text.startswith("<!doctype html>")
    with pytest.raises(av.error.InvalidDataError):
        play(answer.content)


def test_an_output_of_the_wrong_length_is_a_whole_video_of_half_the_time(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url(duration=4)
    sandbox.arm("output", "wrong_length")
    short = play(sandbox.control.get(url).content)
    assert short.seconds == short.promised_seconds == 2.0
    assert play(sandbox.control.get(url).content).seconds == 4.0


def test_a_download_can_be_reset_in_the_middle(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url()
    sandbox.arm("output", "reset_connection")
    pieces: list[bytes] = []
    with sandbox.control.stream("GET", url) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.ReadError, match="reset by peer"):
            pieces.extend(answer.iter_raw())
    assert 0 < sum(map(len, pieces)) < int(answer.headers["content-length"])


def test_a_download_can_be_dropped_and_refused(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url()
    sandbox.arm("output", "drop_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.control.get(url)
    sandbox.arm("output", "status:503")
    assert sandbox.control.get(url).status_code == 503
    assert sandbox.control.get(url).status_code == 200


def test_a_slow_download_is_whole(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url()
    whole = sandbox.control.get(url).content
    sandbox.arm("output", "slow", seconds=0.4)
    began = time.monotonic()
    assert sandbox.control.get(url).content == whole
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("fault", ["truncated_output", "wrong_type", "wrong_length"])
def test_a_fault_of_the_output_can_be_given_to_the_job_at_its_creation(
    sandbox: LiveSandbox, fault: str
) -> None:
    right = sandbox.control.get(sandbox.output_url()).content
    sandbox.arm("create", fault)
    url = sandbox.output_url()
    assert sandbox.control.get(url).content != right
    assert sandbox.control.get(url).content == right
