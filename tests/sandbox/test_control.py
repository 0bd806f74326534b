"""The sandbox's own doors: what it lists, what it arms, what it refuses to arm."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.live import TEXT_ORDER, LiveSandbox


def test_it_is_healthy(sandbox: LiveSandbox) -> None:
    assert sandbox.control.get("/healthz").json() == {"status": "ok"}


def test_jobs_are_listed_oldest_first_with_all_that_is_known(sandbox: LiveSandbox) -> None:
    task_ids = [sandbox.create(f"Number {number}") for number in range(3)]
    sandbox.runway.delete(f"/v1/tasks/{task_ids[1]}")
    jobs = sandbox.jobs()
    assert [job["job_id"] for job in jobs] == task_ids
    assert {job["state"] for job in jobs} == {"succeeded"}
    assert jobs[0].keys() == {
        "provider",
        "job_id",
        "client_reference",
        "created_at",
        "started_at",
        "ended_at",
        "state",
        "billed_usd",
        "request",
    }
    assert jobs[0]["request"] == TEXT_ORDER | {"promptText": "Number 0"}
    assert jobs[0]["billed_usd"] == 0.24
    assert jobs[0]["created_at"] <= jobs[0]["started_at"] <= jobs[0]["ended_at"]


def test_a_job_that_has_not_started_has_no_times_yet(sandbox: LiveSandbox) -> None:
    sandbox.create("[sandbox:stuck]")
    (job,) = sandbox.jobs()
    assert (job["state"], job["ended_at"], job["billed_usd"]) == ("running", None, 0)


def test_requests_are_counted_by_operation_even_when_they_go_wrong(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "status:503")
    sandbox.order()
    task_id = sandbox.create()
    sandbox.task(task_id)
    sandbox.runway.delete(f"/v1/tasks/{task_id}")
    counts = sandbox.control.get("/_sandbox/requests").json()["requests"]
    assert counts == {"runway": {"create": 2, "status": 1, "cancel": 1}}


def test_faults_come_in_the_order_in_which_they_were_armed(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "status:503", times=2)
    sandbox.arm("create", "status:429")
    assert [sandbox.order().status_code for _ in range(4)] == [503, 503, 429, 200]


def test_none_disarms_one_operation_or_all(sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "status:503")
    sandbox.arm("status", "status:503")
    sandbox.arm("create", "none")
    task_id = sandbox.create()
    sandbox.control.post("/_sandbox/faults", json={"fault": "none"})
    assert sandbox.task(task_id)["status"] == "SUCCEEDED"


def test_a_reset_forgets_jobs_faults_and_counts(sandbox: LiveSandbox) -> None:
    task_id = sandbox.create()
    sandbox.arm("create", "status:503", times=9)
    sandbox.reset()
    assert sandbox.jobs() == []
    assert sandbox.control.get("/_sandbox/faults").json() == {"faults": []}
    assert sandbox.control.get("/_sandbox/requests").json() == {"requests": {}}
    assert sandbox.runway.get(f"/v1/tasks/{task_id}").status_code == 404
    sandbox.create()


@pytest.mark.parametrize(
    ("change", "field", "allowed"),
    [
        ({"fault": "explode"}, "fault", "drop_reply"),
        ({"fault": "status"}, "fault", "status:<code>"),
        ({"fault": "status:200"}, "fault", "status:<400-599>"),
        ({"fault": "status:teapot"}, "fault", "status:<400-599>"),
        ({"fault": "fail_job"}, "fault", "fail_job:<code>"),
        ({"fault": "stuck:1"}, "fault", "stuck"),
        ({"operation": "output", "fault": "stuck"}, "fault", "truncated_output"),
        ({"operation": "status", "fault": "fail_job:INTERNAL"}, "fault", "drop_reply"),
        ({"operation": "explode"}, "operation", "create"),
        ({"operation": None}, "operation", "create"),
        ({"provider": "acme"}, "provider", "runway"),
        ({"provider": None}, "provider", "runway"),
        ({"times": 0}, "times", "1 to 1000000"),
        ({"times": "many"}, "times", "1 to 1000000"),
        ({"seconds": -1}, "seconds", "0 to 3600"),
        ({"colour": "red"}, "colour", "fault"),
    ],
)
def test_a_fault_that_cannot_be_armed_is_refused_with_the_field_and_what_is_allowed(
    sandbox: LiveSandbox, change: dict[str, Any], field: str, allowed: str
) -> None:
    body = {"provider": "runway", "operation": "create", "fault": "stuck"} | change
    answer = sandbox.control.post("/_sandbox/faults", json=body)
    assert answer.status_code == 422
    (issue,) = answer.json()["issues"]
    assert issue["field"] == field
    assert allowed in issue["allowed"]


def test_what_is_no_json_is_refused(sandbox: LiveSandbox) -> None:
    assert sandbox.control.post("/_sandbox/faults", content=b"{").status_code == 422
