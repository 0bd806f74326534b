"""What a client of Stable Video sees when something goes wrong: at the creation, a poll, a download."""

from __future__ import annotations

import base64
import time

import av
import httpx
import pytest
from pydantic import JsonValue

from tests.sandbox.live import LiveSandbox, eventually, live_sandbox
from tests.sandbox.playback import play
from tests.sandbox.test_stability_wire import JSON, KEY, PATH, SEED, VIDEO, create, errors, order, result


def arm(sandbox: LiveSandbox, operation: str, fault: str, **more: JsonValue) -> None:
    sandbox.arm(operation, fault, provider="stable-video", **more)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "bad_request"),
        (401, "unauthorized"),
        (402, "payment_required"),
        (403, "content_moderation"),
        (404, "not_found"),  # what the hosted API has answered since it was switched off
        (413, "payload_too_large"),
        (429, "rate_limit_exceeded"),
        (500, "internal_error"),
        (503, "internal_error"),
    ],
)
def test_a_status_has_its_name_and_makes_nothing(sandbox: LiveSandbox, status: int, name: str) -> None:
    arm(sandbox, "create", f"status:{status}", retry_after=7)
    answer = order(sandbox)
    errors(answer, status, name)
    assert answer.headers["retry-after"] == "7"
    assert sandbox.jobs() == []
    create(sandbox)


