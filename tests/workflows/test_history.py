"""What a generation costs in Temporal, and what an operator finds there."""

import base64
import json

from tests.conftest import MakeStack
from tests.stack import Stack

HAPPY_EVENTS = 30


async def test_the_happy_history_has_at_most_30_events(stack: Stack) -> None:
    done = await stack.end_of((await stack.order())["id"])
    shown = await stack.temporal("workflow", "show", "-w", done["id"], "-o", "json")
    events = [event["eventType"] for event in json.loads(shown)["events"]]
    assert events[-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
    assert len(events) <= HAPPY_EVENTS, events


async def test_an_operator_finds_generations_by_what_they_are(stack: Stack) -> None:
    ordered = await stack.order("for a project", project_id="winter")
    await stack.end_of(ordered["id"])
    described = await stack.temporal("workflow", "describe", "-w", ordered["id"], "-o", "json")
    encoded = json.loads(described)["workflowExecutionInfo"]["searchAttributes"]["indexedFields"]
    fields = {name: json.loads(base64.b64decode(field["data"])) for name, field in encoded.items()}
    assert fields["VideoStatus"] == "completed"
    assert fields["VideoProvider"] == "runway"
    assert fields["ProjectId"] == "winter"
    assert fields["CostUsd"] == 0.24


async def test_everything_works_with_an_empty_workflow_cache(make_stack: MakeStack) -> None:
    """Every step is a replay. One at a time: the SDK drops local activities of runs that push each other out."""
    stack = await make_stack(VIDEOPLANET_MAX_CACHED_WORKFLOWS="0")
    happy = await stack.end_of((await stack.order())["id"])
    assert happy["status"] == "completed"
    stuck = await stack.order("A fox [sandbox:stuck]")
    await stack.reaches(stuck["id"], "generating", within=60)
    await stack.http.post(f"/v1/generations/{stuck['id']}/cancel")
    assert (await stack.end_of(stuck["id"]))["takes"][0]["cancel"]["outcome"] == "stopped"
    lost = await stack.order("A fox [sandbox:drop_reply]")
    assert (await stack.end_of(lost["id"]))["error"]["category"] == "submission_unknown"
    broken = await stack.order("A fox [sandbox:truncated_output=9]")
    assert (await stack.end_of(broken["id"]))["error"]["category"] == "bad_output"
    await stack.http.post(f"/v1/generations/{happy['id']}/regenerate", json={})
    again = await stack.end_of(happy["id"])
    assert [take["status"] for take in again["takes"]] == ["completed", "completed"]
    assert len(await stack.jobs()) == 5
