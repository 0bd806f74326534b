"""The product's first line-up: each provider from the order to the stored video, over HTTP."""

from typing import Any

import pytest

from tests.line_up import EVERY, RUNWAY, SEEDANCE, STABLE_VIDEO, Shortest, a_picture, order_from, uploaded
from tests.stack import Stack


@pytest.mark.parametrize("shortest", [one for one in EVERY if not one.needs_image], ids=str)
async def test_a_prompt_becomes_a_stored_video(stack: Stack, shortest: Shortest) -> None:
    done = await stack.end_of((await order_from(stack, shortest))["id"])
    assert done["status"] == "completed", done["error"]
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": shortest.price_usd, "at_risk_usd": "0.00"}
    assert done["takes"][0]["video"]["duration_seconds"] == pytest.approx(shortest.seconds, abs=0.3)
    assert (await stack.http.get(done["links"]["video"])).headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("shortest", [one for one in EVERY if one.takes_image], ids=str)
async def test_a_picture_becomes_a_stored_video_and_the_user_sees_how_it_was_fitted(
    stack: Stack, shortest: Shortest
) -> None:
    image_id = await uploaded(stack, a_picture(1000, 1000))
    done = await stack.end_of((await order_from(stack, shortest, image_id=image_id))["id"])
    assert done["status"] == "completed", done["error"]
    take = done["takes"][0]
    assert take["request"]["params"]["image_id"] == image_id
    assert take["video"]["width"] == take["video"]["height"]
    fitted = [one for one in take["adjustments"] if one["code"] == "picture_fitted"]
    assert "1000x1000" in fitted[0]["message"]
    job = (await stack.jobs(done["id"]))[0]
    assert job["provider"] == shortest.provider


async def test_stable_video_without_a_picture_is_refused_with_who_could_do_it(stack: Stack) -> None:
    answer = await stack.http.post("/v1/generations", json={"prompt": "A fox", "provider": "stable-video"})
    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert (error["pointer"], error["code"]) == ("/params/image_id", "image_required")
    assert error["served_by"] == ["runway", "seedance"]


async def test_without_a_named_model_the_first_that_can_do_it_is_taken(stack: Stack) -> None:
    ordered = await stack.order(provider="auto", params={"duration_seconds": 20})
    assert (ordered["provider"], ordered["model"]) == ("seedance", "dreamina-seedance-2-5-260628")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await stack.end_of(ordered["id"])


@pytest.mark.parametrize("fault", ["drop_reply", "create_then_status=500"])
async def test_seedance_finds_its_job_again_after_a_lost_answer(stack: Stack, fault: str) -> None:
    done = await stack.end_of((await order_from(stack, SEEDANCE, f"A fox [sandbox:{fault}]"))["id"])
    assert done["status"] == "completed", done["error"]
    assert [one["outcome"] for one in done["takes"][0]["attempts"]] == ["found"]
    assert len(await stack.jobs(done["id"])) == 1
    told = [event["type"] for event in await stack.events(done["id"])]
    assert told.index("attempt.unknown") < told.index("attempt.found") < told.index("generation.completed")


async def test_seedance_finds_its_job_again_even_with_the_users_own_seed(stack: Stack) -> None:
    done = await stack.end_of((await order_from(stack, SEEDANCE, "A fox [sandbox:drop_reply]", seed=7))["id"])
    assert done["status"] == "completed", done["error"]
    assert done["takes"][0]["video"]["seed"] == 7
    assert len(await stack.jobs(done["id"])) == 1


async def test_an_order_that_never_reached_seedance_is_sent_again_as_a_new_attempt(stack: Stack) -> None:
    await stack.fault("create", "reset_connection", provider="seedance")
    done = await stack.end_of((await order_from(stack, SEEDANCE))["id"])
    assert done["status"] == "completed", done["error"]
    attempts = done["takes"][0]["attempts"]
    assert [one["outcome"] for one in attempts] == ["absent", "accepted"]
    assert [one["cost"]["settled_usd"] for one in attempts] == ["0.00", SEEDANCE.price_usd]
    jobs = await stack.jobs(done["id"])
    assert len(jobs) == 1
    assert jobs[0]["request"]["seed"] != done["takes"][0]["request"]["params"]["seed"]


@pytest.mark.parametrize(
    ("shortest", "faults"), [(STABLE_VIDEO, ["drop_reply"]), (RUNWAY, ["drop_reply"])], ids=str
)
async def test_who_cannot_be_asked_says_submission_unknown(
    stack: Stack, shortest: Shortest, faults: list[str]
) -> None:
    for fault in faults:
        await stack.fault("create", fault, provider=shortest.provider)
    done = await stack.end_of((await order_from(stack, shortest))["id"])
    assert done["error"]["category"] == "submission_unknown"
    assert done["cost"]["at_risk_usd"] == shortest.price_usd
    assert len(await stack.jobs(done["id"])) == 1


async def test_a_running_seedance_job_cannot_be_cancelled_and_is_said_to_go_on(stack: Stack) -> None:
    ordered = await order_from(stack, SEEDANCE, "A fox [sandbox:slow]")
    await stack.reaches(ordered["id"], "generating")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    done = await stack.end_of(ordered["id"])
    assert (done["status"], done["takes"][0]["cancel"]["outcome"]) == ("cancelled", "goes_on")
    await stack.run_ends(done["id"])
    settled = (await stack.look(done["id"]))["cost"]
    assert settled == {"reserved_usd": "0.00", "settled_usd": SEEDANCE.price_usd, "at_risk_usd": "0.00"}


FAILURES: list[tuple[Shortest, dict[str, Any], str, str]] = [
    (SEEDANCE, {"fault": "status:429", "code": "QuotaExceeded"}, "quota", "0.00"),
    (SEEDANCE, {"fault": "status:429", "code": "ServerOverloaded"}, "capacity", "0.00"),
    (SEEDANCE, {"fault": "status:429"}, "rate_limit", "0.00"),
    (SEEDANCE, {"fault": "status:401"}, "auth", "0.00"),
    (SEEDANCE, {"fault": "fail_job:OutputVideoSensitiveContentDetected"}, "content_policy", "0.00"),
    (STABLE_VIDEO, {"fault": "status:402"}, "quota", "0.00"),
    (STABLE_VIDEO, {"fault": "status:403"}, "content_policy", "0.00"),
]


@pytest.mark.parametrize(("shortest", "fault", "category", "owed"), FAILURES)
async def test_a_failure_has_one_category_and_costs_what_it_costs(
    stack: Stack, shortest: Shortest, fault: dict[str, Any], category: str, owed: str
) -> None:
    await stack.fault("create", **fault, times=20, provider=shortest.provider)
    done = await stack.end_of((await order_from(stack, shortest))["id"])
    await stack.fault("create", "none", provider=shortest.provider)
    assert (done["status"], done["error"]["category"]) == ("failed", category), done["error"]
    assert done["cost"]["settled_usd"] == done["cost"]["at_risk_usd"] == owed
