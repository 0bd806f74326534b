"""Runway's rules that the vendor's SDK does not show: limits, bills, addresses, refusals."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.live import HEADERS, LiveSandbox, eventually, live_sandbox

PIXEL = "data:image/png;base64,iVBORw0KGgo="
IMAGE_ORDER = {
    "model": "gen4_turbo",
    "promptImage": PIXEL,
    "promptText": "It moves",
    "ratio": "960:960",
    "duration": 2,
}


def test_a_task_goes_through_its_statuses_and_shows_each_only_its_own_fields() -> None:
    with live_sandbox(seconds=0.6, queue_seconds=0.2) as sandbox:
        task_id = sandbox.create()
        seen = [sandbox.task(task_id)]
        eventually(
            lambda: seen.append(sandbox.task(task_id)), until=lambda _: seen[-1]["status"] == "SUCCEEDED"
        )
    fields = {task["status"]: task.keys() for task in seen}
    common = {"id", "status", "createdAt"}
    assert list(fields) == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert fields["PENDING"] == common | {"estimatedCost"}
    assert fields["RUNNING"] == common | {"estimatedCost", "progress"}
    assert fields["SUCCEEDED"] == common | {"cost", "output"}
    progress = [task["progress"] for task in seen if "progress" in task]
    assert progress == sorted(progress)
    assert 0 <= progress[0] < progress[-1] < 1
    assert datetime.fromisoformat(seen[0]["createdAt"]).tzinfo is not None


def test_over_the_concurrency_of_a_model_tasks_are_throttled_in_turn_and_no_error() -> None:
    with live_sandbox(seconds=0.4, queue_seconds=0, max_concurrent=1) as sandbox:
        first, second, third = (sandbox.create(f"Number {number}") for number in range(3))
        assert [sandbox.task(task)["status"] for task in (first, second, third)] == [
            "RUNNING",
            "THROTTLED",
            "THROTTLED",
        ]
        assert sandbox.task(sandbox.create(model="veo3.1_fast", duration=4))["status"] == "RUNNING"
        sandbox.finished(third)
        jobs = sandbox.jobs()
        assert jobs[1]["started_at"] == jobs[0]["ended_at"]
        assert jobs[2]["started_at"] == jobs[1]["ended_at"]


def test_a_cancelled_task_gives_its_place_to_the_next() -> None:
    with live_sandbox(max_concurrent=1) as sandbox:
        sandbox.arm("create", "stuck")
        stuck, waiting, next_one = (sandbox.create() for _ in range(3))
        assert sandbox.runway.delete(f"/v1/tasks/{waiting}").status_code == 204
        assert sandbox.task(next_one)["status"] == "THROTTLED"
        assert sandbox.runway.delete(f"/v1/tasks/{stuck}").status_code == 204
        assert sandbox.finished(next_one)["status"] == "SUCCEEDED"
        jobs = sandbox.jobs()
        assert [(job["state"], job["billed_usd"]) for job in jobs] == [
            ("cancelled", 0.24),
            ("cancelled", 0),
            ("succeeded", 0.24),
        ]
        assert jobs[2]["started_at"] == jobs[0]["ended_at"]


def test_a_place_that_was_given_up_is_not_given_back_a_second_time() -> None:
    with live_sandbox(seconds=0.2, queue_seconds=0, max_concurrent=1) as sandbox:
        given_up, _, last = (sandbox.create() for _ in range(3))
        sandbox.runway.delete(f"/v1/tasks/{given_up}")
        sandbox.finished(last)
        jobs = sandbox.jobs()
        assert [job["started_at"] for job in jobs[1:]] == [job["ended_at"] for job in jobs[:2]]


def test_a_pending_task_is_cancelled_for_free() -> None:
    with live_sandbox(seconds=60, queue_seconds=30) as sandbox:
        task_id = sandbox.create()
        assert sandbox.task(task_id)["status"] == "PENDING"
        sandbox.runway.delete(f"/v1/tasks/{task_id}")
        (job,) = sandbox.jobs()
        assert (job["state"], job["billed_usd"], job["started_at"]) == ("cancelled", 0, None)


def test_deleting_a_finished_task_destroys_its_output_and_keeps_its_bill(sandbox: LiveSandbox) -> None:
    task_id = sandbox.create()
    url = sandbox.finished(task_id)["output"][0]
    assert sandbox.runway.delete(f"/v1/tasks/{task_id}").status_code == 204
    assert sandbox.control.get(url).status_code == 404
    assert sandbox.runway.delete(f"/v1/tasks/{task_id}").status_code == 404
    assert [(job["state"], job["billed_usd"]) for job in sandbox.jobs()] == [("succeeded", 0.24)]


def test_each_poll_gives_a_fresh_address_and_the_old_one_still_works(sandbox: LiveSandbox) -> None:
    task_id = sandbox.create()
    urls = [sandbox.finished(task_id)["output"][0] for _ in range(3)]
    assert len(set(urls)) == 3
    assert {sandbox.control.get(url).status_code for url in urls} == {200}


def test_an_address_expires_and_the_next_poll_gives_another() -> None:
    with live_sandbox(output_ttl_seconds=3) as sandbox:
        task_id = sandbox.create()
        url = sandbox.finished(task_id)["output"][0]
        assert sandbox.control.head(url).status_code == 200
        eventually(lambda: sandbox.control.head(url).status_code, until=lambda status: status == 403)
        assert sandbox.control.get(url).status_code == 403
        assert sandbox.control.get(sandbox.finished(task_id)["output"][0]).status_code == 200


def test_an_address_cannot_be_forged(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url()
    later = re.sub(r"_jwt=\d", "_jwt=9", url)
    assert [
        sandbox.control.get(forged).status_code for forged in (later, url[:-1] + "x", url.split("?")[0])
    ] == [403] * 3


def test_an_output_is_sent_in_parts_to_those_who_ask(sandbox: LiveSandbox) -> None:
    url = sandbox.output_url()
    whole = sandbox.control.get(url)
    rest = sandbox.control.get(url, headers={"Range": "bytes=1000-"})
    assert (rest.status_code, whole.content[1000:]) == (206, rest.content)
    assert rest.headers["content-range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
    assert rest.headers["etag"] == whole.headers["etag"]
    assert sandbox.control.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    changed = sandbox.control.get(url, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (changed.status_code, changed.content) == (200, whole.content)


@pytest.mark.parametrize("sends_retry_after", [False, True])
def test_the_daily_cap_of_a_model_refuses_with_429(sends_retry_after: bool) -> None:
    with live_sandbox(daily_cap=2, sends_retry_after=sends_retry_after) as sandbox:
        assert [sandbox.order().status_code for _ in range(3)] == [200, 200, 429]
        assert ("retry-after" in sandbox.order().headers) is sends_retry_after
        assert sandbox.order(model="veo3.1", duration=4).status_code == 200
        organization = sandbox.runway.get("/v1/organization").json()
    assert organization["usage"]["models"]["gen4.5"] == {"dailyGenerations": 2}
    assert organization["tier"]["models"]["gen4.5"]["maxDailyGenerations"] == 2


def test_credits_run_out() -> None:
    with live_sandbox(runway_credits=50) as sandbox:
        assert [sandbox.order().status_code for _ in range(3)] == [200, 200, 400]
        assert "enough credits" in sandbox.order().json()["error"]
        assert sandbox.runway.get("/v1/organization").json()["creditBalance"] == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer invalid"}, 401),
        ({"Authorization": "Basic key"}, 401),
        ({"X-Runway-Version": "2023-01-01"}, 400),
        ({"X-Runway-Version": ""}, 400),
    ],
)
def test_strangers_are_refused(sandbox: LiveSandbox, headers: dict[str, str], status: int) -> None:
    for method, path in (("POST", "/v1/text_to_video"), ("GET", "/v1/tasks/x"), ("GET", "/v1/organization")):
        answer = sandbox.control.request(method, path, headers=HEADERS | headers)
        assert answer.status_code == status
        assert isinstance(answer.json()["error"], str)


def test_the_status_for_a_missing_version_is_a_setting() -> None:
    with live_sandbox(runway_missing_version_status=422) as sandbox:
        answer = sandbox.control.get("/v1/organization", headers={"Authorization": "Bearer key"})
        assert answer.status_code == 422


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"model": "gen3a_turbo"}, ["model"]),
        ({"model": "gen4_turbo"}, ["model"]),
        ({"model": ["gen4.5"]}, ["model"]),
        ({"promptText": ""}, ["promptText"]),
        ({"promptText": None}, ["promptText"]),
        ({"promptText": "x" * 1001}, ["promptText"]),
        ({"promptText": "\U0001f98a" * 501}, ["promptText"]),
        ({"ratio": "16:9"}, ["ratio"]),
        ({"ratio": "960:960"}, ["ratio"]),
        ({"duration": 1}, ["duration"]),
        ({"duration": 11}, ["duration"]),
        ({"duration": 2.5}, ["duration"]),
        ({"duration": "5"}, ["duration"]),
        ({"duration": True}, ["duration"]),
        ({"model": "veo3.1", "duration": 5}, ["duration"]),
        ({"seed": -1}, ["seed"]),
        ({"seed": 2**32}, ["seed"]),
        ({"seed": None}, ["seed"]),
        ({"prompt_text": "snake"}, ["prompt_text"]),
        ({"promptImage": PIXEL}, ["promptImage"]),
        ({"outputFormat": "prores"}, ["outputFormat"]),
        ({"contentModeration": {"publicFigureThreshold": "high"}}, ["contentModeration"]),
        ({"model": "veo3.1", "duration": 4, "negativePrompt": 1}, ["negativePrompt"]),
    ],
)
def test_a_bad_field_is_refused_by_name(
    sandbox: LiveSandbox, change: dict[str, Any], path: list[str]
) -> None:
    answer = sandbox.order(**change)
    assert answer.status_code == 400
    body = answer.json()
    assert body.keys() == {"error", "issues", "docUrl"}
    assert [issue["path"] for issue in body["issues"]] == [path]
    assert sandbox.jobs() == []


@pytest.mark.parametrize(
    "change",
    [
        {"promptText": "\U0001f98a" * 500},
        {"seed": 2**32 - 1},
        {"duration": 10},
        {"contentModeration": {"publicFigureThreshold": "low"}},
        {"model": "veo3.1", "duration": 8, "ratio": "1920:1080", "audio": False, "negativePrompt": "rain"},
    ],
)
def test_what_the_contract_allows_is_accepted(sandbox: LiveSandbox, change: dict[str, Any]) -> None:
    assert sandbox.order(**change).status_code == 200


@pytest.mark.parametrize(
    "image",
    [
        PIXEL,
        "https://example.com/first.png",
        "runway://uploads/abc",
        [{"uri": PIXEL, "position": "first"}],
    ],
)
def test_images_are_accepted_in_each_form(sandbox: LiveSandbox, image: object) -> None:
    answer = sandbox.runway.post("/v1/image_to_video", json=IMAGE_ORDER | {"promptImage": image})
    assert answer.json()["estimatedCost"] == {"credits": 10}


@pytest.mark.parametrize(
    ("image", "path"),
    [
        (None, ["promptImage"]),
        ([], ["promptImage"]),
        ("http://example.com/first.png", ["promptImage"]),
        ("https://192.0.2.1/first.png", ["promptImage"]),
        ("https://[2001:db8::1]/first.png", ["promptImage"]),
        ("https://example.com/" + "x" * 2048, ["promptImage"]),
        ("data:image/gif;base64,aaaa", ["promptImage"]),
        ("data:image/png;base64,???", ["promptImage"]),
        ("data:image/png;base64," + "a" * 5 * 1024 * 1024, ["promptImage"]),
        ([{"uri": PIXEL, "position": "last"}], ["promptImage", 0, "position"]),
        ([{"uri": PIXEL, "position": "first"}] * 2, ["promptImage", 1, "position"]),
        ([{"position": "first"}], ["promptImage", 0, "uri"]),
    ],
)
def test_bad_images_are_refused(sandbox: LiveSandbox, image: object, path: list[object]) -> None:
    answer = sandbox.runway.post("/v1/image_to_video", json=IMAGE_ORDER | {"promptImage": image})
    assert answer.status_code == 400
    assert path in [issue["path"] for issue in answer.json()["issues"]]


def test_a_recorded_request_holds_no_picture(sandbox: LiveSandbox) -> None:
    picture = "data:image/png;base64," + "a" * 100_000
    sandbox.runway.post("/v1/image_to_video", json=IMAGE_ORDER | {"promptImage": picture})
    recorded = sandbox.jobs()[0]["request"]["promptImage"]
    assert recorded.startswith("data:image/png;base64,aaaa")
    assert len(recorded) < 200


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"seed": 1e999}', b'{"promptText": "\\ud800"}']
)
def test_a_body_that_is_no_object_is_refused(sandbox: LiveSandbox, content: bytes) -> None:
    answer = sandbox.runway.post("/v1/text_to_video", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_other_methods_and_paths_are_refused_with_an_error_string(sandbox: LiveSandbox) -> None:
    assert sandbox.runway.get("/v1/text_to_video").status_code == 405
    assert sandbox.runway.get("/v1/tasks").status_code == 404
    assert isinstance(sandbox.runway.get("/v1/tasks").json()["error"], str)
