"""`videoplanet estimate`: what a video would cost at each model, and why not, before anything is ordered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.cli.pretend_api import Answer, Script, problem, serving
from tests.cli.real import videoplanet
from tests.stack import Stack


@pytest.fixture
def api() -> Iterator[Script]:
    with serving() as script:
        yield script


def estimated(script: Script, *arguments: str, data: list[dict[str, Any]], **page: Any) -> Result:
    told = {"mode": "live", "assumed": [], "data": data} | page
    script.on("POST", "/v1/estimates", Answer(200, told))
    return CliRunner().invoke(app, ["estimate", *arguments], env={"VIDEOPLANET_URL": script.url})


def an_offer(**changes: Any) -> dict[str, Any]:
    return {
        "price_usd": "0.60",
        "price_is_certain": True,
        "fits_max_cost": None,
        "expected_seconds": {"value": 31.4, "is_measured": True, "source": "measured"},
        "wait_seconds": 0.0,
        "total_seconds": 31.4,
        "fits_deadline": None,
        "takes_orders": "open",
        "duration_seconds": 5,
        "size": "1280x720",
        "adjustments": [],
        "cheaper": [],
    } | changes


def an_estimate(
    model: str, offer: dict[str, Any] | None, *problems: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    return {
        "provider": "runway",
        "name": "Runway",
        "model": model,
        "is_possible": not problems,
        "is_chosen": False,
        "place": None,
        "offer": offer,
        "problems": list(problems),
    } | changes


TOO_LONG = {
    "pointer": "/params/duration_seconds",
    "code": "duration_not_supported",
    "message": "gen4.5 makes videos of 2 to 4 seconds",
    "allowed": [2, 3, 4],
}


def test_the_choice_comes_first_with_its_price_and_its_time(api: Script) -> None:
    chosen = an_estimate("gen4.5", an_offer(), is_chosen=True, place=1)
    result = estimated(api, "A fox", data=[chosen])
    assert result.exit_code == 0
    row = result.stdout.splitlines()[1]
    for words in ("1.", "gen4.5", "$0.60", "31 s measured"):
        assert words in row
    assert "real money" not in result.stdout, "live mode is real"


def test_what_a_creator_should_know_of_an_offer_is_in_its_row(api: Script) -> None:
    offer = an_offer(
        price_usd="0.122513",
        price_is_certain=False,
        expected_seconds={"value": 300.0, "is_measured": False, "source": "guessed"},
        wait_seconds=20.0,
        fits_deadline=False,
        takes_orders="breaker_open",
        adjustments=[{}, {}],
        cheaper=[
            {"params": {"resolution": "480p", "aspect_ratio": "9:16"}, "price_usd": "0.05"},
            {"params": {"extra": {"generate_audio": False}}, "price_usd": "0.06"},
        ],
    )
    row = estimated(api, data=[an_estimate("m", offer)], mode="sandbox").stdout
    for words in (
        "$0.12 uncertain",
        "5 min guessed, after 20 s",
        "left alone after failures",
        "too late for the deadline",
        "2 adjusted",
        "$0.05 with 480p 9:16",
        "none of this costs real money",
    ):
        assert words in row


def test_less_than_a_cent_is_not_nothing_and_silence_is_named(api: Script) -> None:
    cheaper = [{"params": {"extra": {"generate_audio": False}}, "price_usd": "0.0006"}]
    rows = estimated(api, data=[an_estimate("m", an_offer(price_usd="0.0012", cheaper=cheaper))]).stdout
    assert "$0.0012" in rows
    assert "$0.0006 with generate_audio=false" in rows


def test_while_an_account_is_paused_no_wait_is_told(api: Script) -> None:
    offer = an_offer(takes_orders="paused", wait_seconds=None, total_seconds=None)
    row = estimated(api, data=[an_estimate("m", offer)]).stdout
    assert "paused" in row
    assert "after" not in row


def test_where_nobody_could_serve_it_each_says_why_and_a_script_can_tell(api: Script) -> None:
    result = estimated(
        api, "--duration", "9", data=[an_estimate("gen4.5", None, TOO_LONG)], assumed=["It is 16:9."]
    )
    assert result.exit_code == 2
    assert "gen4.5 makes videos of 2 to 4 seconds (allowed: 2, 3, 4)" in result.stdout
    assert "It is 16:9." in result.stdout


def test_only_what_is_mentioned_is_asked(api: Script) -> None:
    estimated(api, data=[])
    assert api.heard[0].body == {}


def test_every_option_is_part_of_the_question(api: Script) -> None:
    estimated(
        api,
        *("A fox", "--provider", "seedance", "--model", "m", "--duration", "7", "--resolution", "480p"),
        *("--max-cost", "$1.5", "--no-fallback", "--deadline", "60", "--extra", "generate_audio=false"),
        data=[],
    )
    assert api.heard[0].body == {
        "prompt": "A fox",
        "provider": "seedance",
        "model": "m",
        "params": {"duration_seconds": 7, "resolution": "480p", "extra": {"generate_audio": False}},
        "max_cost_usd": "1.5",
        "fallback_providers": [],
        "deadline_seconds": 60,
    }


def test_a_picture_is_uploaded_first(api: Script, tmp_path: Path) -> None:
    (tmp_path / "fox.png").write_bytes(b"png")
    api.on("POST", "/v1/images", Answer(201, {"id": "img_1"}))
    estimated(api, "--image", str(tmp_path / "fox.png"), data=[])
    assert api.heard[-1].body == {"params": {"image_id": "img_1"}}


def test_a_refusal_names_the_field(api: Script) -> None:
    api.on("POST", "/v1/estimates", Answer(422, problem(422, "The request has fields that are not right")))
    result = CliRunner().invoke(app, ["estimate"], env={"VIDEOPLANET_URL": api.url})
    assert result.exit_code == 2


async def test_against_the_service(stack: Stack) -> None:
    told = await videoplanet(stack, "estimate", "A fox", "--duration", "4")
    assert told.code == 0, told
    chosen = next(line for line in told.output.splitlines() if line.startswith("1."))
    assert "gen4.5" in chosen
    assert "$0.48" in chosen
    page = (await videoplanet(stack, "estimate", "--json", "--provider", "seedance")).document
    assert page["data"][0]["provider"] == "seedance"
