"""Waiting for news instead of asking again and again."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.stack import Stack

LONG = 40


def took(since: float) -> float:
    return time.monotonic() - since


@pytest.fixture
def began() -> float:
    """The time before the test."""
    return time.monotonic()


async def test_an_order_may_wait_for_its_video(stack: Stack, began: float) -> None:
    answer = await stack.http.post(
        "/v1/generations",
        json={"prompt": "A fox", "params": {"duration_seconds": 2}},
        headers={"Prefer": f"respond-async, wait={LONG}"},
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "completed")
    assert answer.headers["preference-applied"] == f"wait={LONG}"
    assert took(began) < LONG


async def test_an_order_that_waits_is_answered_when_its_time_is_over(api: Stack, began: float) -> None:
    answer = await api.http.post("/v1/generations", json={"prompt": "A fox"}, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert 1 <= took(began) < 5


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-5", "wait=soon", "waiting=5", "return=minimal", ""])
async def test_another_preference_is_not_applied(api: Stack, began: float, prefer: str) -> None:
    answer = await api.http.post("/v1/generations", json={"prompt": "A fox"}, headers={"Prefer": prefer})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers
    assert took(began) < 5


async def test_a_repeated_order_may_wait_as_well(stack: Stack, finished: dict[str, Any]) -> None:
    order = {"prompt": "A fox", "params": {"duration_seconds": 2}}
    headers = {"Idempotency-Key": str(uuid4())}
    first = await stack.http.post("/v1/generations", json=order, headers=headers)
    second = await stack.http.post(
        "/v1/generations", json=order, headers=headers | {"Prefer": f"wait={LONG}"}
    )
    assert second.json()["id"] == first.json()["id"] != finished["id"]
    assert second.json()["status"] == "completed"
    assert second.headers["idempotency-replayed"] == "true"


async def test_a_look_waits_for_the_next_event_and_not_longer(
    api: Stack, pending: dict[str, Any], began: float
) -> None:
    path = f"/v1/generations/{pending['id']}"
    looking = asyncio.create_task(api.http.get(path, params={"wait": LONG, "after": pending["last_seq"]}))
    await api.http.post(f"{path}/cancel")
    news = (await looking).json()
    assert (news["status"], news["last_seq"]) == ("cancelled", 5)
    assert took(began) < 10


async def test_a_look_without_after_waits_for_the_end(stack: Stack, began: float) -> None:
    ordered = await stack.order()
    seen = await stack.http.get(f"/v1/generations/{ordered['id']}?wait={LONG}")
    assert seen.json()["status"] == "completed"
    assert took(began) < LONG


@pytest.mark.parametrize(
    "query", ["wait=40", "wait=40&after=0", "wait=40&after=3", "wait=0&after=4", "after=99"]
)
async def test_news_that_is_there_is_not_waited_for(
    api: Stack, cancelled: dict[str, Any], began: float, query: str
) -> None:
    assert (await api.http.get(f"/v1/generations/{cancelled['id']}?{query}")).json() == cancelled
    assert took(began) < 10


async def test_a_look_for_news_that_does_not_come_ends_in_time(
    api: Stack, standing: dict[str, Any], began: float
) -> None:
    seen = await api.http.get(f"/v1/generations/{standing['id']}?wait=1&after={standing['last_seq']}")
    assert seen.json() == standing
    assert 1 <= took(began) < 5


async def test_all_events_can_be_followed_by_looking(stack: Stack) -> None:
    """Each look returns at an event: the number of looks stays near the number of events."""
    ordered = await stack.order()
    seen, looks = ordered, 0
    while seen["status"] not in {"completed", "failed", "cancelled"}:
        path = f"/v1/generations/{ordered['id']}?wait={LONG}&after={seen['last_seq']}"
        later = (await stack.http.get(path)).json()
        assert later["last_seq"] > seen["last_seq"]
        assert later["progress"]["percent"] >= seen["progress"]["percent"]
        seen, looks = later, looks + 1
    assert seen["status"] == "completed"
    assert looks < seen["last_seq"]