def test_a_dropped_reply_and_a_status_afterwards_leave_a_job_and_a_reset_leaves_none(
    sandbox: LiveSandbox,
) -> None:
    arm(sandbox, "create", "reset_connection")
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        order(sandbox)
    assert sandbox.jobs() == []
    arm(sandbox, "create", "drop_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        order(sandbox, reference="gen_1.1.1")
    arm(sandbox, "create", "create_then_status:502")
    errors(order(sandbox, reference="gen_1.1.2"), 502, "internal_error")
    assert [job["client_reference"] for job in sandbox.jobs()] == ["gen_1.1.1", "gen_1.1.2"]


def test_a_slow_acceptance_has_made_the_job_long_before_the_answer(sandbox: LiveSandbox) -> None:
    arm(sandbox, "create", "slow_accept", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        order(sandbox, timeout=0.3)
    eventually(sandbox.jobs, until=lambda jobs: len(jobs) == 1)


def test_a_stuck_job_runs_for_ever(sandbox: LiveSandbox) -> None:
    arm(sandbox, "create", "stuck")
    job_id = create(sandbox)
    assert result(sandbox, job_id).status_code == 202
    (job,) = sandbox.jobs()
    assert (job["state"], job["billed_usd"]) == ("running", 0)


def test_a_slow_job_takes_five_times_as_long() -> None:
    with live_sandbox(seconds=0.1, queue_seconds=0) as sandbox:
        arm(sandbox, "create", "slow")
        job_id = create(sandbox)
        eventually(lambda: result(sandbox, job_id).status_code, until=lambda status: status == 200)
        (job,) = sandbox.jobs()
        assert job["ended_at"] - job["started_at"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("SOMETHING_NEW", 500, "internal_error"),
        ("internal_error", 500, "internal_error"),
        ("content_moderation", 403, "content_moderation"),
        ("400", 400, "bad_request"),
        ("503", 503, "internal_error"),
        ("200", 500, "internal_error"),
        ("5000", 500, "internal_error"),
    ],
)
def test_a_failed_job_answers_with_an_error_status_and_costs_nothing(
    sandbox: LiveSandbox, code: str, status: int, name: str
) -> None:
    arm(sandbox, "create", f"fail_job:{code}")
    job_id = create(sandbox)
    for accept in (VIDEO, JSON):
        (error,) = errors(result(sandbox, job_id, accept), status, name)
        assert code in error
    (job,) = sandbox.jobs()
    assert (job["state"], job["billed_usd"]) == ("failed", 0)


def test_a_filtered_video_is_a_success_with_another_reason(sandbox: LiveSandbox) -> None:
    arm(sandbox, "create", "fail_job:CONTENT_FILTERED")
    job_id = create(sandbox, SEED)
    answer = result(sandbox, job_id)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert (answer.headers["finish-reason"], answer.headers["seed"]) == ("CONTENT_FILTERED", "7")
    assert play(answer.content).seconds == 4.0
    body = result(sandbox, job_id, JSON).json()
    assert (body["finish_reason"], body["seed"]) == ("CONTENT_FILTERED", 7)
    assert play(base64.b64decode(body["video"])).seconds == 4.0
    (job,) = sandbox.jobs()
    assert (job["state"], job["billed_usd"]) == ("failed", 0)


def test_a_request_that_is_refused_leaves_the_fault_of_the_job_for_the_next(sandbox: LiveSandbox) -> None:
    arm(sandbox, "create", "fail_job:403")
    errors(order(sandbox, {"seed": "x"}), 400, "bad_request")
    errors(result(sandbox, create(sandbox)), 403, "content_moderation")


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("accept", [VIDEO, JSON])
def test_a_poll_can_be_refused_dropped_and_reset_before_and_after_the_end(
    sandbox: LiveSandbox, ends: bool, accept: str
) -> None:
    if not ends:
        arm(sandbox, "create", "stuck")
    job_id = create(sandbox, SEED)
    arm(sandbox, "status", "status:503", times=2)
    arm(sandbox, "status", "drop_reply")
    arm(sandbox, "status", "reset_connection")
    for _ in range(2):
        errors(result(sandbox, job_id, accept), 503, "internal_error")
    with pytest.raises(httpx.RemoteProtocolError):
        result(sandbox, job_id, accept)
    with pytest.raises(httpx.ReadError):
        result(sandbox, job_id, accept)
    assert result(sandbox, job_id, accept).status_code == (200 if ends else 202)


@pytest.mark.parametrize("operation", ["status", "output"])
def test_an_answer_can_be_slow_and_is_whole(sandbox: LiveSandbox, operation: str) -> None:
    job_id = create(sandbox, SEED)
    whole = result(sandbox, job_id).content
    arm(sandbox, operation, "slow", seconds=0.4)
    began = time.monotonic()
    answer = result(sandbox, job_id)
    assert time.monotonic() - began >= 0.3
    assert (answer.content, answer.headers["finish-reason"]) == (whole, "SUCCESS")


def test_a_spoiled_download_lies_in_its_bytes_and_not_in_its_headers(sandbox: LiveSandbox) -> None:
    job_id = create(sandbox, SEED)
    for fault in ("truncated_output", "wrong_length", "wrong_type"):
        arm(sandbox, "output", fault)
    truncated, short, page, right = (result(sandbox, job_id) for _ in range(4))
    for answer in (truncated, short, page, right):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        assert (answer.headers["finish-reason"], answer.headers["seed"]) == ("SUCCESS", "7")
        assert int(answer.headers["content-length"]) == len(answer.content)
    cut = play(truncated.content)
    assert cut.promised_seconds == pytest.approx(4.0)
    assert cut.seconds < 3
    assert play(short.content).seconds == play(short.content).promised_seconds == 2.0
    assert page.text.startswith("<!doctype html>")
    with pytest.raises(av.error.InvalidDataError):
        play(page.content)
    assert play(right.content).seconds == 4.0


def test_a_download_can_be_reset_in_the_middle(sandbox: LiveSandbox) -> None:
    job_id = create(sandbox, SEED)
    arm(sandbox, "output", "reset_connection")
    pieces: list[bytes] = []
    with sandbox.control.stream("GET", f"{PATH}/result/{job_id}", headers=KEY | {"Accept": VIDEO}) as answer:
        assert (answer.status_code, answer.headers["finish-reason"]) == (200, "SUCCESS")
        with pytest.raises(httpx.ReadError, match="reset by peer"):
            pieces.extend(answer.iter_raw())
    assert 0 < sum(map(len, pieces)) < int(answer.headers["content-length"])
    assert len(result(sandbox, job_id).content) == int(answer.headers["content-length"])


def test_a_download_can_be_dropped_and_refused(sandbox: LiveSandbox) -> None:
    job_id = create(sandbox, SEED)
    arm(sandbox, "output", "drop_reply")
    arm(sandbox, "output", "status:503")
    with pytest.raises(httpx.RemoteProtocolError):
        result(sandbox, job_id)
    errors(result(sandbox, job_id), 503, "internal_error")
    assert result(sandbox, job_id).status_code == 200


def test_only_an_answer_with_a_video_in_it_uses_up_a_fault_of_the_output(sandbox: LiveSandbox) -> None:
    arm(sandbox, "create", "stuck")
    running, done = create(sandbox), create(sandbox, SEED)
    arm(sandbox, "create", "fail_job:500")
    failed = create(sandbox)
    arm(sandbox, "output", "wrong_type")
    assert result(sandbox, running).status_code == 202
    assert result(sandbox, failed).status_code == 500
    assert play(base64.b64decode(result(sandbox, done, JSON).json()["video"])).seconds == 4.0
    assert result(sandbox, done).text.startswith("<!doctype html>")
    counts = sandbox.control.get("/_sandbox/requests").json()["requests"]
    assert counts == {"stable-video": {"create": 3, "status": 4, "output": 1}}


@pytest.mark.parametrize("fault", ["truncated_output", "wrong_type", "wrong_length"])
def test_a_fault_of_the_output_can_be_given_to_the_job_at_its_creation(
    sandbox: LiveSandbox, fault: str
) -> None:
    arm(sandbox, "create", fault)
    job_id = create(sandbox, SEED)
    spoiled, right = (result(sandbox, job_id).content for _ in range(2))
    assert spoiled != right
    assert play(right).seconds == 4.0


def test_a_duplicate_callback_changes_nothing_where_there_are_no_callbacks(sandbox: LiveSandbox) -> None:
    arm(sandbox, "create", "duplicate_callback")
    assert result(sandbox, create(sandbox, SEED)).status_code == 200
