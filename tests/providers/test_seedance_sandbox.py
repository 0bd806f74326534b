"""The Seedance adapter at the sandbox, over real sockets: what one side writes, the other understands."""

import asyncio
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, CancelReply, JobState, Rejected, Unknown
from domain.orders.capabilities import Capability, Mode, ModelFacts
from domain.orders.line_up.seedance import SEEDANCE
from providers.base import JobOrder, NotYetClear
from providers.seedance.account import Seedance
from tests.providers.orders import QUEUED, REFERENCE, RUNNING, Permission
from tests.providers.seedance_orders import PRO_15, SEED, a_seedance_order, a_seedance_plan, seedance_at, sent
from tests.sandbox.live import LiveSandbox, live_sandbox

CHOICES = [(model, capability) for model in SEEDANCE.models for capability in model.capabilities]


def arm(sandbox: LiveSandbox, operation: str, fault: str, **more: str | float) -> None:
    sandbox.arm(operation, fault, provider="seedance", **more)


def counted(sandbox: LiveSandbox) -> dict[str, int]:
    counts: dict[str, int] = sandbox.control.get("/_sandbox/requests").json()["requests"]["seedance"]
    return counts


def a_picture(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "jpeg")
    return file.getvalue()


async def job_of(seedance: Seedance, **changes: Any) -> str:
    result = await sent(seedance, **changes)
    assert isinstance(result, Accepted)
    return result.job_id


@pytest.mark.parametrize(
    ("model", "capability"), CHOICES, ids=[f"{model.id}-{capability.mode}" for model, capability in CHOICES]
)
async def test_each_model_in_each_mode_is_ordered_made_and_billed_as_planned(
    sandbox: LiveSandbox, model: ModelFacts, capability: Capability
) -> None:
    size, seconds = capability.sizes[0], capability.durations[0]
    order = a_seedance_order(
        picture=a_picture(size.width, size.height) if capability.mode is Mode.IMAGE else None,
        model=model.id,
        duration_seconds=seconds,
        resolution=size.resolution,
        aspect_ratio=size.ratio,
        options={option.name: option.default for option in capability.options},
    )
    async with seedance_at(sandbox.base_url) as seedance:
        result = await seedance.submit(order, Permission())
        assert isinstance(result, Accepted), result
        look = await seedance.status(result.job_id)
    price = capability.price.of(seconds, size.width, size.height, silent=False)
    assert (look.state, look.cost, look.seed, look.failure) == (JobState.SUCCEEDED, price, SEED, None)
    (job,) = sandbox.jobs()
    assert (job["job_id"], job["client_reference"]) == (result.job_id, REFERENCE)
    assert sandbox.control.get(str(look.output_url)).headers["content-type"] == "video/mp4"
    assert counted(sandbox) == {"create": 1, "status": 1, "output": 1}


async def test_a_silent_video_is_billed_as_one(sandbox: LiveSandbox) -> None:
    async with seedance_at(sandbox.base_url) as seedance:
        job_id = await job_of(seedance, model=PRO_15, options={"generate_audio": False})
        assert (await seedance.status(job_id)).cost == 130_680


async def test_a_wrong_key_is_told_as_such(sandbox: LiveSandbox) -> None:
    async with seedance_at(sandbox.base_url, key="invalid") as seedance:
        result = await sent(seedance)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (Category.AUTH, "AuthenticationError")


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("ServerOverloaded", Category.CAPACITY),
        ("QuotaExceeded", Category.QUOTA),
        ("ModelAccountRpmRateLimitExceeded", Category.RATE_LIMIT),
    ],
)
async def test_one_status_has_three_meanings(sandbox: LiveSandbox, code: str, category: Category) -> None:
    arm(sandbox, "create", "status:429", code=code, retry_after=8)
    async with seedance_at(sandbox.base_url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.retry_after_seconds) == (category, 8)
    assert counted(sandbox) == {"create": 1}


@pytest.mark.parametrize(
    ("fault", "jobs"),
    [
        *(
            ("drop_reply", 1),
            ("slow_accept", 1),
            ("create_then_status:500", 1),
            ("create_then_status:504", 1),
        ),
        *(("reset_connection", 0), ("status:500", 0), ("status:503", 0)),
    ],
)
async def test_after_a_lost_answer_the_list_tells_whether_there_is_a_task(
    sandbox: LiveSandbox, fault: str, jobs: int
) -> None:
    permission, sent_at = Permission(), datetime.now(UTC)
    if fault == "slow_accept":
        arm(sandbox, "create", fault, seconds=1.0)
    else:
        arm(sandbox, "create", fault)
    async with seedance_at(sandbox.base_url, answer_seconds=0.5) as seedance:
        assert isinstance(await sent(seedance, permission), Unknown)
        found = await seedance.find(a_seedance_order(), sent_at)
    assert [found] * jobs == [job["job_id"] for job in sandbox.jobs()]
    assert (found is None) is (jobs == 0)
    assert permission.asked == 1
    assert counted(sandbox) == {"create": 1, "list": 1}


