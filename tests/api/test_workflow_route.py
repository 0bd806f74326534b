"""What the workflow behind a generation says of itself, for operators."""

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.api.conftest import only
from tests.api.refusals import problem_of
from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.stack import Stack

SECONDS = 12
"""In which an operator has an answer, whoever is away."""


async def behind(stack: Stack, generation_id: str) -> dict[str, Any]:
    answer = await stack.http.get(f"/v1/generations/{generation_id}/workflow")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_finished_generation_tells_its_story(stack: Stack, finished: dict[str, Any]) -> None:
    told = await behind(stack, finished["id"])
    assert (told["workflow_id"], told["status"]) == (finished["id"], "completed")
    assert told["temporal_url"] == finished["links"]["temporal"]
    assert told["history_events"] > 10
    began, ended = (datetime.fromisoformat(told[name]) for name in ("started_at", "closed_at"))
    assert began < ended
    view = told["view"]
    assert (view["generation_id"], view["take"], view["drains"]) == (finished["id"], 1, 0)
    assert view["job_id"] == finished["takes"][0]["attempts"][0]["job_id"]
    assert not view["cancel_wanted"]
    assert view["story"]
    assert all(isinstance(line, str) and line for line in view["story"])


async def test_a_running_generation_says_what_it_is_doing(stack: Stack) -> None:
    ordered = await stack.order("[sandbox:stuck] a fox that stands still")
    await stack.reaches(ordered["id"], "generating")
    told = await behind(stack, ordered["id"])
    assert (told["status"], told["closed_at"]) == ("running", None)
    assert told["view"]["doing"]
    assert told["view"]["job_id"]
    await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    await stack.end_of(ordered["id"])


async def test_a_regenerate_that_is_answered_again_starts_nothing_again(stack: Stack) -> None:
    done = await stack.end_of((await stack.order("a fox that is made twice"))["id"])
    path, headers = f"/v1/generations/{done['id']}/regenerate", {"Idempotency-Key": done["id"]}
    await stack.http.post(path, headers=headers)
    again = await stack.end_of(done["id"])
    assert len(again["takes"]) == 2
    await stack.run_ends(done["id"])
    run = await behind(stack, done["id"])
    answer = await stack.http.post(path, headers=headers)
    assert (answer.status_code, answer.headers["idempotency-replayed"]) == (202, "true")
    # What is ordered after it is done, so what it would have started was there.
    await stack.end_of((await stack.order("a fox that comes later"))["id"])
    assert await behind(stack, done["id"]) == run


async def test_an_unknown_generation_has_no_workflow(stack: Stack) -> None:
    unknown = await stack.http.get("/v1/generations/gen_01m800000000000000000000zz/workflow")
    problem_of(unknown, 404, "not_found")


async def test_without_a_worker_the_run_is_shown_without_its_story(make_stack: MakeStack) -> None:
    stack = await make_stack()
    done = await stack.end_of((await stack.order())["id"])
    await stack.run_ends(done["id"])
    await stack.kill("worker")
    since = time.monotonic()
    told = await behind(stack, done["id"])
    assert time.monotonic() - since < SECONDS
    assert (told["status"], told["view"]) == ("completed", None)
    ordered = await stack.order("A fox that waits for a worker")

    async def started() -> dict[str, Any]:
        answer = await stack.http.get(f"/v1/generations/{ordered['id']}/workflow")
        return dict(answer.json())

    since = time.monotonic()
    waiting = await asyncio.wait_for(started(), SECONDS)
    assert waiting.get("status") == "running" or waiting["code"] == "no_workflow"

    await stack.kill("temporal")
    since = time.monotonic()
    answer = await stack.http.get(f"/v1/generations/{done['id']}/workflow")
    document = problem_of(answer, 503, "unavailable")
    assert time.monotonic() - since < SECONDS
    assert "Temporal" in document["detail"]
    assert answer.headers["retry-after"]
    assert (await stack.look(done["id"]))["status"] == "completed", "the catalog needs no Temporal"


async def test_what_temporal_has_not_heard_of_has_no_workflow(tmp_path: Path) -> None:
    async with only(tmp_path, "api") as house:
        ordered = await house.order()
        path = f"/v1/generations/{ordered['id']}/workflow"
        problem_of(await house.http.get(path), 503, "unavailable")
        await house.start_part("temporal")

        async def no_workflow() -> bool:
            answer = await house.http.get(path)
            return answer.status_code == 404 and bool(problem_of(answer, 404, "no_workflow"))

        await eventually(no_workflow, what="Temporal says that there is none")
