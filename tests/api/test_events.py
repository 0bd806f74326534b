"""The event log over HTTP: pages of JSON, and streams that resume exactly where one left off."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.events import EventType
from storage import events as log
from storage.database import Database
from tests.api.streams import EVENT_STREAM, frames, seqs, stream, until
from tests.stack import Stack

ENDS = {"generation.completed", "generation.failed", "generation.cancelled"}


async def write(api: Stack, generation_id: str, kind: EventType, number: int = 1) -> None:
    """Let something happen to a generation, as an activity would."""
    url = f"sqlite+aiosqlite:///{api.data_dir / 'videoplanet.db'}"
    async with Database(url) as database, database.write() as connection:
        for _ in range(number):
            await log.append(
                connection,
                kind,
                generation_id=generation_id,
                take=1,
                at=datetime.now(UTC),
                message="It happened.",
            )


async def after_regenerate(stack: Stack, generation_id: str) -> None:
    answer = await stack.http.post(f"/v1/generations/{generation_id}/regenerate", json={})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 100])
async def test_pages_of_events_hold_each_once_and_in_order(
    api: Stack, cancelled: dict[str, Any], limit: int
) -> None:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        query = {"after": after, "limit": limit}
        page = (await api.http.get(f"/v1/generations/{cancelled['id']}/events", params=query)).json()
        assert page["has_more"] is (page["next"] is not None)
        found += page["data"]
        after = page["next"]
    assert seqs(found) == [1, 2, 3, 4, 5]
    assert {event["generation_id"] for event in found} == {cancelled["id"]}
    assert all(event["message"] for event in found)


async def test_a_page_after_the_last_event_is_empty(api: Stack, cancelled: dict[str, Any]) -> None:
    page = await api.http.get(f"/v1/generations/{cancelled['id']}/events?after=5")
    assert page.json() == {"data": [], "has_more": False, "next": None}


async def test_json_readers_may_resume_by_the_header_too(api: Stack, cancelled: dict[str, Any]) -> None:
    path = f"/v1/generations/{cancelled['id']}/events?after=1"
    page = await api.http.get(path, headers={"Last-Event-ID": "3"})
    assert seqs(page.json()["data"]) == [4, 5]


async def test_a_stream_tells_a_whole_generation_as_it_happens_and_ends_with_it(stack: Stack) -> None:
    ordered = await stack.order()
    told = await stream(stack, ordered["id"])
    assert seqs(told) == list(range(1, len(told) + 1))
    assert [event["type"] for event in told if event["type"] in ENDS] == ["generation.completed"]
    assert told[-1]["type"] == "generation.completed"
    assert told == await stack.events(ordered["id"])
    assert (await stack.look(ordered["id"]))["last_seq"] == told[-1]["seq"]


async def test_a_stream_resumes_exactly_at_every_event(stack: Stack, finished: dict[str, Any]) -> None:
    whole = await stack.events(finished["id"])
    assert len(whole) > 4
    for last in range(len(whole)):
        assert await stream(stack, finished["id"], last=last) == whole[last:]
        assert await stream(stack, finished["id"], query=f"?after={last}") == whole[last:]
    assert await stream(stack, finished["id"], last=2, query="?after=4") == whole[2:], "the header wins"


@pytest.mark.parametrize("beyond", [0, 1, 1_000_000])
async def test_there_is_nothing_more_after_the_end(
    stack: Stack, finished: dict[str, Any], beyond: int
) -> None:
    headers = EVENT_STREAM | {"Last-Event-ID": str(finished["last_seq"] + beyond)}
    answer = await stack.http.get(f"/v1/generations/{finished['id']}/events", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_many_readers_that_leave_and_come_back_miss_nothing(stack: Stack) -> None:
    ordered = await stack.order()

    async def hop() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        for kind in ("generation.accepted", "attempt.accepted", "take.storing", "generation.completed"):
            told += await until(stack, ordered["id"], kind, last=told[-1]["seq"] if told else None)
        return told

    readers = await asyncio.gather(*(hop() for _ in range(5)))
    whole = await stack.events(ordered["id"])
    assert all(told == whole for told in readers)


async def test_after_a_regenerate_the_stream_goes_on_from_where_it_ended(
    api: Stack, cancelled: dict[str, Any]
) -> None:
    last = cancelled["last_seq"]
    await after_regenerate(api, cancelled["id"])
    following = asyncio.create_task(stream(api, cancelled["id"], last=last))
    assert [one["type"] for one in await until(api, cancelled["id"], "take.started", last=last)] == [
        "take.started"
    ]
    await api.http.post(f"/v1/generations/{cancelled['id']}/cancel")
    told = await following
    assert seqs(told) == [last + number for number in range(1, 6)]
    assert {event["take"] for event in told} == {2}
    whole = await stream(api, cancelled["id"])
    assert seqs(whole) == list(range(1, last + 6)), "the end of the first take is not the end of the stream"


async def test_a_reader_that_claims_to_have_seen_the_future_is_told_what_comes_next(
    api: Stack, pending: dict[str, Any]
) -> None:
    path, headers = f"/v1/generations/{pending['id']}", EVENT_STREAM | {"Last-Event-ID": "1000"}
    async with api.http.stream("GET", f"{path}/events", headers=headers) as answer:
        await api.http.post(f"{path}/cancel")
        assert seqs([event async for event in frames(answer)]) == [2, 3, 4, 5]


@pytest.mark.parametrize("length", [99, 100, 101, 200])
async def test_a_stream_ends_wherever_the_end_falls_between_two_reads(
    api: Stack, pending: dict[str, Any], length: int
) -> None:
    await write(api, pending["id"], EventType.ATTEMPT_PROGRESS, length - 5)
    await api.http.post(f"/v1/generations/{pending['id']}/cancel")
    assert seqs(await stream(api, pending["id"])) == list(range(1, length + 1))


async def test_a_stream_ends_where_something_happened_after_the_end(
    api: Stack, cancelled: dict[str, Any]
) -> None:
    """As when a provider refuses to stop a job that fails later."""
    await write(api, cancelled["id"], EventType.ATTEMPT_FAILED)
    assert seqs(await stream(api, cancelled["id"])) == [1, 2, 3, 4, 5, 6]
    assert seqs(await stream(api, cancelled["id"], last=5)) == [6]
