"""Schemathesis finds nothing on the live service: no 5xx, no answer that is not described, none against its schema.

It reads the OpenAPI document as any client would, and tries every operation in all of its phases, with and without a
key. A run is the same every time, so what it finds once it finds again.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.explored import CASES, Explored, Findings, explored
from tests.stack import Stack

GENERATIONS = "^/v1/generations"
HALVES = {
    "generations": ("--include-path-regex", GENERATIONS),
    "all-else": ("--exclude-path-regex", GENERATIONS),
}
NOTHING_TO_VARY = {"GET /healthz", "GET /readyz"}
NEEDS_A_STORY = {
    "POST /v1/generations/{generation_id}/takes/{number}/attempts/{attempt}/resolve",
    "POST /v1/generations/{generation_id}/regenerate",
    "DELETE /v1/generations/{generation_id}",
}
"""What may be refused each time: no money is at risk in a healthy house, and a take may be under way."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
async def house_to_explore(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Explored]:
    """A house of its own, since nothing in it stays as it was; its jobs take no time and cost nothing real."""
    async with Stack(tmp_path_factory.mktemp("explored"), {"VIDEOPLANET_SANDBOX_SECONDS": "0.1"}) as stack:
        yield await explored(stack)


def succeeded(found: Findings) -> set[str]:
    """The operations that were answered as they are meant to be, at least once."""
    return {name for name, statuses in found.statuses.items() if any(200 <= one < 300 for one in statuses)}


async def test_examples_and_the_edges_of_every_schema(house_to_explore: Explored, tmp_path: Path) -> None:
    found = await house_to_explore.explore(tmp_path, ("examples", "coverage"))
    found.assert_clean()
    operations = await house_to_explore.operations()
    assert set(operations) <= {name for _, name in found.cases}
    # What was answered well is asked once more without the key, and with a wrong one.
    closed = {name for name, said in operations.items() if said["security"]} & succeeded(found)
    assert len(closed) > len(operations) / 2
    assert closed <= {name for name, statuses in found.statuses.items() if 401 in statuses}


@pytest.mark.parametrize("half", HALVES)
async def test_whatever_can_be_made_up(house_to_explore: Explored, tmp_path: Path, half: str) -> None:
    found = await house_to_explore.explore(tmp_path, ("fuzzing",), *HALVES[half])
    found.assert_clean()
    is_ours = half == "generations"
    operations = {
        name
        for name in await house_to_explore.operations()
        if name.partition(" ")[2].startswith(GENERATIONS[1:]) is is_ours
    }
    cases = {name: found.cases["fuzzing", name] for name in operations - NOTHING_TO_VARY}
    assert {name: count for name, count in cases.items() if count < CASES} == {}
    assert succeeded(found) >= operations - NEEDS_A_STORY


async def test_stories_of_many_steps(house_to_explore: Explored, tmp_path: Path) -> None:
    found = await house_to_explore.explore(tmp_path, ("stateful",))
    found.assert_clean()
    assert sum(found.cases.values()) > CASES


async def test_streams_end_where_the_generation_does(house_to_explore: Explored, tmp_path: Path) -> None:
    path = "/v1/generations/{generation_id}/events"
    found = await house_to_explore.explore(
        tmp_path, ("coverage", "fuzzing"), "--include-path", path, accept="text/event-stream"
    )
    found.assert_clean()
    assert {200, 204, 401, 404, 422} <= set(found.statuses[f"GET {path}"])
