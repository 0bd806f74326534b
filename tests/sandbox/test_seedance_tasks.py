"""A Seedance task from its creation to its end, its cancellation or its removal, and the list of all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.live import LiveSandbox, eventually
from tests.sandbox.playback import play
from tests.sandbox.seedance_client import PRO, PRO_15, TASKS, TWO, Seedance, live_seedance, seedance_at, text


@pytest.fixture
def seedance(sandbox: LiveSandbox) -> Iterator[Seedance]:
    with seedance_at(sandbox) as made:
        yield made


def test_a_task_goes_through_its_statuses_and_shows_each_only_its_own_fields() -> None:
    with live_seedance(seconds=0.8, queue_seconds=0.3) as seedance:
        task_id = seedance.create()
        seen = [seedance.task(task_id)]
        eventually(
            lambda: seen.append(seedance.task(task_id)), until=lambda _: seen[-1]["status"] == "succeeded"
        )
    fields = {task["status"]: task.keys() for task in seen}
    common = {
        "id",
        "model",
        "status",
        "created_at",
        "updated_at",
        "seed",
        "resolution",
        "ratio",
        "duration",
        "framespersecond",
        "service_tier",
        "execution_expires_after",
    }
    assert list(fields) == ["queued", "running", "succeeded"]
    assert fields["queued"] == fields["running"] == common
    assert fields["succeeded"] == common | {"content", "usage"}


def test_a_finished_task_repeats_what_was_ordered_and_bills_its_tokens(seedance: Seedance) -> None:
    task = seedance.made(
        model=PRO_15, resolution="720p", ratio="16:9", duration=4, seed=2**32 - 1, safety_identifier="abc"
    )
    assert abs(task.pop("created_at") - time.time()) < 60
    assert abs(task.pop("updated_at") - time.time()) < 60
    url = task.pop("content")["video_url"]
    assert re.fullmatch(r"cgt-\d{14}-[0-9a-f]{10}", task.pop("id"))
    assert task == {
        "model": PRO_15,
        "status": "succeeded",
        "seed": 2**32 - 1,
        "resolution": "720p",
        "ratio": "16:9",
        "duration": 4,
        "framespersecond": 24,
        "service_tier": "default",
        "execution_expires_after": 172800,
        "generate_audio": True,
        "draft": False,
        "safety_identifier": "abc",
        "usage": {"completion_tokens": 87300, "total_tokens": 87300},
    }
    seen = play(seedance.sandbox.control.get(url).content)
    assert (seen.width, seen.height, seen.seconds) == (1280, 720, 4.0)
    (job,) = seedance.sandbox.jobs()
    assert (job["provider"], job["state"], job["billed_usd"]) == ("seedance", "succeeded", 0.20952)


def test_a_missing_seed_is_a_new_one_each_time_and_stays(seedance: Seedance) -> None:
    first, second = seedance.create(), seedance.create(seed=-1)
    seeds = [seedance.task(task_id)["seed"] for task_id in (first, second, first)]
    assert seeds[0] == seeds[2] != seeds[1]
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_failed_task_says_why_and_costs_nothing(seedance: Seedance) -> None:
    task = seedance.made(text("[sandbox:fail_job=OutputVideoSensitiveContentDetected]"))
    assert task["status"] == "failed"
    assert task["error"]["code"] == "OutputVideoSensitiveContentDetected"
    assert task["error"]["message"]
    assert task.keys().isdisjoint({"content", "usage"})
    assert seedance.sandbox.jobs()[0]["billed_usd"] == 0


def test_a_queued_task_is_cancelled_for_free_and_still_known() -> None:
    with live_seedance(seconds=60, queue_seconds=30) as seedance:
        task_id = seedance.create()
        answer = seedance.delete(task_id)
        assert (answer.status_code, answer.json()) == (200, {})
        assert seedance.task(task_id)["status"] == "cancelled"
        (job,) = seedance.sandbox.jobs()
        assert (job["state"], job["billed_usd"], job["started_at"]) == ("cancelled", 0, None)


def test_a_cancelled_task_gives_its_place_to_the_next() -> None:
    with live_seedance(seconds=60, queue_seconds=30, max_concurrent=1) as seedance:
        first = seedance.create()
        seedance.create()
        assert [job["state"] for job in seedance.sandbox.jobs()] == ["pending", "throttled"]
        seedance.delete(first)
        assert [job["state"] for job in seedance.sandbox.jobs()] == ["cancelled", "pending"]


def test_a_running_task_is_not_cancelled_and_runs_on(seedance: Seedance) -> None:
    task_id = seedance.create(text("[sandbox:stuck]"))
    answer = seedance.delete(task_id)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "InvalidAction.RunningTaskDeletion"
    assert seedance.task(task_id)["status"] == "running"


def test_deleting_an_ended_task_removes_its_record_and_its_video(seedance: Seedance) -> None:
    task = seedance.made()
    assert seedance.delete(task["id"]).json() == {}
    assert seedance.ark.get(f"{TASKS}/{task['id']}").status_code == 404
    assert seedance.delete(task["id"]).json()["error"]["code"] == "ResourceNotFound"
    assert seedance.sandbox.control.get(task["content"]["video_url"]).status_code == 404
    assert seedance.list()["total"] == 0
    assert [job["state"] for job in seedance.sandbox.jobs()] == ["succeeded"]


def test_over_the_concurrency_of_a_model_tasks_stay_queued_under_either_of_its_names() -> None:
    with live_seedance(seconds=60, queue_seconds=0, max_concurrent=1) as seedance:
        first, second = seedance.create(model=TWO), seedance.create(model=TWO.replace("dreamina", "doubao"))
        other = seedance.create()
        assert [seedance.task(task)["status"] for task in (first, second, other)] == [
            "running",
            "queued",
            "running",
        ]
        assert seedance.delete(second).status_code == 200
        assert seedance.task(second)["status"] == "cancelled"


def test_tasks_are_listed_newest_first_in_pages(seedance: Seedance) -> None:
    made = [seedance.create() for _ in range(5)]
    listed = seedance.list(("page_num", 2), ("page_size", 2))
    assert listed["total"] == 5
    assert [task["id"] for task in listed["items"]] == [made[2], made[1]]
    assert seedance.list(("page_num", 4), ("page_size", 2))["items"] == []
    item, single = seedance.list()["items"][0], seedance.task(made[4])
    del item["content"], single["content"]  # each address is a fresh one
    assert item == single


def test_a_list_is_filtered_by_status_model_tier_and_ids(seedance: Seedance) -> None:
    done = seedance.made(service_tier="flex")["id"]
    stuck = seedance.create(text("[sandbox:stuck]"), model=TWO)
    failed = seedance.made(text("[sandbox:fail_job=InternalServiceError]"))["id"]

    def found(*pairs: tuple[str, str]) -> list[str]:
        return [task["id"] for task in seedance.list(*pairs)["items"]]

    assert found(("filter.status", "running")) == [stuck]
    assert found(("filter.status", "succeeded")) == [done]
    assert found(("filter.model", PRO)) == [failed, done]
    assert found(("filter.service_tier", "flex")) == [done]
    assert found(("filter.task_ids", done), ("filter.task_ids", stuck)) == [stuck, done]
    assert found(("filter.task_ids", done), ("filter.status", "failed")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("page_num", "0"), ("page_size", "501"), ("page_size", "x"), ("filter.status", "done")],
)
def test_a_list_with_a_wrong_parameter_is_refused(seedance: Seedance, name: str, value: str) -> None:
    answer = seedance.ark.get(TASKS, params={name: value})
    assert answer.status_code == 400
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == ("InvalidParameter", name)


@pytest.mark.parametrize(
    ("echoes", "shown"),
    [("both", {"seed", "safety_identifier"}), ("seed", {"seed"}), ("nothing", set())],
)
def test_what_a_list_shows_of_the_clients_marks_is_a_setting(echoes: str, shown: set[str]) -> None:
    with live_seedance(seedance_list_echoes=echoes) as seedance:
        task_id = seedance.create(safety_identifier="abc", seed=3)
        (item,) = seedance.list()["items"]
        assert item.keys() & {"seed", "safety_identifier"} == shown
        assert seedance.task(task_id)["safety_identifier"] == "abc"


def test_a_post_below_the_tasks_makes_nothing_and_is_counted(seedance: Seedance) -> None:
    task_id = seedance.create()
    body = {"model": PRO, "content": [text()]}
    for path in (f"{TASKS}/{task_id}/cancel", f"{TASKS}/{task_id}", f"{TASKS}/"):
        assert seedance.ark.post(path, json=body).status_code == 404
    assert len(seedance.sandbox.jobs()) == 1
    counts = seedance.sandbox.control.get("/_sandbox/requests").json()["requests"]
    assert counts["seedance"] == {"create": 1, "unknown": 3}


@pytest.mark.parametrize("header", ["Bearer invalid", "Bearer", "Basic key", ""])
def test_a_caller_without_a_good_key_is_refused_everywhere(seedance: Seedance, header: str) -> None:
    for method, path in (("POST", TASKS), ("GET", TASKS), ("GET", f"{TASKS}/x"), ("DELETE", f"{TASKS}/x")):
        answer = seedance.ark.request(method, path, headers={"Authorization": header}, json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationError")


def test_each_answer_has_its_own_request_id(seedance: Seedance) -> None:
    answers = [seedance.ark.get(TASKS), seedance.ark.get(TASKS), seedance.ark.get(f"{TASKS}/x")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_a_task_survives_the_process(tmp_path: Path) -> None:
    with live_seedance(data_dir=tmp_path) as seedance:
        before = seedance.made(model=TWO, duration=-1, safety_identifier="abc")
    with live_seedance(data_dir=tmp_path) as seedance:
        after = seedance.task(before["id"])
    del before["content"], after["content"]
    assert after == before


def test_the_daily_cap_is_a_quota_error() -> None:
    with live_seedance(daily_cap=1) as seedance:
        seedance.create()
        assert seedance.refusal() == (429, "QuotaExceeded", "")
        seedance.create(model=TWO)
