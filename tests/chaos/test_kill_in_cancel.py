"""A cancel in the making survives its worker, and ends even if the provider never answers."""

from pathlib import Path

import pytest

from failpoints import Point
from tests.conftest import MakeStack
from tests.stack import freeze_at

pytestmark = pytest.mark.chaos


async def test_a_worker_killed_before_it_sends_the_cancel_leaves_one_true_outcome(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    stack = await make_stack(**freeze_at(Point.BEFORE_CANCEL, tmp_path), VIDEOPLANET_CANCEL_SECONDS="3")
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await stack.freezes("worker")
    await stack.kill("worker")
    await stack.start_part("worker")
    done = await stack.end_of(ordered["id"], within=120)
    assert done["status"] == "cancelled"
    assert done["takes"][0]["cancel"] == {"outcome": "stopped", "billed": True}
    assert [job["state"] for job in await stack.jobs()] == ["cancelled"]


async def test_a_cancel_that_the_provider_never_answers_ends_with_the_price_at_risk(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack(VIDEOPLANET_JOB_SECONDS="4", VIDEOPLANET_CANCEL_SECONDS="3")
    ordered = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(ordered["id"], "generating")
    await stack.kill("sandbox")
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "cancelled"
    assert done["takes"][0]["cancel"] == {"outcome": "goes_on", "billed": None}
    assert done["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.00", "at_risk_usd": "0.24"}
    await stack.run_ends(ordered["id"])
