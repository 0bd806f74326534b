"""ModelArk's own SDK, pointed at the sandbox: what it takes for Seedance is near enough to Seedance.

Its retries are off, or one refused call would be three. `volcenginesdkarkruntime` is the China SDK; the
international one is the same code.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from volcenginesdkarkruntime import Ark, AsyncArk  # type: ignore[import-untyped] # it ships no types
from volcenginesdkarkruntime._exceptions import (  # type: ignore[import-untyped] # it ships no types
    ArkAPIConnectionError,
    ArkAPIStatusError,
    ArkAuthenticationError,
    ArkBadRequestError,
    ArkConflictError,
    ArkInternalServerError,
    ArkNotFoundError,
    ArkPermissionDeniedError,
    ArkRateLimitError,
)
from volcenginesdkarkruntime.types.content_generation.content_generation_task import (  # type: ignore[import-untyped] # it ships no types
    ContentGenerationTask,
)

from tests.sandbox.live import LiveSandbox, eventually, live_sandbox
from tests.sandbox.playback import play
from tests.sandbox.receiver import receiver
from tests.sandbox.seedance_client import PRO, PRO_15, TWO, TWO_AND_A_HALF, picture

Parts = list[dict[str, Any]]
TEXT: Parts = [{"type": "text", "text": "A red fox"}]


@pytest.fixture(scope="module")
def _shared() -> Iterator[LiveSandbox]:
    with live_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_shared: LiveSandbox) -> LiveSandbox:
    _shared.reset()
    return _shared


class Vendor:
    """The SDK's tasks at one sandbox."""

    def __init__(self, sandbox: LiveSandbox, api_key: str = "key", max_retries: int = 0) -> None:
        base_url = f"{sandbox.base_url}/api/v3"
        self.ark = Ark(api_key=api_key, base_url=base_url, max_retries=max_retries)
        self.tasks = self.ark.content_generation.tasks

    def create(self, content: Parts = TEXT, **fields: Any) -> str:
        fields = {"model": PRO, "resolution": "480p", "duration": 2} | fields
        task_id: str = self.tasks.create(content=content, **fields).id
        return task_id

    def get(self, task_id: str) -> ContentGenerationTask:
        return self.tasks.get(task_id=task_id)

    def ended(self, task_id: str) -> ContentGenerationTask:
        return eventually(
            lambda: self.get(task_id), until=lambda task: task.status in ("succeeded", "failed", "cancelled")
        )

    def words(self, words: str) -> str:
        return self.create([{"type": "text", "text": words}])


@pytest.fixture
def ark(sandbox: LiveSandbox) -> Iterator[Vendor]:
    vendor = Vendor(sandbox)
    yield vendor
    vendor.ark.close()


def test_a_text_becomes_a_playable_video(ark: Vendor, sandbox: LiveSandbox) -> None:
    task = ark.ended(ark.create(ratio="9:16", seed=5, safety_identifier="someone", watermark=False))
    assert (task.status, task.model, task.seed, task.ratio) == ("succeeded", PRO, 5, "9:16")
    assert (task.resolution, task.duration, task.framespersecond) == ("480p", 2, 24)
    assert (task.safety_identifier, task.service_tier) == ("someone", "default")
    assert task.usage.completion_tokens == task.usage.total_tokens == 480 * 864 * 49 // 1024
    assert abs(task.created_at - time.time()) < 60
    video = sandbox.control.get(task.content.video_url)
    assert video.headers["content-type"] == "video/mp4"
    seen = play(video.content)
    assert (seen.width, seen.height, seen.seconds) == (480, 864, 2.0)


def test_two_images_become_a_playable_video_of_their_ratio(ark: Vendor, sandbox: LiveSandbox) -> None:
    content: Parts = [
        *TEXT,
        {"type": "image_url", "image_url": {"url": picture(500, 500)}, "role": "first_frame"},
        {"type": "image_url", "image_url": {"url": picture(400, 900, "jpeg")}, "role": "last_frame"},
    ]
    task = ark.ended(ark.create(content, model=PRO_15, duration=4, generate_audio=True))
    assert (task.status, task.ratio, task.generate_audio) == ("succeeded", "1:1", True)
    seen = play(sandbox.control.get(task.content.video_url).content)
    assert (seen.width, seen.height, seen.seconds) == (640, 640, 4.0)


async def test_the_async_client_finds_the_same(sandbox: LiveSandbox, ark: Vendor) -> None:
    async with AsyncArk(api_key="key", base_url=f"{sandbox.base_url}/api/v3", max_retries=0) as client:
        created = await client.content_generation.tasks.create(model=TWO, content=TEXT, duration=-1)
        task = await client.content_generation.tasks.get(task_id=created.id)
    assert (task.id, task.duration) == (created.id, ark.get(created.id).duration) == (created.id, 5)


def test_a_task_is_seen_queued_then_running_then_succeeded() -> None:
    with live_sandbox(seconds=1.2, queue_seconds=0.5) as sandbox:
        vendor = Vendor(sandbox)
        task_id = vendor.create()
        seen: list[ContentGenerationTask] = []
        eventually(lambda: seen.append(vendor.get(task_id)), until=lambda _: seen[-1].status == "succeeded")
        vendor.ark.close()
    assert list(dict.fromkeys(task.status for task in seen)) == ["queued", "running", "succeeded"]
    assert {"content", "usage", "error"}.isdisjoint(seen[0].to_dict())
    assert len({task.seed for task in seen}) == 1


def test_a_failure_has_its_code_and_no_bill(ark: Vendor, sandbox: LiveSandbox) -> None:
    task = ark.ended(ark.words("[sandbox:fail_job=OutputVideoSensitiveContentDetected.PolicyViolation]"))
    assert (task.status, task.error.code) == (
        "failed",
        "OutputVideoSensitiveContentDetected.PolicyViolation",
    )
    assert task.error.message
    assert sandbox.jobs()[0]["billed_usd"] == 0


