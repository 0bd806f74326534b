"""The same wish twice in a row is one generation, unless it is meant."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.limited import house, post
from tests.eventually import eventually
from tests.stack import Stack


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A house that recognises the same wish for long enough."""
    folder = tmp_path_factory.mktemp("duplicates")
    async with house(folder, VIDEOPLANET_DUPLICATE_SECONDS="600") as apis:
        yield apis[0]


@pytest.fixture
def prompt() -> str:
    """What nobody has asked for."""
    return f"A fox {uuid4()}"


def assert_same(first: httpx.Response, second: httpx.Response) -> None:
    of = first.json()["id"]
    assert first.json()["duplicate_of"] is None
    assert "duplicate-of" not in first.headers
    assert second.status_code == 202, second.text
    assert (second.json()["id"], second.json()["duplicate_of"], second.headers["duplicate-of"]) == (
        of,
        of,
        of,
    )
    assert second.headers["location"] == f"/v1/generations/{of}"


def assert_another(first: httpx.Response, second: httpx.Response) -> None:
    assert second.status_code == 202, second.text
    assert second.json()["id"] != first.json()["id"]
    assert second.json()["duplicate_of"] is None


async def test_the_same_wish_is_answered_with_the_same_generation(api: Stack, prompt: str) -> None:
    first = await post(api, prompt)
    assert_same(first, await post(api, prompt))
    assert_same(first, await post(api, prompt))
    looked_at = await api.look(first.json()["id"])
    assert looked_at["duplicate_of"] is None
    assert len(looked_at["takes"]) == 1


async def test_another_key_for_the_same_wish_is_no_other_wish(api: Stack, prompt: str) -> None:
    body = {"prompt": prompt, "provider": "runway"}
    first = await api.http.post("/v1/generations", json=body, headers={"Idempotency-Key": f"{prompt[-9:]}1"})
    key = {"Idempotency-Key": f"{prompt[-9:]}2"}
    second = await api.http.post("/v1/generations", json=body, headers=key)
    assert_same(first, second)
    replayed = await api.http.post("/v1/generations", json=body, headers=key)
    assert (replayed.json(), replayed.headers["duplicate-of"]) == (second.json(), first.json()["id"])


async def test_labels_and_defaults_that_are_spelt_out_make_no_other_wish(api: Stack, prompt: str) -> None:
    first = await post(api, prompt, max_cost_usd="1.00", metadata={"click": "1"})
    more = {
        "priority": "normal",
        "scenario_id": None,
        "on_content_policy": "fail",
        "metadata": {"click": "2"},
    }
    assert_same(first, await post(api, prompt, max_cost_usd="1", **more))


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": "anna"},
        {"project_id": "winter"},
        {"scenario_id": "two"},
        {"priority": "high"},
        {"max_cost_usd": "2"},
        {"params": {"duration_seconds": 3}},
        {"params": {"duration_seconds": 2, "seed": 1}},
        {"model": "gen4.5"},
        {"fallback_providers": ["seedance"]},
        {"deadline_seconds": 600},
        {"on_content_policy": "next"},
    ],
)
async def test_whatever_says_what_how_or_for_whom_makes_another_wish(
    api: Stack, prompt: str, change: dict[str, Any]
) -> None:
    assert_another(await post(api, prompt), await post(api, prompt, **change))


async def test_who_means_it_orders_twice(api: Stack, prompt: str) -> None:
    first = await post(api, prompt)
    second = await post(api, prompt, allow_duplicate=True)
    assert_another(first, second)
    assert "allow_duplicate" not in second.json()["request"]
    assert_same(second, await post(api, prompt))


async def test_a_cancelled_generation_is_no_answer(api: Stack, prompt: str) -> None:
    first = await post(api, prompt)
    await api.http.post(f"/v1/generations/{first.json()['id']}/cancel")
    second = await post(api, prompt)
    assert_another(first, second)
    assert_same(second, await post(api, prompt))


async def test_a_deleted_generation_is_no_answer(api: Stack, prompt: str) -> None:
    first = await post(api, prompt)
    url = f"/v1/generations/{first.json()['id']}"
    await api.http.post(f"{url}/cancel")
    assert (await api.http.delete(url)).status_code == 204
    assert_another(first, await post(api, prompt))


async def test_a_generation_with_another_take_by_now_is_no_answer(api: Stack, prompt: str) -> None:
    first = await post(api, prompt)
    change = {"prompt": "Another", "if_running": "replace"}
    url = f"/v1/generations/{first.json()['id']}/regenerate"
    assert (await api.http.post(url, json=change)).status_code == 202
    assert_another(first, await post(api, prompt))


async def test_who_prefers_to_wait_is_told_as_well(api: Stack, prompt: str) -> None:
    first = await post(api, prompt)
    body = {
        "prompt": prompt,
        "provider": "runway",
        "fallback_providers": [],
        "params": {"duration_seconds": 2},
    }
    second = await api.http.post("/v1/generations", json=body, headers={"Prefer": "wait=1"})
    assert_same(first, second)
    assert second.headers["preference-applied"] == "wait=1"


async def test_a_wish_is_forgotten_after_the_time_that_is_set(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("brief")
    async with house(folder, VIDEOPLANET_DUPLICATE_SECONDS="0.5") as apis:
        first = (await post(apis[0])).json()["id"]

        async def is_new() -> bool:
            return bool((await post(apis[0])).json()["id"] != first)

        await eventually(is_new, what="the first order is forgotten")
    async with house(tmp_path_factory.mktemp("off"), VIDEOPLANET_DUPLICATE_SECONDS="0") as apis:
        assert_another(await post(apis[0]), await post(apis[0]))
