"""Runway's own SDK, pointed at the sandbox: what it takes for Runway is near enough to Runway.

Its retries are off, or one refused call would be three. Polling is by hand: the SDK's own waiting sleeps for
six seconds at a time.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio
import runwayml
from runwayml import AsyncRunwayML, RunwayML, omit
from runwayml.types import task_retrieve_response as tasks

from tests.sandbox.live import LiveSandbox, eventually, live_sandbox
from tests.sandbox.playback import play

PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


@pytest.fixture(scope="module")
def _shared() -> Iterator[LiveSandbox]:
    with live_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_shared: LiveSandbox) -> LiveSandbox:
    _shared.reset()
    return _shared


@pytest_asyncio.fixture(scope="module")
async def client() -> AsyncIterator[AsyncRunwayML]:
    async with AsyncRunwayML(api_key="key", base_url="http://127.0.0.1", max_retries=0) as made:
        yield made


@pytest.fixture
def runway(client: AsyncRunwayML, sandbox: LiveSandbox) -> AsyncRunwayML:
    return at(sandbox, client)


def at(sandbox: LiveSandbox, client: AsyncRunwayML) -> AsyncRunwayML:
    """The client, pointed at another sandbox."""
    return client.with_options(base_url=sandbox.base_url)


async def text_to_video(runway: AsyncRunwayML, prompt: str = "A red fox") -> str:
    task = await runway.text_to_video.create(model="gen4.5", prompt_text=prompt, ratio="1280:720", duration=2)
    return task.id


async def test_a_text_becomes_a_playable_video(runway: AsyncRunwayML, sandbox: LiveSandbox) -> None:
    created = await runway.text_to_video.create(
        model="gen4.5", prompt_text="A red fox", ratio="720:1280", duration=3, seed=5
    )
    assert created.to_dict()["estimatedCost"] == {"credits": 36}
    task = await runway.tasks.retrieve(created.id)
    assert isinstance(task, tasks.Succeeded)
    assert (task.id, task.cost.credits) == (created.id, 36)
    assert abs((datetime.now(UTC) - task.created_at).total_seconds()) < 60
    (url,) = task.output
    video = sandbox.control.get(url)
    assert video.headers["content-type"] == "video/mp4"
    seen = play(video.content)
    assert (seen.width, seen.height, seen.seconds) == (720, 1280, 3.0)


def test_an_image_becomes_a_playable_video_with_the_blocking_client(sandbox: LiveSandbox) -> None:
    with RunwayML(api_key="key", base_url=sandbox.base_url, max_retries=0) as runway:
        created = runway.image_to_video.create(
            model="gen4_turbo",
            prompt_image=[{"uri": PIXEL, "position": "first"}],
            prompt_text="It moves",
            ratio="1584:672",
            duration=2,
        )
        assert created.to_dict()["estimatedCost"] == {"credits": 10}
        task = runway.tasks.retrieve(created.id)
        assert isinstance(task, tasks.Succeeded)
        seen = play(sandbox.control.get(task.output[0]).content)
        assert (seen.width, seen.height, seen.seconds) == (1584, 672, 2.0)


async def test_a_hosted_model_runs_on_the_same_endpoints(runway: AsyncRunwayML) -> None:
    created = await runway.image_to_video.create(
        model="veo3.1_fast",
        prompt_image=[{"uri": PIXEL, "position": "first"}, {"uri": PIXEL, "position": "last"}],
        ratio="1920:1080",
        duration=4,
        audio=False,
    )
    assert created.to_dict()["estimatedCost"] == {"credits": 40}


def test_a_task_is_seen_pending_then_running_then_succeeded() -> None:
    with (
        live_sandbox(seconds=3, queue_seconds=1.2) as sandbox,
        RunwayML(api_key="key", base_url=sandbox.base_url, max_retries=0) as runway,
    ):
        created = runway.text_to_video.create(
            model="gen4.5", prompt_text="A red fox", ratio="1280:720", duration=2
        )
        seen: list[tasks.TaskRetrieveResponse] = []
        eventually(
            lambda: seen.append(runway.tasks.retrieve(created.id)),
            until=lambda _: isinstance(seen[-1], tasks.Succeeded),
        )
    assert list(dict.fromkeys(task.status for task in seen)) == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert all(0 <= task.progress < 1 for task in seen if isinstance(task, tasks.Running))
    assert all(task.estimated_cost.credits == 24 for task in seen if isinstance(task, tasks.Pending))


async def test_over_the_concurrency_a_task_is_throttled(client: AsyncRunwayML) -> None:
    with live_sandbox(seconds=60, queue_seconds=0, max_concurrent=1) as sandbox:
        runway = at(sandbox, client)
        first, second = await text_to_video(runway), await text_to_video(runway)
        assert isinstance(await runway.tasks.retrieve(first), tasks.Running)
        throttled = await runway.tasks.retrieve(second)
        assert isinstance(throttled, tasks.Throttled)
        assert throttled.estimated_cost.credits == 24


async def test_deleting_a_running_task_cancels_it(runway: AsyncRunwayML, sandbox: LiveSandbox) -> None:
    task_id = await text_to_video(runway, "[sandbox:stuck]")
    assert isinstance(await runway.tasks.retrieve(task_id), tasks.Running)
    await runway.tasks.delete(task_id)
    with pytest.raises(runwayml.NotFoundError):
        await runway.tasks.retrieve(task_id)
    (job,) = sandbox.jobs()
    assert (job["state"], job["billed_usd"]) == ("cancelled", 0.24)


async def test_deleting_a_finished_task_makes_it_unknown(runway: AsyncRunwayML) -> None:
    task_id = await text_to_video(runway)
    await runway.tasks.delete(task_id)
    with pytest.raises(runwayml.NotFoundError):
        await runway.tasks.retrieve(task_id)
    with pytest.raises(runwayml.NotFoundError):
        await runway.tasks.delete(task_id)


@pytest.mark.parametrize(
    ("code", "credits_billed"), [("SAFETY.INPUT.TEXT", 24), ("SAFETY.OUTPUT.VIDEO", 0), ("INTERNAL", 0)]
)
async def test_a_failure_has_its_code_and_its_bill(
    runway: AsyncRunwayML, code: str, credits_billed: int
) -> None:
    task = await runway.tasks.retrieve(await text_to_video(runway, f"[sandbox:fail_job={code}]"))
    assert isinstance(task, tasks.Failed)
    assert (task.failure_code, task.cost.credits) == (code, credits_billed)
    assert task.failure


async def test_a_ratio_that_the_model_has_not_is_refused(runway: AsyncRunwayML) -> None:
    with pytest.raises(runwayml.BadRequestError) as refused:
        await runway.text_to_video.create(
            model="gen4.5",
            prompt_text="A red fox",
            ratio="1280:720",
            duration=2,
            extra_body={"ratio": "16:9"},
        )
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["issues"][0]["path"] == ["ratio"]
    assert refused.value.body["docUrl"].startswith("https://")


@pytest.mark.parametrize("duration", [1, 11])
async def test_a_duration_outside_of_the_range_is_refused(runway: AsyncRunwayML, duration: int) -> None:
    with pytest.raises(runwayml.BadRequestError, match="duration"):
        await runway.text_to_video.create(
            model="gen4.5", prompt_text="A red fox", ratio="1280:720", duration=duration
        )


async def test_a_prompt_is_measured_in_utf_16(runway: AsyncRunwayML) -> None:
    await text_to_video(runway, "\N{FOX FACE}" * 500)
    with pytest.raises(runwayml.BadRequestError, match="promptText"):
        await text_to_video(runway, "\N{FOX FACE}" * 501)


async def test_a_bad_key_is_refused(runway: AsyncRunwayML) -> None:
    with pytest.raises(runwayml.AuthenticationError):
        await runway.with_options(api_key="invalid").organization.retrieve()


async def test_a_missing_key_is_refused(runway: AsyncRunwayML) -> None:
    with pytest.raises(runwayml.AuthenticationError):
        await runway.tasks.retrieve("any", extra_headers={"Authorization": omit})


async def test_a_missing_version_is_refused(runway: AsyncRunwayML) -> None:
    with pytest.raises(runwayml.BadRequestError, match="X-Runway-Version"):
        await runway.tasks.retrieve("any", extra_headers={"X-Runway-Version": omit})


async def test_the_daily_cap_is_a_rate_limit_error(client: AsyncRunwayML) -> None:
    with live_sandbox(daily_cap=1) as sandbox:
        runway = at(sandbox, client)
        await text_to_video(runway)
        with pytest.raises(runwayml.RateLimitError):
            await text_to_video(runway)
        organization = await runway.organization.retrieve()
    assert organization.tier.models is not None
    assert organization.tier.models["gen4.5"].max_daily_generations == 1
    assert organization.usage.models is not None
    assert organization.usage.models["gen4.5"].daily_generations == 1


async def test_the_organization_shows_what_was_spent(runway: AsyncRunwayML) -> None:
    before = (await runway.organization.retrieve()).credit_balance
    await text_to_video(runway)
    await text_to_video(runway, "[sandbox:fail_job=INTERNAL]")
    assert before - (await runway.organization.retrieve()).credit_balance == 24


async def test_a_lost_reply_is_a_connection_error_and_a_paid_job(
    runway: AsyncRunwayML, sandbox: LiveSandbox
) -> None:
    with pytest.raises(runwayml.APIConnectionError) as lost:
        await text_to_video(runway, "[sandbox:drop_reply]")
    assert isinstance(lost.value.__cause__, httpx.RemoteProtocolError)
    assert len(sandbox.jobs()) == 1


async def test_retries_of_the_sdk_would_pay_three_times(runway: AsyncRunwayML, sandbox: LiveSandbox) -> None:
    sandbox.arm("create", "create_then_status:503", times=3, retry_after=0.01)
    with pytest.raises(runwayml.InternalServerError):
        await text_to_video(runway.with_options(max_retries=2))
    assert len(sandbox.jobs()) == 3