def test_tasks_are_listed_newest_first_and_filtered(ark: Vendor) -> None:
    first, second, third = (ark.create(seed=seed) for seed in (1, 2, 3))
    failed = ark.words("[sandbox:fail_job=InternalServiceError]")
    other = ark.create(model=TWO_AND_A_HALF, duration=4)
    everything = ark.tasks.list()
    assert everything.total == 5
    assert [task.id for task in everything.items] == [other, failed, third, second, first]
    assert [task.id for task in ark.tasks.list(page_num=2, page_size=2).items] == [third, second]
    assert [task.id for task in ark.tasks.list(status="failed").items] == [failed]
    assert [task.id for task in ark.tasks.list(model=TWO_AND_A_HALF).items] == [other]
    assert [task.seed for task in ark.tasks.list(task_ids=[first, third]).items] == [3, 1]
    assert ark.tasks.list(task_ids=first, service_tier="flex").total == 0


def test_a_queued_task_is_cancelled() -> None:
    with live_sandbox(seconds=60, queue_seconds=30) as sandbox:
        vendor = Vendor(sandbox)
        task_id = vendor.create()
        vendor.tasks.delete(task_id)
        assert vendor.get(task_id).status == "cancelled"
        assert vendor.tasks.list(status="cancelled").total == 1
        vendor.ark.close()


def test_a_running_task_is_not(ark: Vendor) -> None:
    task_id = ark.words("[sandbox:stuck]")
    with pytest.raises(ArkConflictError) as refused:
        ark.tasks.delete(task_id)
    assert refused.value.code == "InvalidAction.RunningTaskDeletion"
    assert ark.get(task_id).status == "running"


def test_deleting_an_ended_task_makes_it_unknown(ark: Vendor) -> None:
    task_id = ark.create()
    ark.tasks.delete(task_id)
    with pytest.raises(ArkNotFoundError) as unknown:
        ark.get(task_id)
    assert unknown.value.code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"duration": 99}, "InvalidParameter", "duration"),
        ({"ratio": "5:4"}, "InvalidParameter", "ratio"),
        ({"resolution": "8k"}, "InvalidParameter", "resolution"),
        ({"content": []}, "MissingParameter", "content"),
        (
            {"content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]},
            "InvalidParameter",
            "content[0].image_url",
        ),
    ],
)
def test_a_bad_request_names_its_parameter(
    ark: Vendor, fields: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(ArkBadRequestError) as refused:
        ark.create(**fields)
    assert (refused.value.code, refused.value.param, refused.value.type) == (code, param, "BadRequest")


def test_an_unknown_model_is_not_found(ark: Vendor) -> None:
    with pytest.raises(ArkNotFoundError) as refused:
        ark.create(model="seedance-9")
    assert refused.value.code == "InvalidEndpoint.NotFound"


def test_a_bad_key_is_refused(sandbox: LiveSandbox) -> None:
    stranger = Vendor(sandbox, api_key="invalid")
    with pytest.raises(ArkAuthenticationError) as refused:
        stranger.create()
    stranger.ark.close()
    assert refused.value.code == "AuthenticationError"


@pytest.mark.parametrize(
    ("fault", "code", "error"),
    [
        ("status:429", None, ArkRateLimitError),
        ("status:429", "QuotaExceeded", ArkRateLimitError),
        ("status:429", "ServerOverloaded", ArkRateLimitError),
        ("status:403", "AccountOverdueError", ArkPermissionDeniedError),
        ("status:500", None, ArkInternalServerError),
        ("status:400", "InputTextSensitiveContentDetected", ArkBadRequestError),
    ],
)
def test_each_status_is_the_sdks_error_of_its_kind_with_arks_code(
    ark: Vendor, sandbox: LiveSandbox, fault: str, code: str | None, error: type[ArkAPIStatusError]
) -> None:
    order = {"provider": "seedance", "operation": "create", "fault": fault, "code": code}
    assert sandbox.control.post("/_sandbox/faults", json=order).status_code == 200
    with pytest.raises(error) as refused:
        ark.create()
    usual = {429: "RateLimitExceeded.EndpointRPMExceeded", 500: "InternalServiceError"}
    assert refused.value.code == (code or usual[refused.value.status_code])
    assert sandbox.jobs() == []


def test_a_lost_reply_is_a_connection_error_and_a_paid_task(ark: Vendor, sandbox: LiveSandbox) -> None:
    with pytest.raises(ArkAPIConnectionError):
        ark.create([{"type": "text", "text": "[sandbox:drop_reply]"}], seed=77)
    assert [task.seed for task in ark.tasks.list().items] == [77]
    assert len(sandbox.jobs()) == 1


def test_retries_of_the_sdk_would_pay_twice(sandbox: LiveSandbox) -> None:
    retrying = Vendor(sandbox, max_retries=1)
    with pytest.raises(ArkAPIConnectionError):
        retrying.create([{"type": "text", "text": "[sandbox:drop_reply]"}])
    retrying.ark.close()
    assert len(sandbox.jobs()) == 2


def test_changes_are_told_as_the_sdk_would_read_them() -> None:
    with live_sandbox(seconds=0.6, queue_seconds=0.2) as sandbox, receiver() as told:
        vendor = Vendor(sandbox)
        task_id = vendor.create(callback_url=told.url)
        told.hears("running", "succeeded")
        tasks = [ContentGenerationTask.construct(**body) for body in told.told]
        known = vendor.get(task_id)
        vendor.ark.close()
    assert [task.id for task in tasks] == [task_id] * 2
    assert tasks[1].usage == known.usage
