"""Wishes that a model has no field for: said in its prompt and listed, or refused with who would do it."""

from typing import Any

import pytest

from tests.api.pictures import solid, uploaded
from tests.api.refusals import errors_of
from tests.stack import Stack

SAID = [
    ("camera", {"pan": -0.2}, "The camera slowly pans left."),
    ("camera", {"zoom": 1, "tilt": 0.5}, "The camera tilts up and quickly zooms in."),
    ("camera/fixed", {"fixed": True}, "Static camera."),
    ("style", {"preset": "film-noir"}, "Style: film noir."),
    ("style", {"preset": "anime", "strength": 0.9}, "Style: strongly anime."),
    ("negative_prompt", "blur, text.", "Avoid: blur, text."),
]
REFUSED: list[tuple[str, object, str]] = [
    ("camera", {"pan": 1.1}, "/params/camera/pan"),
    ("camera", {"tilt": "up"}, "/params/camera/tilt"),
    ("camera", {"zoom": True}, "/params/camera/zoom"),
    ("camera", {"fixed": 1}, "/params/camera/fixed"),
    ("camera", {"yaw": 1}, "/params/camera/yaw"),
    ("camera", {"fixed": True, "pan": 1}, "/params/camera"),
    ("style", {}, "/params/style/preset"),
    ("style", {"preset": "Film Noir"}, "/params/style/preset"),
    ("style", {"preset": "anime", "strength": 1.01}, "/params/style/strength"),
    ("extra", {"a": [1]}, "/params/extra/a"),
    ("extra", {"a": None}, "/params/extra/a"),
    ("extra", {"a b": 1}, "/params/extra/a b"),
]


async def ordered(api: Stack, params: dict[str, Any], **order: Any) -> dict[str, Any]:
    """The first take of an order."""
    take: dict[str, Any] = (await api.order("A fox", params=params, **order))["takes"][0]
    return take


async def refusal(api: Stack, params: dict[str, Any], **order: Any) -> dict[str, dict[str, Any]]:
    answer = await api.http.post("/v1/generations", json={"prompt": "A fox", "params": params, **order})
    return errors_of(answer)


@pytest.mark.parametrize(("param", "value", "words"), SAID)
async def test_what_runway_has_no_field_for_is_said_in_the_prompt_and_listed(
    api: Stack, param: str, value: object, words: str
) -> None:
    take = await ordered(api, {param.partition("/")[0]: value}, provider="runway")
    assert take["request"]["prompt"] == f"A fox. {words}"
    [adjustment] = take["adjustments"]
    assert (adjustment["pointer"], adjustment["code"]) == (f"/params/{param}", "said_in_prompt")
    assert words in adjustment["message"]


async def test_all_wishes_together_are_said_in_one_order_and_the_request_stays_as_it_was(api: Stack) -> None:
    params = {"style": {"preset": "anime"}, "negative_prompt": "text", "camera": {"roll": 0.5}}
    whole = await api.order("A fox", provider="runway", params=params)
    take = whole["takes"][0]
    assert take["request"]["prompt"] == ("A fox. The camera rolls clockwise. Style: anime. Avoid: text.")
    assert [one["pointer"] for one in take["adjustments"]] == [
        "/params/camera",
        "/params/style",
        "/params/negative_prompt",
    ]
    assert (whole["request"]["prompt"], whole["request"]["params"]) == ("A fox", params)


async def test_adjustments_are_told_again_with_the_finished_take(stack: Stack) -> None:
    params = {"duration_seconds": 2, "camera": {"pan": 0.5}}
    done = await stack.end_of((await stack.order("A fox", provider="runway", params=params))["id"])
    assert [one["code"] for one in done["takes"][0]["adjustments"]] == ["said_in_prompt"]
    [told] = [event for event in await stack.events(done["id"]) if event["type"] == "take.completed"]
    assert told["data"]["adjustments"] == done["takes"][0]["adjustments"]
    [job] = await stack.jobs(done["id"])
    assert "The camera pans right." in str(job["request"])


