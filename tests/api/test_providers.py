"""What can be made here, and what it costs: every fact with its date, and every example is taken."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.api.pictures import send
from tests.stack import Stack
from tests.storage.pictures import corners, encoded

Provider = dict[str, Any]


@pytest.fixture(scope="session")
async def providers(api: Stack) -> dict[str, Provider]:
    """What is listed, by id."""
    listed = (await api.http.get("/v1/providers")).json()["data"]
    assert [provider["id"] for provider in listed] == ["runway", "seedance", "stable-video"]
    return {provider["id"]: provider for provider in listed}


def modes(providers: dict[str, Provider]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (provider["id"], model["id"], mode)
        for provider in providers.values()
        for model in provider["models"]
        for mode in model["modes"]
    ]


async def test_every_provider_says_what_it_is(providers: dict[str, Provider]) -> None:
    for provider in providers.values():
        assert provider["mode"] == "sandbox"
        assert provider["retired"] is None, "the sandbox keeps every door open"
        assert provider["name"]
        assert provider["models"]
        for model in provider["models"]:
            assert date.fromisoformat(model["facts_read"]) <= date.today()  # noqa: DTZ011  # a day, wherever


async def test_a_model_that_works_from_a_picture_only_says_so(providers: dict[str, Provider]) -> None:
    needing = {
        model["id"] for provider in providers.values() for model in provider["models"] if model["needs_image"]
    }
    assert needing == {"gen4_turbo", "svd"}
    for _, _, mode in modes(providers):
        assert mode["image_required"] is (mode["mode"] == "image_to_video")


async def test_every_limit_is_told(providers: dict[str, Provider]) -> None:
    for _, model, mode in modes(providers):
        assert mode["default_duration_seconds"] in mode["duration_seconds"], model
        assert mode["duration_seconds"] == sorted(set(mode["duration_seconds"])), model
        least, most = mode["seed_range"]
        assert 0 <= least < most < 2**32
        assert len({size["pixels"] for size in mode["sizes"]}) == len(mode["sizes"]) > 0
        for size in mode["sizes"]:
            assert re.fullmatch(r"\d+x\d+", size["pixels"])
            assert re.fullmatch(r"\d+:\d+", size["aspect_ratio"])
        for wish in ("negative_prompt", "camera", "camera_fixed", "style"):
            assert mode[wish] in {"native", "prompt", "none"}, (model, wish)


async def test_every_price_has_a_unit_and_the_day_on_which_it_was_read(
    providers: dict[str, Provider],
) -> None:
    units = {}
    for provider, model, mode in modes(providers):
        price = mode["price"]
        units[provider] = price["unit"]
        assert date.fromisoformat(price["read_on"]) <= date.today()  # noqa: DTZ011  # a day, wherever
        for amount in ("usd", "example_usd"):
            assert re.fullmatch(r"\d+\.\d{2,6}", price[amount]), (model, amount)
            assert Decimal(price[amount]) > 0, (model, amount)
        assert price["example_seconds"] == mode["default_duration_seconds"]
    assert units == {"runway": "second", "seedance": "million_tokens", "stable-video": "video"}


async def test_the_known_prices_are_told(providers: dict[str, Provider]) -> None:
    known = {(model, mode["mode"]): mode["price"] for _, model, mode in modes(providers)}
    assert (known["gen4.5", "text_to_video"]["usd"], known["gen4_turbo", "image_to_video"]["usd"]) == (
        "0.12",
        "0.05",
    )
    assert known["gen4.5", "text_to_video"]["example_usd"] == "0.60"
    assert known["gen4.5", "text_to_video"]["is_certain"]
    assert not known["svd", "image_to_video"]["is_certain"]
    sound = known["seedance-1-5-pro-251215", "text_to_video"]
    assert Decimal(sound["silent_usd"]) == Decimal(sound["usd"]) / 2
    assert known["gen4.5", "text_to_video"]["step_usd"] == "0.01", "whole credits"
    assert {price["least_usd"] for price in known.values()} == {None}


async def test_a_price_is_told_at_each_resolution_the_default_one_first(
    providers: dict[str, Provider],
) -> None:
    for _, model, mode in modes(providers):
        price, rates = mode["price"], mode["price"]["by_resolution"]
        assert [rate["resolution"] for rate in rates] == list(
            dict.fromkeys(size["resolution"] or size["pixels"] for size in mode["sizes"])
        ), model
        first = {name: price[name] for name in ("usd", "silent_usd", "example_usd")}
        assert rates[0] == {"resolution": rates[0]["resolution"], **first}, model
    known = {model: mode["price"]["by_resolution"] for _, model, mode in modes(providers)}
    two = known["dreamina-seedance-2-0-260128"]
    assert {rate["resolution"]: (rate["usd"], rate["example_usd"]) for rate in two} == {
        "720p": ("7.00", "0.7623"),
        "480p": ("7.00", "0.354466"),
        "1080p": ("7.00", "1.715175"),
        "4k": ("7.00", "6.8607"),
    }


async def test_times_are_guesses_before_anything_was_made(providers: dict[str, Provider]) -> None:
    for provider in providers.values():
        assert provider["times"]["is_measured"] is False
        assert provider["times"]["job_seconds"] > 0
        assert provider["times"]["wait_seconds"] >= 0


async def test_all_that_is_listed_at_a_resolution_costs_what_is_told_there(
    api: Stack, providers: dict[str, Provider]
) -> None:
    for provider, model, mode in modes(providers):
        if mode["image_required"]:
            continue
        for rate in mode["price"]["by_resolution"]:
            body = {"provider": provider, "model": model, "params": {"resolution": rate["resolution"]}}
            page = (await api.http.post("/v1/estimates", json=body)).json()
            assert page["data"][0]["offer"]["price_usd"] == rate["example_usd"], (model, rate)


async def test_every_option_says_what_it_takes(providers: dict[str, Provider]) -> None:
    named: dict[str, set[str]] = {}
    for _, model, mode in modes(providers):
        for option in mode["options"]:
            assert option["description"], option
            assert option["default"] is not None, option
            named.setdefault(model, set()).add(option["name"])
    assert named["svd"] == {"motion_bucket_id", "cfg_scale"}
    assert named["gen4.5"] == {"public_figure_threshold"}
    assert "generate_audio" in named["dreamina-seedance-2-0-260128"]


async def test_all_that_is_listed_can_be_ordered_at_the_price_that_is_told(
    api: Stack, providers: dict[str, Provider]
) -> None:
    image_id = (await send(api, encoded(corners(640, 360), "PNG"))).json()["id"]
    for provider, model, mode in modes(providers):
        extra = {option["name"]: option["default"] for option in mode["options"]}
        image = {"image_id": image_id} if mode["image_required"] else {}
        size = mode["sizes"][0]["pixels"]
        params = {"extra": extra, "resolution": size, "seed": mode["seed_range"][1], **image}
        if max(map(int, size.split("x"))) > 2048:
            del params["resolution"]
        ordered = await api.order(provider=provider, model=model, params=params)
        assert ordered["cost"]["reserved_usd"] == mode["price"]["example_usd"], model
        assert ordered["takes"][0]["request"]["params"]["resolution"] == size
        assert (ordered["provider"], ordered["model"]) == (provider, model)


async def test_every_size_that_is_listed_can_be_ordered(api: Stack, providers: dict[str, Provider]) -> None:
    """By its pixels, or, where those are over the limit of a request, by its name and ratio."""
    for provider, model, mode in modes(providers):
        if mode["image_required"] and provider != "stable-video":
            continue
        image = {"image_id": (await send(api, encoded(corners(), "PNG"))).json()["id"]}
        for size in mode["sizes"]:
            sides = [int(side) for side in size["pixels"].split("x")]
            asked = {"resolution": size["pixels"]}
            if max(sides) > 2048:
                asked = {"resolution": size["resolution"], "aspect_ratio": size["aspect_ratio"]}
            params = asked | (image if mode["image_required"] else {})
            ordered = await api.order(provider=provider, model=model, params=params)
            assert ordered["takes"][0]["request"]["params"]["resolution"] == size["pixels"]
