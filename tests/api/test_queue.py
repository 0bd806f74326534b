"""The queue: who waits, at which place, for what and for how long; strangers are only counted."""

from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import httpx
import pytest

from tests.api.paused import account_of, another_tenant, occupied, queue_of, stop, waits
from tests.api.refusals import errors_of, problem_of
from tests.conftest import MakeStack
from tests.eventually import eventually
from tests.stack import Stack


async def test_a_house_where_nothing_ever_ran_is_open(api: Stack) -> None:
    page = await queue_of(api)
    assert page["paused"] is False
    assert [one["account"] for one in page["accounts"]] == ["runway", "seedance", "stable-video"]
    for account in page["accounts"]:
        assert (account["state"], account["running"], account["job_seconds"]) == ("open", 0, None)
        assert account["breaker"] == {"state": "closed", "until": None, "cause": None}
        assert (account["max_concurrent"], account["spacing_seconds"]) == (50, 0)


async def test_what_was_accepted_while_temporal_is_away_waits_without_a_place(
    api: Stack, pending: dict[str, Any]
) -> None:
    assert pending["queue"] is None
    page = await queue_of(api, limit=100)
    waiting = list(page["waiting"])
    while page["has_more"]:
        page = await queue_of(api, limit=100, cursor=page["next"])
        waiting += page["waiting"]
    found = next(one for one in waiting if one["id"] == pending["id"])
    assert (found["stage"], found["queue"], found["retry_at"]) == ("accepted", None, None)
    assert page["processing"] == []


async def test_who_waits_is_told_the_place_and_the_reason(narrow: Stack) -> None:
    async with occupied(narrow) as running:
        normal = await narrow.order("an order like others")
        await waits(narrow, normal["id"])
        urgent = await narrow.order("one before others", priority="high")
        first = await waits(narrow, urgent["id"])

        async def is_second() -> dict[str, Any] | None:
            place = (await narrow.look(normal["id"]))["queue"]
            return place if place["position"] == 2 else None

        second = await eventually(is_second, what="the normal one steps back")
        assert (first["account"], first["position"], first["of"]) == ("runway", 1, 2)
        assert (second["reason"], second["message"]) == ("cap", "The only place at Runway is taken.")

        page = await queue_of(narrow)
        assert [one["id"] for one in page["processing"]] == [running["id"]]
        assert (page["processing_count"], page["waiting_count"]) == (1, 2)
        assert page["processing"][0]["stage"] == "generating"
        places = {one["id"]: one["queue"]["position"] for one in page["waiting"]}
        assert places == {normal["id"]: 2, urgent["id"]: 1}
        assert list(places) == [normal["id"], urgent["id"]], "the page is in the order of their ids"
        runway = await account_of(narrow)
        assert (runway["running"], runway["waiting"], runway["state"]) == (1, 2, "open")
        await stop(narrow, normal["id"], urgent["id"])
    assert (await queue_of(narrow))["waiting"] == []


async def test_every_look_at_a_waiting_one_has_its_place_but_lists_and_events_have_none(
    narrow: Stack,
) -> None:
    async with occupied(narrow):
        body = {"prompt": "A fox", "provider": "runway", "fallback_providers": []}
        answer = await narrow.http.post("/v1/generations", json=body, headers={"Prefer": "wait=3"})
        ordered = answer.json()
        assert ordered["queue"]["position"] == 1
        path = f"/v1/generations/{ordered['id']}"
        waited = (await narrow.http.get(path, params={"wait": 1, "after": ordered["last_seq"]})).json()
        assert waited["queue"]["reason"] == "cap"
        listed = (await narrow.http.get("/v1/generations", params={"limit": 1})).json()["data"][0]
        assert (listed["id"], listed["queue"]) == (ordered["id"], None)
        assert all("queue" not in event["data"] for event in await narrow.events(ordered["id"]))
        await stop(narrow, ordered["id"])
        assert (await narrow.look(ordered["id"]))["queue"] is None


async def test_the_time_until_ones_turn_is_told_from_what_was_measured(narrow: Stack) -> None:
    await narrow.end_of((await narrow.order())["id"])
    measured = (await account_of(narrow))["job_seconds"]
    assert 0.5 < measured < 60
    async with occupied(narrow):
        first, second = await narrow.order(), await narrow.order()
        for one in (first, second):
            await waits(narrow, one["id"])
        places = [one["queue"] for one in (await queue_of(narrow))["waiting"]]
        near, far = [place["eta_seconds"] for place in sorted(places, key=itemgetter("position"))]
        assert 0 <= near < far <= near + measured + 2
        await stop(narrow, second["id"], first["id"])


