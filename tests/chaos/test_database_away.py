"""The database is held by somebody else at the worst moment: what the provider said is not lost."""

import sqlite3

import pytest

from tests.conftest import MakeStack
from tests.eventually import eventually

pytestmark = pytest.mark.chaos


async def test_a_job_id_that_cannot_be_written_down_goes_through_the_history_instead(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack(VIDEOPLANET_ANSWER_SECONDS="60", VIDEOPLANET_SANDBOX_SECONDS="2")
    await stack.fault("create", "slow_accept", seconds=2)
    ordered = await stack.order()
    await stack.reaches(ordered["id"], "submitting")
    held = sqlite3.connect(stack.data_dir / "videoplanet.db", isolation_level=None)
    try:
        held.execute("BEGIN IMMEDIATE")

        async def given_up_on_sql() -> bool:
            shown = await stack.temporal("workflow", "show", "-w", ordered["id"], "-o", "json")
            return '"submit"' in shown and '"watch"' in shown

        await eventually(given_up_on_sql, within=90, what="the watch is scheduled")
    finally:
        held.execute("ROLLBACK")
        held.close()
    done = await stack.end_of(ordered["id"], within=90)
    assert done["status"] == "completed", done["error"]
    assert [one["outcome"] for one in done["takes"][0]["attempts"]] == ["accepted"]
    assert len(await stack.jobs(ordered["id"])) == 1
