"""Which takes are kept, and what they are worth to people."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.changes import again
from tests.api.orders import LONE_SURROGATE, NO_CONTROL, text_of
from tests.api.refusals import JSON, errors_of, problem_of
from tests.api.streams import stream
from tests.stack import Stack


@pytest.fixture(scope="session")
async def judged(stack: Stack) -> str:
    """The id of a generation with two takes that have videos, and a third one that is cancelled."""
    first = await stack.end_of((await stack.order("A fox to be judged"))["id"])
    await again(stack, first)
    await stack.end_of(first["id"])
    await again(stack, first, prompt="[sandbox:stuck] a fox")
    await stack.http.post(f"/v1/generations/{first['id']}/cancel")
    done = await stack.end_of(first["id"])
    assert [take["status"] for take in done["takes"]] == ["completed", "completed", "cancelled"]
    return str(first["id"])


async def keep(stack: Stack, generation_id: str, number: int, method: str = "POST") -> httpx.Response:
    return await stack.http.request(method, f"/v1/generations/{generation_id}/takes/{number}/keep")


async def rate(stack: Stack, generation_id: str, **said: Any) -> httpx.Response:
    return await stack.http.post(f"/v1/generations/{generation_id}/feedback", json=said)


async def told(stack: Stack, generation_id: str, kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in await stack.events(generation_id) if event["type"] == kind]


async def test_several_takes_can_be_kept_and_let_go(stack: Stack, judged: str) -> None:
    for number in (1, 2):
        answer = await keep(stack, judged, number)
        assert answer.status_code == 200
        assert answer.headers["location"] == f"/v1/generations/{judged}"
    assert [take["kept"] for take in (await stack.look(judged))["takes"]] == [True, True, False]
    let_go = await keep(stack, judged, 1, "DELETE")
    assert [take["kept"] for take in let_go.json()["takes"]] == [False, True, False]
    assert (await keep(stack, judged, 2, "DELETE")).status_code == 200


async def test_keeping_twice_is_told_once(stack: Stack, judged: str) -> None:
    before = len(await told(stack, judged, "take.kept"))
    for method in ("POST", "POST", "DELETE", "DELETE"):
        assert (await keep(stack, judged, 2, method)).status_code == 200
    new = (await told(stack, judged, "take.kept"))[before:]
    assert [(event["take"], event["data"]["kept"]) for event in new] == [(2, True), (2, False)]


async def test_a_repeated_key_keeps_once_even_after_the_take_was_let_go(stack: Stack, judged: str) -> None:
    path, headers = f"/v1/generations/{judged}/takes/1/keep", {"Idempotency-Key": str(uuid4())}
    first = await stack.http.post(path, headers=headers)
    await keep(stack, judged, 1, "DELETE")
    second = await stack.http.post(path, headers=headers)
    assert (second.json(), second.headers["idempotency-replayed"]) == (first.json(), "true")
    assert not (await stack.look(judged))["takes"][0]["kept"]


@pytest.mark.parametrize("number", [4, 65535])
async def test_a_take_that_does_not_exist_is_404(stack: Stack, judged: str, number: int) -> None:
    for answer in (
        await keep(stack, judged, number),
        await keep(stack, judged, number, "DELETE"),
        await rate(stack, judged, rating=3, take=number),
    ):
        assert f"no take {number}" in problem_of(answer, 404, "not_found")["detail"]


async def test_a_take_without_a_video_has_nothing_to_be_judged(stack: Stack, judged: str) -> None:
    before = await stack.look(judged)
    problem_of(await keep(stack, judged, 3), 404, "no_video")
    problem_of(await rate(stack, judged, rating=3), 404, "no_video")
    assert (await keep(stack, judged, 3, "DELETE")).status_code == 200, "there is no mark to take back"
    assert await stack.look(judged) == before


async def test_a_generation_that_waits_has_nothing_to_be_judged(api: Stack, standing: dict[str, Any]) -> None:
    problem_of(await keep(api, standing["id"], 1), 404, "no_video")
    problem_of(await rate(api, standing["id"], rating=3), 404, "no_video")
    assert await api.look(standing["id"]) == standing


async def test_feedback_is_shown_with_its_take_and_told(stack: Stack, judged: str) -> None:
    said = {"rating": 4, "comment": "The tail is \N{FOX FACE}\nfine", "reasons": ["motion", "faces"]}
    answer = await rate(stack, judged, take=2, **said)
    assert answer.status_code == 200
    shown = answer.json()["takes"][1]["feedback"]
    assert shown.pop("at")
    assert shown == said
    assert answer.json()["takes"][0]["feedback"] is None
    event = (await told(stack, judged, "feedback.added"))[-1]
    assert (event["take"], event["data"]) == (2, said)
    assert event["seq"] == answer.json()["last_seq"]


async def test_feedback_replaces_what_was_said_and_both_stay_in_the_log(stack: Stack, judged: str) -> None:
    before = len(await told(stack, judged, "feedback.added"))
    await rate(stack, judged, take=2, rating=1, comment="no", reasons=["faces"])
    answer = await rate(stack, judged, take=2, rating=5)
    shown = answer.json()["takes"][1]["feedback"]
    assert (shown["rating"], shown["comment"], shown["reasons"]) == (5, None, [])
    ratings = [event["data"]["rating"] for event in (await told(stack, judged, "feedback.added"))[before:]]
    assert ratings == [1, 5]


async def test_without_a_number_the_newest_take_is_meant(stack: Stack) -> None:
    done = await stack.end_of((await stack.order("A fox with one take"))["id"])
    answer = await rate(stack, done["id"], rating=2)
    assert answer.json()["takes"][0]["feedback"]["rating"] == 2
    assert answer.json()["cost"] == done["cost"], "an opinion costs nothing"
    assert answer.json()["status"] == "completed"
    news = await stream(stack, done["id"], last=done["last_seq"])
    assert [event["type"] for event in news] == ["feedback.added"], "a stream tells it and ends"


async def test_an_older_take_is_judged_while_the_next_one_is_made(stack: Stack) -> None:
    first = await stack.end_of((await stack.order("A fox with two takes"))["id"])
    made = await again(stack, first)
    assert {"keep", "feedback"} <= set(made["actions"])
    assert (await rate(stack, first["id"], rating=5, take=1)).status_code == 200
    assert (await keep(stack, first["id"], 1)).status_code == 200
    done = await stack.end_of(first["id"])
    assert done["status"] == "completed"
    assert (done["takes"][0]["kept"], done["takes"][0]["feedback"]["rating"]) == (True, 5)


async def test_ten_short_reasons_and_a_long_comment_are_taken(stack: Stack, judged: str) -> None:
    reasons = [f"reason-{n}" for n in range(10)]
    for rating in (1, 5):
        answer = await rate(stack, judged, take=1, rating=rating, comment="x" * 2000, reasons=reasons)
        assert answer.json()["takes"][0]["feedback"]["reasons"] == reasons


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("{}", "/rating"),
        *((f'{{"rating": {value}}}', "/rating") for value in ("0", "6", "-1", "3.5", "4.0", '"5"', "true")),
        *((f'{{"rating": {value}}}', "/rating") for value in ("null", "[]", "NaN", "1e400", "9" * 30)),
        (f'{{"rating": 3, "comment": {text_of(2001)}}}', "/comment"),
        (f'{{"rating": 3, "comment": {NO_CONTROL}}}', "/comment"),
        (f'{{"rating": 3, "comment": {LONE_SURROGATE}}}', "/comment"),
        ('{"rating": 3, "comment": 5}', "/comment"),
        (json.dumps({"rating": 3, "reasons": [f"r{n}" for n in range(11)]}), "/reasons"),
        ('{"rating": 3, "reasons": "motion"}', "/reasons"),
        ('{"rating": 3, "reasons": null}', "/reasons"),
        ('{"rating": 3, "reasons": ["Two Words"]}', "/reasons/0"),
        ('{"rating": 3, "reasons": ["fine", ""]}', "/reasons/1"),
        (json.dumps({"rating": 3, "reasons": ["x" * 200]}), "/reasons/0"),
        *((f'{{"rating": 3, "take": {value}}}', "/take") for value in ("0", "-1", "1.5", '"1"', "65536")),
        ('{"rating": 3, "stars": 5}', "/stars"),
    ],
)
async def test_feedback_with_a_wrong_field_is_not_taken(
    stack: Stack, finished: dict[str, Any], body: str, pointer: str
) -> None:
    path = f"/v1/generations/{finished['id']}/feedback"
    assert list(errors_of(await stack.http.post(path, content=body, headers=JSON))) == [pointer]
    assert await stack.look(finished["id"]) == finished
