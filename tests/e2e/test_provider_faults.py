"""The provider misbehaves: what a user sees, and what it costs."""

import pytest

from tests.conftest import MakeStack
from tests.stack import Stack


@pytest.mark.parametrize("fault", ["drop_reply", "create_then_status=500", "create_then_status=502"])
async def test_a_lost_answer_is_one_job_said_to_be_unknown_with_its_price_at_risk(
    stack: Stack, fault: str
) -> None:
    done = await stack.end_of((await stack.order(f"A fox [sandbox:{fault}]"))["id"])
    assert done["status"] == "failed"
    assert done["error"]["category"] == "submission_unknown"
    assert "second time" in done["error"]["advice"]
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": "0.24"}
    assert len(await stack.jobs(done["id"])) == 1
    assert len(done["takes"][0]["attempts"]) == 1


async def test_a_connection_that_is_reset_after_the_order_left_is_never_sent_again(stack: Stack) -> None:
    done = await stack.end_of((await stack.order("A fox [sandbox:reset_connection]"))["id"])
    assert done["error"]["category"] == "submission_unknown"
    assert len(done["takes"][0]["attempts"]) == 1


async def test_a_refused_order_costs_nothing_and_says_why(stack: Stack) -> None:
    done = await stack.end_of((await stack.order("A fox [sandbox:status=400]"))["id"])
    assert (done["status"], done["error"]["category"]) == ("failed", "validation")
    assert done["cost"]["settled_usd"] == done["cost"]["at_risk_usd"] == "0.00"
    assert await stack.jobs(done["id"]) == []


@pytest.mark.parametrize(
    ("code", "category", "settled"),
    [
        ("SAFETY.INPUT.TEXT", "content_policy", "0.24"),
        ("SAFETY.OUTPUT.VIDEO", "content_policy", "0.00"),
        ("INTERNAL.BAD_OUTPUT.CODE01", "server_error", "0.00"),
        ("ASSET.INVALID", "validation", "0.00"),
    ],
)
async def test_a_failed_job_costs_what_the_provider_bills_for_it(
    stack: Stack, code: str, category: str, settled: str
) -> None:
    done = await stack.end_of((await stack.order(f"A fox [sandbox:fail_job={code}]"))["id"])
    assert (done["status"], done["error"]["category"]) == ("failed", category)
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": settled, "at_risk_usd": "0.00"}


@pytest.mark.parametrize("spoiled", ["truncated_output", "wrong_type", "wrong_length", "reset_connection"])
async def test_an_output_that_is_broken_once_is_fetched_again(stack: Stack, spoiled: str) -> None:
    await stack.fault("output", spoiled)
    done = await stack.end_of((await stack.order())["id"])
    assert done["status"] == "completed", done["error"]
    assert done["takes"][0]["video"]["duration_seconds"] == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("spoiled", ["truncated_output", "wrong_type", "wrong_length"])
async def test_an_output_that_stays_broken_is_bad_output_and_nothing_is_stored(
    stack: Stack, spoiled: str
) -> None:
    done = await stack.end_of((await stack.order(f"A fox [sandbox:{spoiled}=9]"))["id"])
    assert (done["status"], done["error"]["category"]) == ("failed", "bad_output")
    assert done["cost"]["settled_usd"] == "0.24"
    assert done["takes"][0]["video"] is None
    assert done["links"]["video"] is None


async def test_polls_that_fail_are_repeated_until_one_answers(stack: Stack) -> None:
    for fault in ("status:500", "reset_connection", "drop_reply", "status:429"):
        await stack.fault("status", fault)
    done = await stack.end_of((await stack.order())["id"])
    assert done["status"] == "completed", done["error"]
    assert len(await stack.jobs(done["id"])) == 1


async def test_a_stuck_job_is_cancelled_there_and_fails_as_a_time_out(make_stack: MakeStack) -> None:
    stack = await make_stack(VIDEOPLANET_JOB_SECONDS="3")
    done = await stack.end_of((await stack.order("A fox [sandbox:stuck]"))["id"])
    assert (done["status"], done["error"]["category"]) == ("failed", "timeout")
    assert [job["state"] for job in await stack.jobs()] == ["cancelled"]
    assert done["cost"]["settled_usd"] == "0.24", "a running job is stopped without refund"


async def test_a_provider_that_cannot_be_reached_is_tried_again_and_then_given_up(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack()
    await stack.kill("sandbox")
    done = await stack.end_of((await stack.order())["id"])
    assert (done["status"], done["error"]["category"]) == ("failed", "network")
    assert [one["outcome"] for one in done["takes"][0]["attempts"]] == ["not_sent"] * 3
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": "0.00"}