@pytest.mark.parametrize("echoes", ["both", "seed", "nothing"])
async def test_what_the_list_tells_decides_what_can_be_found(echoes: str) -> None:
    sent_at = datetime.now(UTC)
    with live_sandbox(seedance_list_echoes=echoes) as sandbox:
        async with seedance_at(sandbox.base_url) as seedance:
            job_id = await job_of(seedance)
            order = a_seedance_order()
            given = JobOrder(plan=a_seedance_plan(seed_is_given=True), client_reference=REFERENCE)
            if echoes == "nothing":
                with pytest.raises(NotYetClear):
                    await seedance.find(order, sent_at)
            else:
                assert await seedance.find(order, sent_at) == job_id
            if echoes == "both":
                assert await seedance.find(given, sent_at) == job_id
            else:
                with pytest.raises(NotYetClear):
                    await seedance.find(given, sent_at)


@pytest.mark.parametrize("echoes", ["both", "seed"])
async def test_a_task_is_found_among_hundreds(echoes: str) -> None:
    sent_at = datetime.now(UTC)
    with live_sandbox(seedance_list_echoes=echoes, daily_cap=1000) as sandbox:
        async with seedance_at(sandbox.base_url) as seedance:
            job_id = await job_of(seedance)
            for batch in range(11):
                plans = (a_seedance_plan(seed=20 * batch + number) for number in range(20))
                orders = (JobOrder(plan=plan, client_reference=f"gen_x.1.{plan.seed}") for plan in plans)
                await asyncio.gather(*(seedance.submit(order, Permission()) for order in orders))
            assert await seedance.find(a_seedance_order(), sent_at) == job_id
            lost = JobOrder(plan=a_seedance_plan(seed=999), client_reference="gen_x.1.999")
            assert await seedance.find(lost, sent_at) is None
        assert len(sandbox.jobs()) == 221
        assert counted(sandbox)["list"] == 6


async def test_a_task_that_waits_is_cancelled_and_costs_nothing() -> None:
    with live_sandbox(seconds=60.0, queue_seconds=60.0) as sandbox:
        async with seedance_at(sandbox.base_url) as seedance:
            job_id = await job_of(seedance)
            assert (await seedance.status(job_id)).state is JobState.QUEUED
            assert await seedance.cancel(job_id, QUEUED) is CancelReply.STOPPED
            look = await seedance.status(job_id)
    assert (look.state, look.cost) == (JobState.CANCELLED, 0)


async def test_a_running_task_goes_on() -> None:
    with live_sandbox(seconds=60.0, queue_seconds=0.0) as sandbox:
        async with seedance_at(sandbox.base_url) as seedance:
            job_id = await job_of(seedance)
            assert await seedance.cancel(job_id, RUNNING) is CancelReply.REFUSED
            assert "cancel" not in counted(sandbox)
            # It has left the queue since it was seen there.
            assert await seedance.cancel(job_id, QUEUED) is CancelReply.REFUSED
            assert counted(sandbox)["cancel"] == 1
            assert (await seedance.status(job_id)).state is JobState.RUNNING


async def test_the_same_verb_removes_a_finished_task(sandbox: LiveSandbox) -> None:
    async with seedance_at(sandbox.base_url) as seedance:
        job_id = await job_of(seedance)
        look = await seedance.status(job_id)
        assert look.state is JobState.SUCCEEDED
        assert await seedance.cancel(job_id, look) is CancelReply.REFUSED
        assert (await seedance.status(job_id)).state is JobState.SUCCEEDED
        # That is why only what was seen waiting is touched.
        assert await seedance.cancel(job_id, QUEUED) is CancelReply.STOPPED
        assert (await seedance.status(job_id)).state is JobState.GONE
        assert await seedance.cancel(job_id, QUEUED) is CancelReply.GONE


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("OutputVideoSensitiveContentDetected.PolicyViolation", Category.CONTENT_POLICY),
        ("InternalServiceError", Category.SERVER_ERROR),
    ],
)
async def test_a_failed_task_costs_nothing(sandbox: LiveSandbox, code: str, category: Category) -> None:
    async with seedance_at(sandbox.base_url) as seedance:
        job_id = await job_of(seedance, prompt=f"A fox [sandbox:fail_job={code}]")
        look = await seedance.status(job_id)
    assert (look.state, look.cost) == (JobState.FAILED, 0)
    assert look.failure is not None
    assert (look.failure.category, look.failure.code, look.failure.billed) == (category, code, False)
