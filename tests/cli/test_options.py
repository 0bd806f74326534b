"""What is typed becomes the parameters of an order, or is refused before anything is sent."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.cli.pretend_api import ID, PATH, Answer, Script, generation, serving

ORDERS = "/v1/generations"
IMAGE = "img_9f86d081884c7d659a2feaa0c55ad015"


@pytest.fixture
def api() -> Iterator[Script]:
    with serving() as script:
        script.on("POST", ORDERS, Answer(202, generation("pending")))
        script.on("POST", f"{PATH}/regenerate", Answer(202, generation("pending")))
        yield script


def run(script: Script, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"VIDEOPLANET_URL": script.url})


@pytest.mark.parametrize(
    ("options", "params"),
    [
        (["--camera", "fixed"], {"camera": {"fixed": True}}),
        (["--camera", "pan=0.5, zoom=-0.2"], {"camera": {"pan": 0.5, "zoom": -0.2}}),
        (["--style", "cinematic"], {"style": {"preset": "cinematic"}}),
        (["--style", "film-noir:0.8"], {"style": {"preset": "film-noir", "strength": 0.8}}),
        (["--negative", "people"], {"negative_prompt": "people"}),
        (["--image", IMAGE], {"image_id": IMAGE}),
        (
            ["--extra", "watermark=true", "--extra", "cfg_scale=1.5", "--extra", "mode=auto"],
            {"extra": {"watermark": True, "cfg_scale": 1.5, "mode": "auto"}},
        ),
        (["--param", "seed=null", "--param", "note=NaN"], {"seed": None, "note": "NaN"}),
    ],
    ids=["fixed", "moves", "style", "strong style", "negative", "image", "extras", "params"],
)
def test_an_option_becomes_a_parameter(api: Script, options: list[str], params: dict[str, Any]) -> None:
    assert run(api, "generate", "a fox", "--no-wait", *options).exit_code == 0
    assert run(api, "regenerate", ID, *options).exit_code == 0
    assert [heard.body["params"] for heard in api.heard] == [params, params]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--camera", "left", "pan=0.5,zoom=-0.2"),
        ("--camera", "pan=fast", "'fast' is not a number"),
        ("--camera", "pan=1,pan=-1", "neither"),
        ("--camera", "pan=nan", "'nan' is not a number"),
        ("--camera", "dolly=1", "neither"),
        ("--style", "cinematic:much", "'much' is not a number"),
        ("--extra", "watermark", "NAME=VALUE"),
        ("--image", "no-such-file.png", "there is no file no-such-file.png"),
        ("--image", "img_../../v1", "there is no file"),
    ],
)
def test_what_cannot_be_read_reaches_nobody(api: Script, option: str, value: str, words: str) -> None:
    for command in (["generate", "a fox"], ["regenerate", ID]):
        result = run(api, *command, option, value)
        assert result.exit_code == 2
        assert words in " ".join(result.stderr.replace("│", " ").split())
    assert api.heard == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["feedback", ID, "6"],
        ["feedback", ID, "0"],
        ["keep", ID, "0"],
        ["keep", "../providers", "1"],
        ["delete", "gen_x", "--yes"],
        ["workflow", "gen_x"],
        ["images", "show", "../providers"],
        ["images", "delete", "gen_x"],
        ["images", "upload", "no-such-file.png"],
    ],
    ids=" ".join,
)
def test_wrong_usage_reaches_nobody(api: Script, arguments: list[str]) -> None:
    assert run(api, *arguments).exit_code == 2
    assert api.heard == []


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (["--priority", "high"], {"priority": "high"}),
        (["--deadline", "600"], {"deadline_seconds": 600}),
        (["--on-unknown", "resubmit"], {"on_unknown_submission": "resubmit"}),
        (["--allow-duplicate"], {"allow_duplicate": True}),
        (["--on-content", "next"], {"on_content_policy": "next"}),
        (
            ["--fallback", "seedance", "--fallback", "stable-video"],
            {"fallback_providers": ["seedance", "stable-video"]},
        ),
        (["--fallback", "auto"], {"fallback_providers": "auto"}),
        (["--no-fallback"], {"fallback_providers": []}),
        ([], {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_says_how_an_order_is_carried_out(
    api: Script, options: list[str], body: dict[str, Any]
) -> None:
    assert run(api, "generate", "a fox", "--no-wait", *options).exit_code == 0
    assert api.heard[0].body == {"prompt": "a fox"} | body


def test_nobody_and_somebody_cannot_both_go_on(api: Script) -> None:
    refused = run(api, "generate", "a fox", "--no-fallback", "--fallback", "seedance")
    assert refused.exit_code == 2
    assert api.heard == []
