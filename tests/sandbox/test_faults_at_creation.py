"""What a client sees when a creation goes wrong, and what the provider has made of it."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.sandbox.live import LiveSandbox, live_sandbox


def test_a_dropped_reply_leaves_one_job_and_its_client_reference(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "drop_reply")
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
        sandbox.runway.post(
            "/v1/text_to_video",
            json={"model": "gen4.5", "promptText": "A boat", "ratio": "1280:720", "duration": 2},
            headers={"Idempotency-Key": "gen_1.1.1"},
        )
    (job,) = sandbox.jobs()
    assert (job["provider"], job["client_reference"], job["state"]) == ("runway", "gen_1.1.1", "succeeded")
    assert job["request"]["promptText"] == "A boat"


def test_the_same_idempotency_key_twice_makes_two_jobs(sandbox: LiveSandbox) -> None:
    body = {"model": "gen4.5", "promptText": "A boat", "ratio": "1280:720", "duration": 2}
    for _ in range(2):
        sandbox.runway.post("/v1/text_to_video", json=body, headers={"Idempotency-Key": "same"})
    assert [job["client_reference"] for job in sandbox.jobs()] == ["same", "same"]


def test_a_reset_connection_makes_nothing(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "reset_connection")
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        sandbox.order()
    assert sandbox.jobs() == []
    sandbox.create()


def test_a_slow_acceptance_has_made_the_job_long_before_the_answer(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "slow_accept", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.runway.post(
            "/v1/text_to_video",
            json={"model": "gen4.5", "promptText": "A boat", "ratio": "1280:720", "duration": 2},
            timeout=0.3,
        )
    assert len(sandbox.jobs()) == 1


def test_a_slow_acceptance_answers_in_the_end(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "slow_accept", seconds=0.3)
    began = time.monotonic()
    task_id = sandbox.create()
    assert time.monotonic() - began >= 0.3
    assert sandbox.jobs()[0]["job_id"] == task_id


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_makes_nothing(sandbox: LiveSandbox, status: int) -> None:
    sandbox.arm("create", f"status:{status}")
    answer = sandbox.order()
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}
    assert "retry-after" not in answer.headers
    assert sandbox.jobs() == []


def test_a_status_may_say_when_to_come_back(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "status:429", retry_after=7)
    assert sandbox.order().headers["retry-after"] == "7"


def test_a_status_after_the_creation_has_made_the_job(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "create_then_status:500")
    assert sandbox.order().status_code == 500
    assert len(sandbox.jobs()) == 1


@pytest.mark.parametrize(
    ("code", "credits_billed"),
    [
        ("SAFETY.INPUT.TEXT", 24),
        ("SAFETY.OUTPUT.VIDEO", 0),
        ("INPUT_PREPROCESSING.SAFETY.TEXT", 0),
        ("INTERNAL.BAD_OUTPUT.CODE01", 0),
        ("THIRD_PARTY.UNAVAILABLE", 0),
        ("SOMETHING.NEW", 0),
    ],
)
def test_a_job_fails_with_its_code_and_bills_as_runway_does(
    sandbox: LiveSandbox, code: str, credits_billed: int
) -> None:
    sandbox.arm("create", f"fail_job:{code}")
    task = sandbox.finished(sandbox.create())
    assert task["status"] == "FAILED"
    assert task["failureCode"] == code
    assert task["failure"]
    assert task["cost"] == {"credits": credits_billed}
    assert "output" not in task
    assert sandbox.jobs()[0]["billed_usd"] == credits_billed / 100


def test_a_job_fails_half_way() -> None:
    with live_sandbox(seconds=0.4, queue_seconds=0) as sandbox:
        sandbox.arm("create", "fail_job:INTERNAL")
        sandbox.finished(sandbox.create())
        (job,) = sandbox.jobs()
        assert job["ended_at"] - job["started_at"] == pytest.approx(0.2)


def test_a_stuck_job_runs_for_ever_and_can_be_cancelled(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "stuck")
    task_id = sandbox.create()
    task = sandbox.task(task_id)
    assert (task["status"], task["progress"]) == ("RUNNING", 0.99)
    assert sandbox.runway.delete(f"/v1/tasks/{task_id}").status_code == 204
    assert sandbox.jobs()[0]["state"] == "cancelled"


def test_a_slow_job_takes_five_times_as_long() -> None:
    with live_sandbox(seconds=0.1, queue_seconds=0) as sandbox:
        sandbox.arm("create", "slow")
        sandbox.finished(sandbox.create())
        (job,) = sandbox.jobs()
        assert job["ended_at"] - job["started_at"] == pytest.approx(0.5)


def test_a_duplicate_callback_changes_nothing_where_there_are_no_callbacks(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "duplicate_callback")
    assert sandbox.finished(sandbox.create())["status"] == "SUCCEEDED"


def test_a_request_that_is_refused_leaves_the_fault_of_the_job_for_the_next(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "fail_job:INTERNAL")
    assert sandbox.order(ratio="1:1").status_code == 400
    assert sandbox.finished(sandbox.create())["failureCode"] == "INTERNAL"
