"""How a video should look: camera, style, what to avoid, and the options of one model."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.params import Camera, Params, Plain
from tests.domain.refusals import refused_fields, refused_params
from tests.factories import IMAGE_ID, IMAGE_URL, a_request

AXES = ["pan", "tilt", "zoom", "roll"]
NO_NUMBERS: list[object] = ["1", "", True, False, [1], {}, float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize("axis", AXES)
@given(strength=st.floats(-1, 1) | st.integers(-1, 1))
def test_an_axis_of_the_camera_goes_from_minus_one_to_one(axis: str, strength: float) -> None:
    camera = a_request(params={"camera": {axis: strength}}).params.camera
    assert camera is not None
    assert getattr(camera, axis) == strength
    assert camera.moves is (strength != 0)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("strength", [-1.001, 1.001, 2, -2, 10**400, *NO_NUMBERS])
def test_any_other_strength_of_an_axis_is_refused(axis: str, strength: object) -> None:
    assert refused_params(camera={axis: strength}) == {f"params.camera.{axis}"}


@pytest.mark.parametrize("fixed", [0, 1, "true", 1.0, []])
def test_a_camera_is_fixed_or_is_not(fixed: object) -> None:
    assert refused_params(camera={"fixed": fixed}) == {"params.camera.fixed"}


@pytest.mark.parametrize("axis", AXES)
def test_a_fixed_camera_that_moves_is_a_contradiction(axis: str) -> None:
    assert refused_params(camera={"fixed": True, axis: -0.1}) == {"params.camera"}
    with pytest.raises(ValidationError, match="a fixed camera cannot pan, tilt, zoom or roll"):
        Camera.model_validate({"fixed": True, axis: 0.1})


@pytest.mark.parametrize(
    "camera", [{"fixed": True, "pan": 0}, {"fixed": False, "pan": 1}, {"fixed": True}, {}]
)
def test_a_camera_that_does_not_contradict_itself_is_taken(camera: dict[str, Any]) -> None:
    assert a_request(params={"camera": camera}).params.camera == Camera.model_validate(camera)


@given(st.floats(0, 1) | st.integers(0, 1))
def test_a_style_has_a_name_and_a_strength_from_zero_to_one(strength: float) -> None:
    style = a_request(params={"style": {"preset": "film-noir", "strength": strength}}).params.style
    assert style is not None
    assert (style.preset, style.strength) == ("film-noir", strength)


@pytest.mark.parametrize("strength", [-0.001, 1.001, -1, *NO_NUMBERS])
def test_any_other_strength_of_a_style_is_refused(strength: object) -> None:
    assert refused_params(style={"preset": "noir", "strength": strength}) == {"params.style.strength"}


@pytest.mark.parametrize(
    "preset", ["", "Noir", "film noir", "-noir", "n" * 65, "noir\n", "noir. Avoid: x", 5]
)
def test_the_name_of_a_style_is_a_plain_word(preset: object) -> None:
    assert refused_params(style={"preset": preset}) == {"params.style.preset"}


def test_a_style_without_a_name_is_none() -> None:
    assert refused_params(style={"strength": 1}) == {"params.style.preset"}
    assert refused_params(style="noir") == {"params.style"}


@pytest.mark.parametrize("unwanted", ["x", "x" * 500, "people, cars", "\N{FOX FACE}" * 500, "two\nlines"])
def test_what_to_avoid_is_up_to_500_characters(unwanted: str) -> None:
    assert a_request(params={"negative_prompt": unwanted}).params.negative_prompt == unwanted


@pytest.mark.parametrize("unwanted", ["", " ", "\n", "\u200b", "x" * 501, "a\x00b", "\ud83d", 5, True, ["x"]])
def test_anything_else_to_avoid_is_refused(unwanted: object) -> None:
    assert refused_params(negative_prompt=unwanted) == {"params.negative_prompt"}


plain_values = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(
    st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True), plain_values, max_size=16)
)
def test_options_are_kept_as_they_were_given_to_the_very_type(extra: dict[str, Plain]) -> None:
    kept = Params(extra=extra).extra
    assert kept == extra
    assert [type(value) for value in (kept or {}).values()] == [type(value) for value in extra.values()]


@pytest.mark.parametrize("value", [None, [1], {}, {"a": 1}, b"x", float("nan"), float("inf")])
def test_an_option_that_is_no_plain_value_is_refused_once_and_at_its_own_name(value: object) -> None:
    assert refused_params(extra={"watermark": value, "fine": 1}) == {"params.extra.watermark"}
    with pytest.raises(ValidationError) as refused:
        Params.model_validate({"extra": {"watermark": value}})
    assert refused.value.error_count() == 1


@pytest.mark.parametrize("name", ["", "Watermark", "water mark", "-w", "w" * 65, "../w", "w\n"])
def test_an_option_has_a_plain_name(name: str) -> None:
    assert refused_params(extra={name: 1}) == {f"params.extra.{name}.[key]"}


def test_sixteen_options_are_enough() -> None:
    sixteen = {f"option-{number}": number for number in range(16)}
    assert a_request(params={"extra": sixteen}).params.extra == sixteen
    assert refused_params(extra=sixteen | {"one-more": 1}) == {"params.extra"}
    assert refused_params(extra=[1]) == {"params.extra"}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"camera": {"dolly": 1}}, "params.camera.dolly"),
        ({"camera": {"Pan": 1}}, "params.camera.Pan"),
        ({"style": {"preset": "noir", "weight": 1}}, "params.style.weight"),
        ({"watermark": True}, "params.watermark"),
    ],
)
def test_an_unknown_field_is_refused_at_every_depth(params: dict[str, Any], field: str) -> None:
    assert refused_fields(params=params) == {field}


def test_two_first_frames_are_one_too_many() -> None:
    assert refused_params(image_id=IMAGE_ID, image_url=IMAGE_URL) == {"params"}
    with pytest.raises(ValidationError, match="image_id and image_url are two first frames: give one"):
        Params(image_id=IMAGE_ID, image_url=IMAGE_URL)


def test_a_look_survives_being_stored_as_json() -> None:
    request = a_request(
        params={
            "camera": {"pan": 1, "zoom": -0.25, "fixed": False},
            "style": {"preset": "noir", "strength": 0.5},
            "negative_prompt": "people",
            "extra": {"watermark": True, "cfg_scale": 2.0, "motion_bucket_id": 1},
            "image_id": IMAGE_ID,
        }
    )
    again = type(request).model_validate(request.model_dump(mode="json", exclude_none=True))
    assert again == request
    assert again.model_dump_json() == request.model_dump_json()
