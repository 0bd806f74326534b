"""A POST with an Idempotency-Key may be repeated: it is done once, and answered alike."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.refusals import errors_of
from tests.stack import Stack

ORDER = {"prompt": "A red fox in the snow"}


async def post(api: Stack, key: str, path: str = "", **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return await api.http.post(f"/v1/generations{path}", json=body or ORDER, headers=headers)


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return str(uuid4())


async def test_an_order_is_accepted_with_its_place_and_its_money(api: Stack) -> None:
    answer = await api.http.post("/v1/generations", json=ORDER)
    assert answer.status_code == 202
    ordered = answer.json()
    assert answer.headers["location"] == f"/v1/generations/{ordered['id']}" == ordered["links"]["self"]
    assert "idempotency-replayed" not in answer.headers
    assert (ordered["status"], ordered["stage"]) == ("pending", "accepted")
    assert ordered["cost"] == {"reserved_usd": "0.60", "settled_usd": "0.00", "at_risk_usd": "0.00"}
    assert (await api.http.get(answer.headers["location"])).json() == ordered


async def test_a_repeated_order_is_answered_as_the_first_time(api: Stack, key: str) -> None:
    first = await post(api, key)
    second = await post(api, key)
    assert (first.status_code, second.status_code) == (202, 202)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert second.json() == first.json()


async def test_the_first_answer_is_repeated_even_when_things_have_moved_on(api: Stack, key: str) -> None:
    first = await post(api, key)
    await api.http.post(f"{first.headers['location']}/cancel")
    assert (await post(api, key)).json() == first.json()


async def test_twenty_orders_at_once_with_one_key_are_one_generation(api: Stack, key: str) -> None:
    project = f"twenty-{key}"
    answers = await asyncio.gather(*(post(api, key, prompt="A fox", project_id=project) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    listed = (await api.http.get("/v1/generations", params={"project_id": project})).json()["data"]
    assert [generation["id"] for generation in listed] == [answers[0].json()["id"]]


async def test_twenty_orders_without_a_key_are_twenty_generations(api: Stack) -> None:
    answers = await asyncio.gather(*(api.http.post("/v1/generations", json=ORDER) for _ in range(20)))
    assert len({answer.json()["id"] for answer in answers}) == 20


async def test_a_key_that_was_used_for_another_body_is_refused(api: Stack, key: str) -> None:
    first = await post(api, key)
    answer = await post(api, key, prompt="A blue hare")
    assert list(errors_of(answer, code="idempotency_key_reused")) == ["/header/Idempotency-Key"]
    assert (await post(api, key)).json() == first.json()


async def test_a_refused_order_leaves_its_key_free(api: Stack, key: str) -> None:
    errors_of(await post(api, key, prompt=""))
    answer = await post(api, key)
    assert answer.status_code == 202
    assert "idempotency-replayed" not in answer.headers


async def test_a_key_belongs_to_its_path(api: Stack, key: str, cancelled: dict[str, Any]) -> None:
    again = await post(api, key, f"/{cancelled['id']}/regenerate", prompt="A hare")
    cancel = await post(api, key, f"/{cancelled['id']}/cancel", reason="no")
    assert (again.status_code, cancel.status_code) == (202, 202)
    assert "idempotency-replayed" not in cancel.headers


async def test_a_repeated_regenerate_is_one_take(api: Stack, key: str, cancelled: dict[str, Any]) -> None:
    path = f"/{cancelled['id']}/regenerate"
    answers = await asyncio.gather(*(post(api, key, path, prompt="A hare") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert len((await api.look(cancelled["id"]))["takes"]) == 2


async def test_a_repeated_cancel_is_one_cancel(api: Stack, key: str, pending: dict[str, Any]) -> None:
    path = f"/{pending['id']}/cancel"
    answers = await asyncio.gather(*(post(api, key, path, reason="no") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    types = [event["type"] for event in await api.events(pending["id"])]
    assert types.count("cancel.requested") == 1


async def test_a_key_of_255_characters_is_one(api: Stack, key: str) -> None:
    assert (await post(api, key.ljust(255, "~"))).status_code == 202
