"""The next take: what is not mentioned is kept, what is null is cleared, and the seed is new."""

import asyncio
from typing import Any

import pytest

from tests.api.changes import again, cancel, regenerate
from tests.api.refusals import errors_of, problem_of
from tests.stack import Stack

WHOLE = {
    "duration_seconds": 4,
    "resolution": "720x1280",
    "seed": 7,
    "negative_prompt": "text",
    "camera": {"pan": 0.5, "tilt": 0.5},
    "style": {"preset": "anime", "strength": 0.5},
    "extra": {"public_figure_threshold": "low"},
}


@pytest.fixture
async def whole(api: Stack) -> dict[str, Any]:
    """A cancelled generation whose first take was asked for with everything."""
    named = {"project_id": "winter", "metadata": {"scene": "12b"}, "max_cost_usd": "5"}
    ordered = await api.order("A fox", provider="runway", model="gen4.5", params=WHOLE, **named)
    return await cancel(api, ordered)


def asked(generation: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = generation["request"]["params"]
    return params


async def test_a_change_of_nothing_keeps_everything_but_the_seed(api: Stack, whole: dict[str, Any]) -> None:
    made = await again(api, whole)
    assert asked(made) == {name: value for name, value in WHOLE.items() if name != "seed"}
    one, two = (take["request"]["params"].pop("seed") for take in made["takes"])
    assert one == 7 != two
    assert made["takes"][0]["request"] == made["takes"][1]["request"]
    for name in ("prompt", "provider", "model", "max_cost_usd"):
        assert made["request"][name] == whole["request"][name]
    assert (made["project_id"], made["metadata"]) == ("winter", {"scene": "12b"})


async def test_no_body_is_a_change_of_nothing(api: Stack, whole: dict[str, Any]) -> None:
    answer = await api.http.post(f"/v1/generations/{whole['id']}/regenerate")
    assert (answer.status_code, len(answer.json()["takes"])) == (202, 2)
    assert asked(answer.json())["style"] == WHOLE["style"]


async def test_every_take_without_a_seed_of_its_own_has_another(api: Stack, whole: dict[str, Any]) -> None:
    for _ in range(4):
        made = await again(api, whole)
        await cancel(api, whole)
    assert len({take["request"]["params"]["seed"] for take in made["takes"]}) == 5


async def test_a_seed_that_is_given_is_used(api: Stack, whole: dict[str, Any]) -> None:
    made = await again(api, whole, params={"seed": 0})
    assert made["takes"][1]["request"]["params"]["seed"] == 0
    assert asked(made)["seed"] == 0


async def test_a_param_is_replaced_as_a_whole(api: Stack, whole: dict[str, Any]) -> None:
    """The merge is one level deep: the tilt of the camera is gone, its neighbours are kept."""
    made = await again(api, whole, params={"camera": {"pan": -1}})
    assert asked(made)["camera"] == {"pan": -1}
    assert asked(made)["style"] == WHOLE["style"]
    assert "pans left" in made["takes"][1]["request"]["prompt"]
    assert "tilts" not in made["takes"][1]["request"]["prompt"]


@pytest.mark.parametrize("param", [name for name in WHOLE if name != "seed"])
async def test_a_param_that_is_null_is_cleared(api: Stack, whole: dict[str, Any], param: str) -> None:
    made = await again(api, whole, params={param: None})
    assert asked(made) == {name: value for name, value in WHOLE.items() if name not in {"seed", param}}


async def test_params_that_are_null_are_all_cleared(api: Stack, whole: dict[str, Any]) -> None:
    made = await again(api, whole, params=None)
    assert asked(made) == {}
    assert made["takes"][1]["request"]["params"]["duration_seconds"] == 5


async def test_another_provider_clears_the_model(api: Stack, whole: dict[str, Any]) -> None:
    params = {"extra": None, "duration_seconds": None, "resolution": None}
    made = await again(api, whole, provider="seedance", params=params)
    assert (made["provider"], made["request"]["provider"]) == ("seedance", "seedance")
    assert "model" not in made["request"]
    assert made["takes"][0]["request"]["model"] == "gen4.5", "the first take is told as it was"


async def test_a_provider_that_is_null_is_any(api: Stack, whole: dict[str, Any]) -> None:
    made = await again(api, whole, provider=None)
    assert (made["request"]["provider"], made["provider"]) == ("auto", "runway")


async def test_a_change_that_fits_no_model_any_more_is_refused(api: Stack, whole: dict[str, Any]) -> None:
    answer = await regenerate(api, whole, provider="seedance")
    assert "/params/extra/public_figure_threshold" in errors_of(answer)
    assert await api.look(whole["id"]) == whole


async def test_a_change_that_contradicts_what_is_kept_is_refused(api: Stack, whole: dict[str, Any]) -> None:
    answer = await regenerate(api, whole, params={"aspect_ratio": "16:9"})
    assert errors_of(answer)["/params"]["code"] == "size_contradiction"


async def test_the_cost_limit_of_the_order_holds_for_each_take(api: Stack) -> None:
    ordered = await cancel(api, await api.order(max_cost_usd="0.24", provider="runway"))
    assert "/max_cost_usd" in errors_of(await regenerate(api, ordered, params={"duration_seconds": 3}))
    await again(api, ordered, prompt="A hare")


async def test_while_a_take_is_running_the_answer_is_409_whatever_is_sent(api: Stack) -> None:
    ordered = await api.order()
    for change in ({}, {"prompt": "A hare"}, {"if_running": "refuse"}):
        document = problem_of(await regenerate(api, ordered, **change), 409, "still_running")
        assert "if_running: replace" in document["detail"]
    assert await api.look(ordered["id"]) == ordered


async def test_of_many_at_once_one_is_granted(api: Stack, whole: dict[str, Any]) -> None:
    answers = await asyncio.gather(*(regenerate(api, whole, prompt=f"A hare {n}") for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] + 7 * [409]
    assert len((await api.look(whole["id"]))["takes"]) == 2


async def test_what_changes_is_told(api: Stack, whole: dict[str, Any]) -> None:
    await again(api, whole, prompt="A hare", params={"style": None})
    told = (await api.events(whole["id"]))[-1]
    assert (told["type"], told["take"], told["data"]["cause"]) == ("take.started", 2, "regenerate")
    assert set(told["data"]["changes"]) == {"prompt", "params"}


async def test_a_second_take_completes_and_the_first_is_kept(stack: Stack) -> None:
    first = await stack.end_of((await stack.order("A fox in a second take"))["id"])
    await again(stack, first)
    done = await stack.end_of(first["id"])
    assert [take["status"] for take in done["takes"]] == ["completed", "completed"]
    assert done["takes"][0] == first["takes"][0]
    assert done["takes"][0]["video"]["sha256"] != done["takes"][1]["video"]["sha256"]
    assert done["cost"]["settled_usd"] == "0.48"