async def test_a_switch_that_a_model_has_is_used_and_needs_no_words(api: Stack) -> None:
    take = await ordered(api, {"camera": {"fixed": True}}, provider="seedance")
    assert (take["request"]["prompt"], take["adjustments"]) == ("A fox", [])
    assert take["request"]["params"]["camera"] == {"fixed": True}


async def test_a_command_in_the_prompt_is_defused_and_said_so(api: Stack) -> None:
    take = (await api.order("A fox --dur 30", provider="seedance"))["takes"][0]
    assert "--dur" not in take["request"]["prompt"]
    assert [one["code"] for one in take["adjustments"]] == ["flags_defused"]
    assert (await api.order("A fox --dur 30", provider="runway"))["takes"][0]["adjustments"] == []


async def test_a_model_that_looks_at_the_picture_only_says_that_the_prompt_is_not_sent(api: Stack) -> None:
    image_id = await uploaded(api, solid((1, 2, 3), 1024, 576))
    take = await ordered(api, {"image_id": image_id}, provider="stable-video")
    assert [(one["pointer"], one["code"]) for one in take["adjustments"]] == [("/prompt", "prompt_ignored")]


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("camera", {"pan": 1}),
        ("camera/fixed", {"fixed": True}),
        ("style", {"preset": "anime"}),
        ("negative_prompt", "text"),
    ],
)
async def test_what_cannot_reach_a_model_at_all_is_refused_with_who_would_do_it(
    api: Stack, param: str, value: object
) -> None:
    image_id = await uploaded(api, solid((1, 2, 3), 1024, 576))
    params = {"image_id": image_id, param.partition("/")[0]: value}
    error = (await refusal(api, params, provider="stable-video"))[f"/params/{param}"]
    assert (error["code"], error["served_by"]) == ("not_supported", ["runway", "seedance"])


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(("param", "value", "pointer"), REFUSED)
async def test_a_wish_that_is_wrong_in_itself_is_refused_by_its_field(
    api: Stack, param: str, value: object, pointer: str
) -> None:
    assert list(await refusal(api, {param: value})) == [pointer]


async def test_an_option_that_a_model_has_is_passed_on(api: Stack) -> None:
    extra = {"public_figure_threshold": "low"}
    take = await ordered(api, {"extra": extra}, provider="runway")
    assert (take["request"]["params"]["extra"], take["adjustments"]) == (extra, [])


@pytest.mark.usefixtures("nothing_changes")
async def test_an_option_that_a_model_does_not_have_is_refused_with_those_it_has(api: Stack) -> None:
    errors = await refusal(api, {"extra": {"watermark": True, "speed": 2}}, provider="runway")
    assert set(errors) == {"/params/extra/watermark", "/params/extra/speed"}
    for error in errors.values():
        assert (error["code"], error["allowed"]) == ("unknown_option", ["public_figure_threshold"])
    only = await refusal(api, {"extra": {"watermark": True}}, provider="runway")
    assert only["/params/extra/watermark"]["served_by"] == ["seedance"]


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize("value", ["never", 1, True])
async def test_an_option_with_a_wrong_value_is_refused_with_what_it_takes(api: Stack, value: object) -> None:
    errors = await refusal(api, {"extra": {"public_figure_threshold": value}}, provider="runway")
    error = errors["/params/extra/public_figure_threshold"]
    assert (error["code"], error["message"]) == ("option_value", "must be auto or low")


@pytest.mark.usefixtures("nothing_changes")
async def test_a_prompt_that_is_too_long_only_with_its_wishes_says_how_much_they_add(api: Stack) -> None:
    body = {"prompt": "x" * 1000, "provider": "runway", "params": {"camera": {"pan": 1}}}
    error = errors_of(await api.http.post("/v1/generations", json=body))["/prompt"]
    assert error["code"] == "prompt_too_long"
    assert "for camera, style and what to avoid" in error["message"]
