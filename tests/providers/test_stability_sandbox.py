"""Jobs of Stable Video in the sandbox, from the order to the video that plays or the failure that is told."""

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, JobState
from domain.generation import DeploymentMode
from providers.base import ProviderError
from providers.outgoing.downloads import download
from providers.registry import outgoing_at
from providers.stable_video.account import LOOKS_AT_A_BROKEN_JOB, Stability
from tests.providers.stability import broken_looks, stability_at, submitted
from tests.sandbox.live import LiveSandbox, live_sandbox
from tests.sandbox.playback import play

POLICY, VALIDATION, SERVER = Category.CONTENT_POLICY, Category.VALIDATION, Category.SERVER_ERROR


async def job_at(stability: Stability) -> str:
    result = await submitted(stability)
    assert isinstance(result, Accepted)
    return result.job_id


async def test_a_job_is_followed_to_its_video_which_plays(sandbox: LiveSandbox) -> None:
    async with stability_at(sandbox.base_url) as stability:
        look = await stability.status(await job_at(stability))
        assert (look.state, look.failure, look.cost, look.seed) == (JobState.SUCCEEDED, None, None, 7)
        assert look.output_url is not None
        way = outgoing_at(sandbox.base_url, DeploymentMode.SANDBOX)
        async with download(way, look.output_url, stability.output_headers) as chunks:
            video = b"".join([chunk async for chunk in chunks])
    seen = play(video)
    assert (seen.width, seen.height, seen.seconds) == (768, 768, 4.0)


async def test_the_video_is_given_to_no_stranger(sandbox: LiveSandbox) -> None:
    async with stability_at(sandbox.base_url) as stability:
        look = await stability.status(await job_at(stability))
        way = outgoing_at(sandbox.base_url, DeploymentMode.SANDBOX)
        with pytest.raises(ProviderError, match="401"):
            async with download(way, str(look.output_url)):
                pass


async def test_a_job_runs_before_it_is_done_and_is_gone_a_day_after() -> None:
    with live_sandbox(seconds=1.0, output_ttl_seconds=0.1) as sandbox:
        async with stability_at(sandbox.base_url) as stability:
            job_id = await job_at(stability)
            states = [(await stability.status(job_id)).state]
            while states[-1] is not JobState.GONE:
                states.append((await stability.status(job_id)).state)
    assert states[0] is JobState.RUNNING
    assert JobState.FAILED not in states


@pytest.mark.parametrize(
    ("code", "category", "looks"),
    [
        *(("CONTENT_FILTERED", POLICY, 1), ("content_moderation", POLICY, 1), ("bad_request", VALIDATION, 1)),
        *(("422", VALIDATION, 1), ("GPU_ON_FIRE", SERVER, LOOKS_AT_A_BROKEN_JOB)),
    ],
)
async def test_a_job_that_failed_in_the_sandbox_has_failed(
    sandbox: LiveSandbox, code: str, category: Category, looks: int
) -> None:
    sandbox.arm("create", f"fail_job:{code}", provider="stable-video")
    async with stability_at(sandbox.base_url) as stability:
        job_id = await job_at(stability)
        await broken_looks(stability, job_id, looks - 1)
        look = await stability.status(job_id)
    assert look.state is JobState.FAILED
    assert look.failure is not None
    assert look.failure.category is category


@pytest.mark.parametrize(
    "fault", ["drop_reply", "reset_connection", "status:429", "status:503", "status:500"]
)
async def test_a_look_that_fails_in_the_sandbox_says_nothing_of_the_job(
    sandbox: LiveSandbox, fault: str
) -> None:
    async with stability_at(sandbox.base_url) as stability:
        job_id = await job_at(stability)
        sandbox.arm("status", fault, provider="stable-video")
        with pytest.raises(ProviderError):
            await stability.status(job_id)
        assert (await stability.status(job_id)).state is JobState.SUCCEEDED
