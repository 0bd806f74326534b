"""Takes from the command line, against a real service: replaced, kept, rated, deleted."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.cli.pretend_api import HANG_UP, ID, PATH, Answer, generation, problem, serving
from tests.cli.real import videoplanet
from tests.eventually import eventually
from tests.stack import Stack

Completed = Callable[[], Awaitable[dict[str, Any]]]


@pytest.fixture
def completed(stack: Stack) -> Completed:
    async def make() -> dict[str, Any]:
        return await stack.end_of((await stack.order())["id"])

    return make


async def test_a_running_take_is_replaced_only_if_asked_for(stack: Stack) -> None:
    running = await stack.order("[sandbox:stuck] A train in the rain")
    gid = running["id"]
    await stack.reaches(gid, "generating")
    refused = await videoplanet(stack, "regenerate", gid)
    assert refused.code == 2
    assert "if_running: replace" in refused.notes
    again = await videoplanet(
        stack, "regenerate", gid, "--replace", "--prompt", "A train at dawn", "--seed", "7", "--wait"
    )
    assert again.code == 0, again.notes

    async def first_take_has_ended() -> bool:
        return (await stack.look(gid))["takes"][0]["ended_at"] is not None

    await eventually(first_take_has_ended, what="the end of the first take")
    shown = await videoplanet(stack, "show", gid)
    lines = [line.strip() for line in shown.output.splitlines() if line.startswith("  take ")]
    assert re.fullmatch(r"take 1 {4}superseded, replaced by take 2, cancel stopped, (not )?billed", lines[-2])
    assert lines[-1] == "take 2    completed"


async def test_a_take_is_kept_and_let_go(stack: Stack, completed: Completed) -> None:
    gid = (await completed())["id"]
    assert "take 1    completed, kept" in (await videoplanet(stack, "keep", gid, "1")).output
    assert "take 1    completed, kept" in (await videoplanet(stack, "show", gid)).output
    undone = (await videoplanet(stack, "keep", gid, "1", "--undo", "--json")).document
    assert undone["takes"][0]["kept"] is False
    missing = await videoplanet(stack, "keep", gid, "3")
    assert missing.code == 2
    assert "no take 3" in missing.notes


async def test_a_take_is_rated(stack: Stack, completed: Completed) -> None:
    gid = (await completed())["id"]
    said = await videoplanet(
        stack, "feedback", gid, "4", "--comment", "a [bold] one", "--reason", "motion", "--reason", "faces"
    )
    assert "rated 4 of 5 (motion, faces): a [bold] one" in said.output
    again = (await videoplanet(stack, "feedback", gid, "2", "--take", "1", "--json")).document
    assert again["takes"][0]["feedback"]["rating"] == 2
    types = [event["type"] for event in await stack.events(gid)]
    assert types.count("feedback.added") == 2


async def test_deleting_asks_first(stack: Stack, completed: Completed) -> None:
    gid = (await completed())["id"]
    for answer in ("n\n", ""):
        kept = await videoplanet(stack, "delete", gid, typed=answer)
        assert kept.code == 1
        assert f"Erase {gid}" in kept.notes
    assert (await stack.look(gid))["status"] == "completed"
    assert f"{gid} is deleted" in (await videoplanet(stack, "delete", gid, typed="y\n")).output
    assert (await videoplanet(stack, "show", gid)).code == 2


async def test_what_runs_is_not_deleted(stack: Stack) -> None:
    gid = (await stack.order("[sandbox:stuck] A bridge"))["id"]
    refused = await videoplanet(stack, "delete", gid, "--yes")
    assert refused.code == 2
    assert "cancel it first" in refused.notes
    await videoplanet(stack, "cancel", gid)


async def test_an_operator_sees_the_workflow(stack: Stack, completed: Completed) -> None:
    gid = (await completed())["id"]
    seen = (await videoplanet(stack, "workflow", gid, "--json")).document
    told = await videoplanet(stack, "workflow", gid)
    assert seen["workflow_id"] == gid
    assert told.output.splitlines()[0] == f"{gid}  {seen['status']}"
    assert seen["run_id"] in told.output
    assert f"/workflows/{gid}" in told.output


def test_a_delete_whose_answer_was_lost_is_done_though_nothing_is_left() -> None:
    gone = Answer(404, problem(404, "There is no such thing"))
    with serving() as script:
        script.on("DELETE", PATH, HANG_UP, gone)
        result = CliRunner().invoke(app, ["delete", ID, "--yes"], env={"VIDEOPLANET_URL": script.url})
        assert result.exit_code == 0, result.stderr
        result = CliRunner().invoke(app, ["delete", ID, "--yes"], env={"VIDEOPLANET_URL": script.url})
        assert result.exit_code == 2


def test_marks_are_sent_with_a_key_and_undone_with_a_delete() -> None:
    with serving() as script:
        for method in ("POST", "DELETE"):
            script.on(method, f"{PATH}/takes/2/keep", Answer(200, generation("completed")))
        for extra in ([], ["--undo"]):
            arguments = ["keep", ID, "2", *extra]
            assert CliRunner().invoke(app, arguments, env={"VIDEOPLANET_URL": script.url}).exit_code == 0
    assert [heard.method for heard in script.heard] == ["POST", "DELETE"]
    assert script.heard[0].headers["Idempotency-Key"]
