"""How Seedance's side misbehaves on demand: Ark's codes beside a status, lost replies, spoiled downloads."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.live import LiveSandbox
from tests.sandbox.playback import play
from tests.sandbox.seedance_client import TASKS, Seedance, image, picture, seedance_at, text


@pytest.fixture
def seedance(sandbox: LiveSandbox) -> Iterator[Seedance]:
    with seedance_at(sandbox) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidParameter", "BadRequest"),
        (401, "AuthenticationError", "Unauthorized"),
        (403, "AccessDenied", "Forbidden"),
        (404, "ResourceNotFound", "NotFound"),
        (429, "RateLimitExceeded.EndpointRPMExceeded", "TooManyRequests"),
        (500, "InternalServiceError", "InternalServerError"),
        (502, "InternalServiceError", "InternalServerError"),
        (503, "ServerOverloaded", "InternalServerError"),
    ],
)
def test_a_status_comes_with_its_usual_code(seedance: Seedance, status: int, code: str, kind: str) -> None:
    seedance.arm("create", f"status:{status}")
    assert seedance.refusal() == (status, code, "")
    seedance.arm("create", f"status:{status}")
    assert seedance.order().json()["error"]["type"] == kind
    assert seedance.sandbox.jobs() == []


@pytest.mark.parametrize("code", ["ServerOverloaded", "QuotaExceeded", "ModelAccountRpmRateLimitExceeded"])
def test_one_status_comes_with_the_code_that_was_asked_for(seedance: Seedance, code: str) -> None:
    seedance.arm("create", "status:429", code=code)
    assert seedance.refusal() == (429, code, "")
    assert seedance.order().status_code == 200


def test_a_created_task_may_be_answered_with_a_code_too(seedance: Seedance) -> None:
    seedance.arm("create", "create_then_status:429", code="ServerOverloaded")
    assert seedance.refusal() == (429, "ServerOverloaded", "")
    assert len(seedance.sandbox.jobs()) == 1


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [("status", "GET", "/x"), ("cancel", "DELETE", "/x"), ("list", "GET", "")],
)
def test_each_operation_can_be_refused(seedance: Seedance, operation: str, method: str, path: str) -> None:
    seedance.arm(operation, "status:429", code="QuotaExceeded")
    answer = seedance.ark.request(method, TASKS + path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "QuotaExceeded")
    assert seedance.ark.request(method, TASKS + path).status_code != 429


@pytest.mark.parametrize(
    "more", [{"fault": "fail_job:X", "code": "Y"}, {"fault": "stuck", "code": "Y"}, {"code": "no spaces"}]
)
def test_a_code_that_does_not_fit_is_refused(seedance: Seedance, more: dict[str, str]) -> None:
    body = {"provider": "seedance", "operation": "create", "fault": "status:429", **more}
    answer = seedance.sandbox.control.post("/_sandbox/faults", json=body)
    assert answer.status_code == 422
    assert [issue["field"] for issue in answer.json()["issues"]] == ["code"]


def test_a_lost_reply_leaves_a_task_that_the_list_finds_by_its_seed(seedance: Seedance) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        seedance.order(text("[sandbox:drop_reply] A boat"), seed=4711)
    (task,) = seedance.list()["items"]
    assert task["seed"] == 4711


def test_a_prompt_acts_on_its_own_task_and_before_its_flags(seedance: Seedance) -> None:
    assert seedance.refusal(text("[sandbox:status=503] A boat --dur 3"))[:2] == (503, "ServerOverloaded")
    assert seedance.refusal(text("[sandbox:explode] A boat"))[1:] == ("InvalidParameter", "content")
    assert seedance.order(text("[sandbox:status=503@runway] A boat")).status_code == 200


def test_a_cancellation_may_be_done_and_its_reply_lost(seedance: Seedance) -> None:
    task_id = seedance.made()["id"]
    seedance.arm("cancel", "drop_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        seedance.delete(task_id)
    assert seedance.ark.get(f"{TASKS}/{task_id}").status_code == 404


def test_a_download_is_spoiled_and_the_next_one_is_whole(seedance: Seedance) -> None:
    seedance.arm("output", "truncated_output")
    url = seedance.made(duration=2)["content"]["video_url"]
    assert [play(seedance.sandbox.control.get(url).content).seconds == 2.0 for _ in range(2)] == [False, True]


def test_a_large_picture_is_recorded_by_its_digest(seedance: Seedance) -> None:
    seedance.create(image(picture(3000, 2000, "bmp")))
    recorded = seedance.sandbox.jobs()[0]["request"]["content"][0]["image_url"]["url"]
    assert len(recorded) < 300
    assert "sha256" in recorded
