"""Lists: newest first, in pages that neither skip nor repeat, narrowed by what one knows."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.stack import Stack


@pytest.fixture
def project() -> str:
    """A project of the test's own."""
    return f"project-{uuid4()}"


async def listed(api: Stack, **query: Any) -> list[str]:
    """The ids of one page."""
    answer = await api.http.get("/v1/generations", params=query)
    assert answer.status_code == 200, answer.text
    return [generation["id"] for generation in answer.json()["data"]]


async def ordered(api: Stack, number: int, **fields: Any) -> list[str]:
    """The ids of so many new generations, the newest first."""
    answers = [await api.order(**fields) for _ in range(number)]
    return [answer["id"] for answer in reversed(answers)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_hold_everything_once_and_the_newest_first(api: Stack, project: str, limit: int) -> None:
    expected = await ordered(api, 7, project_id=project)
    found: list[str] = []
    query: dict[str, Any] = {"project_id": project, "limit": limit}
    while True:
        page = (await api.http.get("/v1/generations", params=query)).json()
        found += [generation["id"] for generation in page["data"]]
        assert page["has_more"] is (page["next"] is not None) is (len(found) < 7)
        if not page["has_more"]:
            break
        assert len(page["data"]) == limit
        query["cursor"] = page["next"]
    assert found == expected


async def test_what_arrives_between_pages_changes_nothing_in_them(api: Stack, project: str) -> None:
    expected = await ordered(api, 6, project_id=project)
    query: dict[str, Any] = {"project_id": project, "limit": 2}
    page = await api.http.get("/v1/generations", params=query)
    found = [generation["id"] for generation in page.json()["data"]]
    while page.json()["has_more"]:
        query["cursor"] = page.json()["next"]
        page, *_ = await asyncio.gather(
            api.http.get("/v1/generations", params=query), *(api.order(project_id=project) for _ in range(3))
        )
        found += [generation["id"] for generation in page.json()["data"]]
    assert found == expected


async def test_twenty_are_a_page(api: Stack, project: str) -> None:
    await ordered(api, 21, project_id=project)
    assert len(await listed(api, project_id=project)) == 20


async def test_a_list_is_narrowed_by_each_field_and_by_all_together(api: Stack, project: str) -> None:
    names = {"project_id": project, "scenario_id": f"s-{project}", "user_id": f"u-{project}"}
    [wanted] = await ordered(api, 1, **names)
    for name, value in names.items():
        assert wanted in await listed(api, **{name: value})
        assert await listed(api, **{name: value + "x"}) == []
        [other] = await ordered(api, 1, **{name: value})
        assert await listed(api, **{name: value}) == [other, wanted]
    assert await listed(api, **names) == [wanted]
    assert await listed(api, **names, provider="runway") == [wanted]
    assert await listed(api, **names, provider="seedance") == []


async def test_a_list_is_narrowed_by_status(api: Stack, project: str) -> None:
    gone, waiting = await ordered(api, 2, project_id=project)
    await api.http.post(f"/v1/generations/{gone}/cancel")
    assert await listed(api, project_id=project, status="cancelled") == [gone]
    assert await listed(api, project_id=project, status="pending") == [waiting]
    assert await listed(api, project_id=project, status="completed") == []


async def test_a_list_is_narrowed_by_time_to_the_microsecond_in_any_zone(api: Stack, project: str) -> None:
    third, second, first = await ordered(api, 3, project_id=project)
    at = datetime.fromisoformat((await api.look(second))["created_at"])
    before, after = at - timedelta(microseconds=1), at + timedelta(microseconds=1)
    assert await listed(api, project_id=project, created_after=at.isoformat()) == [third]
    assert await listed(api, project_id=project, created_before=at.isoformat()) == [first]
    window = {"created_after": before.isoformat(), "created_before": after.isoformat()}
    assert await listed(api, project_id=project, **window) == [second]
    elsewhere = at.isoformat().replace("+00:00", "Z")
    assert await listed(api, project_id=project, created_after=elsewhere) == [third]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("100%", ["100% fox"]),
        ("%", ["100% fox"]),
        ("_", ["a_b fox"]),
        ("a_b", ["a_b fox"]),
        ("axb", ["axb fox"]),
        ("\\", ["back\\slash fox"]),
        ("/", ["a/b fox"]),
        ("FOX", ["a/b fox", "back\\slash fox", "axb fox", "a_b fox", "100% fox"]),
        ("", ["a/b fox", "back\\slash fox", "axb fox", "a_b fox", "100% fox"]),
        ("'; --", []),
    ],
)
async def test_a_search_takes_every_character_as_itself(
    api: Stack, searched: str, q: str, found: list[str]
) -> None:
    answer = await api.http.get("/v1/generations", params={"q": q, "project_id": searched})
    assert [generation["request"]["prompt"] for generation in answer.json()["data"]] == found


@pytest.fixture(scope="session")
async def searched(api: Stack) -> str:
    """A project with prompts that are hard to search."""
    for prompt in ("100% fox", "a_b fox", "axb fox", "back\\slash fox", "a/b fox"):
        await api.order(prompt, project_id="searched")
    return "searched"
