"""Options that only one model has, asked for in `extra`: known ones with a value they take, or a refusal."""

from typing import Any

import pytest

from domain.orders.capabilities import Option, OptionKind
from domain.orders.params import Plain
from tests.domain.planned import planned, refused
from tests.factories import a_first_frame

PICTURE = a_first_frame()
SOUND_MODEL = "seedance-1-5-pro-251215"


def an_option(kind: OptionKind, **changes: Any) -> Option:
    told: dict[str, Any] = {"name": "it", "kind": kind, "description": "It.", "default": False}
    return Option.model_validate(told | changes)


BOOLEAN = an_option(OptionKind.BOOLEAN)
WHOLE = an_option(OptionKind.INTEGER, default=5, least=1, most=255)
NUMBER = an_option(OptionKind.NUMBER, default=1.8, least=0, most=10)
CHOICE = an_option(OptionKind.CHOICE, default="auto", choices=("auto", "low"))


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (BOOLEAN, [True, False]),
        (WHOLE, [1, 127, 255]),
        (NUMBER, [0, 0.0, 1.8, 10, 10.0]),
        (CHOICE, ["auto", "low"]),
        (an_option(OptionKind.NUMBER), [-1e300, 10**400]),
    ],
)
def test_an_option_takes_the_values_of_its_kind(option: Option, values: list[Plain]) -> None:
    for value in values:
        assert option.takes(value)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (BOOLEAN, [0, 1, 0.0, "true", ""]),
        (WHOLE, [0, 256, -1, 5.0, True, "5", 10**400]),
        (NUMBER, [-0.1, 10.1, -1, 11, False, True, "1.8"]),
        (CHOICE, ["", "high", "AUTO", True, 0, 1.0]),
    ],
)
def test_an_option_takes_nothing_else(option: Option, values: list[Plain]) -> None:
    for value in values:
        assert not option.takes(value)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (BOOLEAN, "true or false"),
        (WHOLE, "a whole number from 1 to 255"),
        (NUMBER, "a number from 0 to 10"),
        (CHOICE, "auto or low"),
    ],
)
def test_an_option_says_what_it_takes(option: Option, sentence: str) -> None:
    assert option.allowed == sentence


@pytest.mark.parametrize(
    ("model", "extra"),
    [
        ("gen4.5", {"public_figure_threshold": "low"}),
        (SOUND_MODEL, {"watermark": True, "generate_audio": False}),
        ("svd", {"motion_bucket_id": 255, "cfg_scale": 0.5}),
        ("svd", {}),
    ],
)
def test_what_a_model_knows_is_in_its_plan_just_as_it_was_given(model: str, extra: dict[str, Plain]) -> None:
    assert planned(model=model, params={"extra": extra}, frame=PICTURE).options == extra


def test_an_option_that_was_not_asked_for_is_not_sent() -> None:
    assert planned(model="svd", frame=PICTURE).options == {}


def test_an_option_that_the_model_lacks_is_refused_with_those_it_has_and_who_has_it() -> None:
    (problem,) = refused(model="gen4.5", params={"extra": {"watermark": True}})
    assert (problem.pointer, problem.code) == ("/params/extra/watermark", "unknown_option")
    assert problem.message == "gen4.5 has no option 'watermark'"
    assert (problem.allowed, problem.served_by) == (("public_figure_threshold",), ("seedance",))


def test_a_value_that_an_option_does_not_take_is_refused_with_what_it_takes() -> None:
    (problem,) = refused(model="svd", params={"extra": {"motion_bucket_id": 256}}, frame=PICTURE)
    assert (problem.pointer, problem.code) == ("/params/extra/motion_bucket_id", "option_value")
    assert problem.message == "must be a whole number from 1 to 255"


def test_each_option_that_is_wrong_is_told() -> None:
    extra = {"watermark": "yes", "generate_audio": 1, "fps": 24}
    problems = refused(model=SOUND_MODEL, params={"extra": extra})
    assert [problem.pointer for problem in problems] == [f"/params/extra/{name}" for name in extra]