async def test_those_who_wait_come_in_pages_that_neither_skip_nor_repeat(narrow: Stack) -> None:
    async with occupied(narrow):
        ordered = [(await narrow.order(f"number {number}"))["id"] for number in range(5)]
        for one in ordered:
            await waits(narrow, one)
        seen: list[str] = []
        cursor: dict[str, str] = {}
        sizes = []
        while True:
            page = await queue_of(narrow, limit=2, **cursor)
            seen += [one["id"] for one in page["waiting"]]
            sizes.append(len(page["waiting"]))
            assert page["waiting_count"] == 5
            assert all(one["queue"]["of"] == 5 for one in page["waiting"])
            if not page["has_more"]:
                assert page["next"] is None
                break
            cursor = {"cursor": page["next"]}
        assert (seen, sizes) == (ordered, [2, 2, 1])
        await stop(narrow, *reversed(ordered))


@pytest.mark.parametrize("limit", ["0", "101", "many"])
async def test_a_page_has_one_to_a_hundred(api: Stack, limit: str) -> None:
    assert list(errors_of(await api.http.get(f"/v1/queue?limit={limit}"))) == ["/query/limit"]


async def test_what_is_no_cursor_is_refused(api: Stack) -> None:
    problem_of(await api.http.get("/v1/queue?cursor=nowhere"), 422, "invalid_cursor")
    assert list(errors_of(await api.http.get("/v1/queue?page=2"))) == ["/query/page"]


async def test_strangers_are_only_counted(narrow: Stack) -> None:
    async with occupied(narrow) as running, another_tenant(narrow, "stranger") as stranger:
        mine = await narrow.order("a secret of mine")
        await waits(narrow, mine["id"])
        page = (await stranger.get("/v1/queue")).json()
        assert (page["processing"], page["waiting"], page["waiting_count"]) == ([], [], 0)
        runway = page["accounts"][0]
        assert (runway["account"], runway["running"], runway["waiting"]) == ("runway", 1, 1)
        assert mine["id"] not in str(page)
        assert running["id"] not in str(page)
        await stop(narrow, mine["id"])


async def test_a_wait_for_another_attempt_says_when_it_begins(make_stack: MakeStack) -> None:
    stack = await make_stack()
    await stack.fault("create", "status:429", retry_after=40)
    ordered = await stack.order()
    waiting = await stack.reaches(ordered["id"], "waiting_retry")
    left = (datetime.fromisoformat(waiting["retry_at"]) - datetime.now(UTC)).total_seconds()
    assert 20 < left <= 41
    assert waiting["queue"] is None
    decided = [event for event in await stack.events(ordered["id"]) if event["type"] == "recovery.decided"]
    not_before = datetime.fromisoformat(decided[0]["data"]["not_before"])
    assert not_before == datetime.fromisoformat(waiting["retry_at"])
    other = await stack.order()
    place = await waits(stack, other["id"], "hold_off")
    assert place["message"].startswith("Runway asked everybody to wait for another ")
    assert (await account_of(stack))["hold_off_until"] is not None
    entry = (await queue_of(stack))["waiting"][0]
    assert (entry["id"], entry["retry_at"]) == (ordered["id"], waiting["retry_at"])
    foreseen = await stack.http.get(f"/v1/generations/{ordered['id']}/cancel-preview")
    assert foreseen.json()["outcome"] == "stopped_before_submit"
    cancelled = await stack.http.post(f"/v1/generations/{ordered['id']}/cancel")
    assert cancelled.json()["outcome"] == "stopped_before_submit"
    assert (await stack.look(ordered["id"]))["retry_at"] is None


async def test_without_a_worker_a_look_is_answered_all_the_same(narrow: Stack) -> None:
    """Nobody can tell the places then, and the accounts say so; SQL knows how many wait."""
    async with occupied(narrow):
        ordered = await narrow.order()
        await waits(narrow, ordered["id"])
        await narrow.kill("worker")
        try:

            async def unknown() -> dict[str, Any] | None:
                runway = await account_of(narrow)
                return runway if runway["state"] == "unknown" else None

            runway = await eventually(unknown, what="the gate answers no more")
            assert (runway["running"], runway["waiting"]) == (1, 1)
            answer = await narrow.http.get(f"/v1/generations/{ordered['id']}", timeout=5)
            assert (answer.status_code, answer.json()["queue"]) == (httpx.codes.OK, None)
        finally:
            await narrow.start_part("worker")
        await waits(narrow, ordered["id"])
        await stop(narrow, ordered["id"])
