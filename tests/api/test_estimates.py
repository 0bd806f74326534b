"""What a video would cost and how long it would take, before anything is ordered; and nothing is written."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.costs.estimates import OfferOut
from domain.attempts.routing import Door
from domain.costs.estimates import Offer
from domain.orders.planning import Wanted
from domain.orders.plans import Adjustment
from tests.api.pictures import send
from tests.eventually import eventually
from tests.factories import a_plan, a_request
from tests.stack import Stack
from tests.storage.pictures import corners, encoded

PRO = "seedance-1-0-pro-250528"
URL = "https://example.com/fox.jpg"


async def asked(stack: Stack, **body: Any) -> dict[str, Any]:
    answer = await stack.http.post("/v1/estimates", json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return dict(answer.json())


async def refused(stack: Stack, status: int, **body: Any) -> list[dict[str, Any]]:
    answer = await stack.http.post("/v1/estimates", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return list(answer.json()["errors"])


def by_model(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["model"]: one for one in page["data"]}


@pytest.mark.usefixtures("nothing_changes")
async def test_even_an_empty_order_is_estimated_and_nothing_is_written(api: Stack) -> None:
    page = await asked(api)
    assert page["mode"] == "sandbox"
    first, second = page["data"][:2]
    assert (first["provider"], first["name"], first["model"]) == ("runway", "Runway", "gen4.5")
    assert (first["is_possible"], first["is_chosen"], first["place"], first["problems"]) == (
        True,
        True,
        1,
        [],
    )
    offer = first["offer"]
    assert (offer["price_usd"], offer["price_is_certain"], offer["fits_max_cost"]) == ("0.60", True, None)
    assert (offer["duration_seconds"], offer["size"], offer["adjustments"]) == (5, "1280x720", [])
    assert offer["total_seconds"] == offer["wait_seconds"] + offer["expected_seconds"]["value"] > 0
    assert offer["takes_orders"] == "open"
    assert (second["model"], second["is_chosen"], second["place"]) == (PRO, False, 2)
    assert second["offer"]["cheaper"] == [{"params": {"resolution": "480p"}, "price_usd": "0.122513"}]
    needs_image = by_model(page)["gen4_turbo"]
    assert (needs_image["is_possible"], needs_image["offer"]) == (False, None)
    assert needs_image["problems"][0]["code"] == "image_required"
    assert by_model(page)["dreamina-seedance-2-0-260128"]["offer"]["price_is_certain"] is False


async def test_an_order_goes_where_the_estimate_says_for_what_it_says(api: Stack) -> None:
    for body in (
        {"params": {"duration_seconds": 7}},
        {"provider": "seedance", "params": {"resolution": "1080p"}},
        {"model": "dreamina-seedance-2-0-260128", "params": {"resolution": "4k"}},
        {"max_cost_usd": "0.26"},
        {"params": {"camera": {"pan": 1}, "duration_seconds": 20}},
    ):
        chosen = (await asked(api, **body))["data"][0]
        assert chosen["is_chosen"]
        asked_for: dict[str, Any] = {"provider": "auto", "fallback_providers": "auto", "params": {}} | body
        ordered = await api.order(**asked_for)
        assert (ordered["provider"], ordered["model"]) == (chosen["provider"], chosen["model"])
        assert ordered["cost"]["reserved_usd"] == chosen["offer"]["price_usd"]
        assert ordered["takes"][0]["adjustments"] == chosen["offer"]["adjustments"]


async def test_what_is_over_the_maximum_or_too_late_says_so(api: Stack) -> None:
    page = by_model(await asked(api, max_cost_usd="0.26", deadline_seconds=10))
    assert page[PRO]["offer"]["fits_max_cost"] is True
    assert page[PRO]["offer"]["fits_deadline"] is False
    dear = page["gen4.5"]
    assert (dear["is_possible"], dear["place"]) == (False, None)
    assert (dear["offer"]["price_usd"], dear["offer"]["fits_max_cost"]) == ("0.60", False)
    assert dear["problems"][0]["pointer"] == "/max_cost_usd"


async def test_why_nobody_can_serve_it_is_an_answer_and_no_refusal(api: Stack) -> None:
    page = await asked(api, params={"duration_seconds": 12, "resolution": "4k", "extra": {"loop": True}})
    assert not any(one["is_possible"] or one["is_chosen"] for one in page["data"])
    told = by_model(page)["gen4.5"]["problems"]
    assert [(one["pointer"], one["code"]) for one in told] == [
        ("/params/duration_seconds", "duration_not_supported"),
        ("/params/resolution", "resolution_not_supported"),
        ("/params/extra/loop", "unknown_option"),
    ]
    assert told[0]["allowed"] == list(range(2, 11))


async def test_a_picture_opens_other_models(api: Stack) -> None:
    image_id = (await send(api, encoded(corners(640, 480), "PNG"))).json()["id"]
    page = by_model(await asked(api, params={"image_id": image_id}))
    assert page["svd"]["offer"]["price_usd"] == "0.20"
    assert page["gen4_turbo"]["offer"]["size"] == "1104x832", "the size that suits the picture"
    (fitted,) = [
        one["code"] for one in page["svd"]["offer"]["adjustments"] if one["pointer"] == "/params/image_id"
    ]
    assert fitted == "picture_fitted"


async def test_a_picture_elsewhere_is_not_fetched_and_what_is_taken_for_granted_is_said(api: Stack) -> None:
    page = await asked(api, params={"image_url": URL})
    assert [("16:9" in text, "not fetched" in text) for text in page["assumed"]] == [(True, True)]
    svd = by_model(page)["svd"]
    assert svd["is_possible"]
    assert not [one for one in svd["offer"]["adjustments"] if one["pointer"] == "/params/image_id"]
    assert (await asked(api))["assumed"] == []


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"provider": "sora"}, "/provider", "unknown_provider"),
        ({"model": "gen9"}, "/model", "unknown_model"),
        ({"fallback_providers": ["sora"]}, "/fallback_providers", "unknown_provider"),
        ({"params": {"image_id": "img_of_a_stranger"}}, "/params/image_id", "unknown_image"),
        ({"params": {"duration_seconds": 31}}, "/params/duration_seconds", "less_than_equal"),
        ({"prompt": " "}, "/prompt", "blank"),
        ({"pormpt": "x"}, "/pormpt", "extra_forbidden"),
    ],
)
async def test_what_no_order_could_be_is_refused(
    api: Stack, body: dict[str, Any], pointer: str, code: str
) -> None:
    (error,) = await refused(api, httpx.codes.UNPROCESSABLE_ENTITY, **body)
    assert (error["pointer"], error["code"]) == (pointer, code)
    if code == "unknown_provider":
        assert error["allowed"]


async def test_times_are_guessed_until_a_job_was_made_there(api: Stack, stack: Stack) -> None:
    guessed = (await asked(api, params={"duration_seconds": 10}))["data"][0]["offer"]["expected_seconds"]
    assert guessed == {"value": 120.0, "is_measured": False, "source": "guessed"}
    done = await stack.end_of((await stack.order())["id"])
    assert done["status"] == "completed"

    async def measured() -> dict[str, Any] | None:
        made = (await asked(stack, provider="runway"))["data"][0]["offer"]["expected_seconds"]
        return dict(made) if made["is_measured"] else None

    made = await eventually(measured, within=30, what="a measured time")
    assert made["source"] == "measured"
    assert 0 < made["value"] < 60
    listed = (await stack.http.get("/v1/providers")).json()["data"][0]
    assert listed["times"]["is_measured"] is True
    assert 0 < listed["times"]["job_seconds"] < 60
    assert listed["times"]["wait_seconds"] >= 0


def test_while_an_account_is_paused_nobody_knows_when_it_would_be_there() -> None:
    adjusted = Adjustment(pointer="/params/camera", code="in_words", message="In words.")
    offer = Offer(
        plan=a_plan(adjustments=(adjusted,)),
        price_is_certain=True,
        making_seconds=20.04,
        is_measured=True,
        wait_seconds=None,
        door=Door.PAUSED,
    )
    shown = OfferOut.of(Wanted(request=a_request(deadline_seconds=60), seed=0), offer)
    assert (shown.takes_orders, shown.wait_seconds, shown.total_seconds, shown.fits_deadline) == (
        "paused",
        None,
        None,
        None,
    )
    assert shown.adjustments == [adjusted]
    assert shown.expected_seconds.value == 20.0


async def test_only_what_the_tenant_may_use_is_offered(tmp_path: Path) -> None:
    stack = Stack(tmp_path, tenants='[tenants.default]\nproviders = ["seedance"]\n')
    try:
        await stack.migrate()
        await stack.start_part("api")
        page = await asked(stack)
        assert {one["provider"] for one in page["data"]} == {"seedance"}
        assert page["data"][0]["is_chosen"]
        (error,) = await refused(stack, httpx.codes.FORBIDDEN, provider="runway")
        assert (error["pointer"], error["allowed"]) == ("/provider", ["auto", "seedance"])
    finally:
        await stack.close()
