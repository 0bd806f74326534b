"""What a model has no field for is said in the prompt, and said to the user; what cannot be said is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders.capabilities import Capability, Support
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.params import Camera, Params, Style
from domain.orders.wording import Wording, camera_words, style_words, word
from tests.domain.planned import a_capability, planned, refused
from tests.factories import PROMPT, a_first_frame

FLAGS = ("dur", "duration", "rs", "cf")
TAKES_COMMANDS = a_capability(obeys_flags=True)
FOX_AT_SEEDANCE = "dreamina-seedance-2-0-260128"
DASH = "\N{EM DASH}"
LOOK: list[tuple[str, dict[str, Any]]] = [
    ("/params/camera", {"camera": {"pan": 1}}),
    ("/params/camera/fixed", {"camera": {"fixed": True}}),
    ("/params/style", {"style": {"preset": "noir"}}),
    ("/params/negative_prompt", {"negative_prompt": "people"}),
]


def worded(prompt: str = PROMPT, capability: Capability | None = None, **params: Any) -> Wording:
    """A prompt as an invented model is told it; everything has to be said in words unless told."""
    return word(prompt, Params.model_validate(params), capability or a_capability(), "model-one")


@pytest.mark.parametrize(
    ("camera", "sentence"),
    [
        ({"pan": -0.5}, "The camera pans left."),
        ({"pan": 0.5}, "The camera pans right."),
        ({"tilt": -0.5}, "The camera tilts down."),
        ({"tilt": 0.5}, "The camera tilts up."),
        ({"zoom": -0.5}, "The camera zooms out."),
        ({"zoom": 0.5}, "The camera zooms in."),
        ({"roll": -0.5}, "The camera rolls counter-clockwise."),
        ({"roll": 0.5}, "The camera rolls clockwise."),
        ({"zoom": 0.1}, "The camera slowly zooms in."),
        ({"zoom": -0.33}, "The camera slowly zooms out."),
        ({"zoom": 0.66}, "The camera zooms in."),
        ({"zoom": 0.67}, "The camera quickly zooms in."),
        ({"zoom": -1}, "The camera quickly zooms out."),
        (
            {"roll": 0.5, "zoom": 1, "tilt": 0, "pan": -0.2},
            "The camera slowly pans left and quickly zooms in and rolls clockwise.",
        ),
    ],
)
def test_a_moving_camera_in_words(camera: dict[str, float], sentence: str) -> None:
    assert camera_words(Camera.model_validate(camera)) == sentence
    assert worded(camera=camera).prompt == f"{PROMPT}. {sentence}"


@pytest.mark.parametrize(
    ("style", "sentence"),
    [
        ({"preset": "cinematic"}, "Style: cinematic."),
        ({"preset": "film-noir_1940"}, "Style: film noir 1940."),
        ({"preset": "cinematic", "strength": 0.2}, "Style: a hint of cinematic."),
        ({"preset": "cinematic", "strength": 0.5}, "Style: cinematic."),
        ({"preset": "cinematic", "strength": 1}, "Style: strongly cinematic."),
    ],
)
def test_a_style_in_words(style: dict[str, Any], sentence: str) -> None:
    assert style_words(Style.model_validate(style)) == sentence
    assert worded(style=style).prompt == f"{PROMPT}. {sentence}"


@pytest.mark.parametrize("unwanted", ["people, cars", "people, cars.", "people, cars. . "])
def test_what_to_avoid_is_one_sentence(unwanted: str) -> None:
    assert worded(negative_prompt=unwanted).prompt == f"{PROMPT}. Avoid: people, cars."


def test_a_camera_that_stands_still_is_said() -> None:
    assert worded(camera={"fixed": True}).prompt == f"{PROMPT}. Static camera."


def test_everything_is_said_after_the_users_own_words() -> None:
    told = worded(camera={"tilt": 0.5}, style={"preset": "noir"}, negative_prompt="people")
    assert told.prompt == f"{PROMPT}. The camera tilts up. Style: noir. Avoid: people."


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        ("A fox", "A fox. "),
        ("A fox.", "A fox. "),
        ("A fox!  \n", "A fox! "),
        ("\u4e00\u53ea\u72d0\u72f8\u3002", "\u4e00\u53ea\u72d0\u72f8\u3002 "),
        ("A fox \N{FOX FACE}", "A fox \N{FOX FACE}. "),
        ("A fox --", "A fox --. "),
    ],
)
def test_what_is_added_is_a_sentence_of_its_own(prompt: str, start: str) -> None:
    assert worded(prompt, camera={"fixed": True}).prompt == f"{start}Static camera."


@pytest.mark.parametrize(
    "params",
    [{}, {"camera": {}}, {"camera": {"pan": 0, "zoom": 0.0}}, {"camera": {"fixed": False}}, {"seed": 5}],
)
@pytest.mark.parametrize("prompt", [PROMPT, "  A fox  ", "A fox\n"])
def test_where_nothing_is_to_be_said_the_prompt_is_the_users_to_the_last_space(
    prompt: str, params: dict[str, Any]
) -> None:
    assert worded(prompt, **params) == Wording(prompt=prompt)


@pytest.mark.parametrize(
    ("params", "pointer", "sentence"),
    [
        (
            {"camera": {"pan": 0.5}},
            "/params/camera",
            "model-one has no field for how the camera moves; the prompt says: The camera pans right.",
        ),
        (
            {"camera": {"fixed": True}},
            "/params/camera/fixed",
            "model-one has no field for that the camera stands still; the prompt says: Static camera.",
        ),
        (
            {"style": {"preset": "noir"}},
            "/params/style",
            "model-one has no field for a style; the prompt says: Style: noir.",
        ),
        (
            {"negative_prompt": "people"},
            "/params/negative_prompt",
            "model-one has no field for what to avoid; the prompt says: Avoid: people.",
        ),
    ],
)
def test_what_is_said_in_the_prompt_is_told_to_the_user(
    params: dict[str, Any], pointer: str, sentence: str
) -> None:
    (told,) = worded(**params).adjustments
    assert (told.pointer, told.code, told.message) == (pointer, "said_in_prompt", sentence)


@pytest.mark.parametrize("fixed", [True, False])
def test_a_model_with_a_switch_is_told_by_it_and_not_in_words(fixed: bool) -> None:
    told = worded(capability=a_capability(camera_fixed=Support.NATIVE), camera={"fixed": fixed})
    assert told == Wording(prompt=PROMPT, camera_fixed=fixed)


@pytest.mark.parametrize("params", [{}, {"camera": {"pan": 0.5}}])
def test_a_switch_that_was_not_spoken_of_is_left_alone(params: dict[str, Any]) -> None:
    assert worded(capability=a_capability(camera_fixed=Support.NATIVE), **params).camera_fixed is None


def test_a_model_without_a_switch_is_never_told_by_one() -> None:
    assert worded(camera={"fixed": True}).camera_fixed is None


@pytest.mark.parametrize(("model", "switch"), [("seedance-1-0-pro-250528", True), (FOX_AT_SEEDANCE, None)])
def test_the_switch_is_in_the_plan_of_a_model_that_has_it(model: str, switch: bool | None) -> None:
    made = planned(model=model, params={"camera": {"fixed": True}})
    assert made.camera_fixed is switch
    assert ("Static camera." in made.prompt) is (switch is None)


@pytest.mark.parametrize(("pointer", "params"), LOOK)
def test_what_cannot_reach_a_model_at_all_is_refused_with_who_can_be_told(
    pointer: str, params: dict[str, Any]
) -> None:
    (problem,) = refused(model="svd", frame=a_first_frame(1024, 576), params=params)
    assert (problem.pointer, problem.code) == (pointer, "not_supported")
    assert problem.message.startswith("svd cannot be told ")
    assert problem.served_by == ("runway", "seedance")


def test_a_camera_that_is_not_asked_to_do_anything_is_no_reason_to_refuse() -> None:
    still = {"camera": {"pan": 0, "fixed": False}}
    assert planned(model="svd", frame=a_first_frame(1024, 576), params=still).prompt == PROMPT


def test_a_model_that_ignores_the_prompt_keeps_it_and_says_so() -> None:
    (told,) = planned(model="svd", prompt="x" * 1000, frame=a_first_frame(1024, 576)).adjustments
    assert (told.pointer, told.code) == ("/prompt", "prompt_ignored")
    assert told.message == "svd looks at the picture only; the prompt is kept, but not sent"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("A fox --dur 12", f"A fox {DASH}dur 12"),
        ("A fox --duration=12 --rs 1080p", f"A fox {DASH}duration=12 {DASH}rs 1080p"),
        ("--DUR 12 --Cf true", f"{DASH}DUR 12 {DASH}Cf true"),
        ("A fox---dur 12", f"A fox-{DASH}dur 12"),
        ("A fox ----dur 12", f"A fox --{DASH}dur 12"),
        ("A fox --dur", f"A fox {DASH}dur"),
        ("a\n--dur\n12", f"a\n{DASH}dur\n12"),
    ],
)
def test_a_command_in_a_prompt_is_only_text(written: str, sent: str) -> None:
    told = worded(written, TAKES_COMMANDS)
    assert told.prompt == sent
    (adjustment,) = told.adjustments
    assert (adjustment.pointer, adjustment.code) == ("/prompt", "flags_defused")
    assert adjustment.message.startswith("model-one takes words behind two hyphens for commands")


@pytest.mark.parametrize(
    "prompt",
    ["A fox -- a red one", "-dur 12", "-- dur 12", "--", "A fox--!", "\u2014dur"],
)
def test_other_hyphens_stay_as_they_were_written(prompt: str) -> None:
    assert worded(prompt, TAKES_COMMANDS) == Wording(prompt=prompt)


@pytest.mark.parametrize("command", ["--dur12", "--rs1080p", "--camera_fixed", "--no_such_command", "--Fps"])
def test_whatever_may_be_a_command_is_sent_with_a_dash(command: str) -> None:
    assert worded(f"A fox {command}", TAKES_COMMANDS).prompt == f"A fox {DASH}{command[2:]}"


def test_a_command_means_nothing_to_a_model_that_knows_none() -> None:
    assert worded("A fox --dur 12") == Wording(prompt="A fox --dur 12")


def test_a_command_in_what_to_avoid_is_only_text() -> None:
    told = worded(capability=TAKES_COMMANDS, negative_prompt="people --Dur 12")
    assert told.prompt == f"{PROMPT}. Avoid: people {DASH}Dur 12."
    assert [one.pointer for one in told.adjustments] == ["/params/negative_prompt"]


@pytest.mark.parametrize("flag", ["resolution", "rs", "ratio", "rt", "duration", "dur", "fps", "seed", "wm"])
@pytest.mark.parametrize("model", [model.id for model in SEEDANCE.models])
def test_no_command_of_seedance_reaches_it(model: str, flag: str) -> None:
    made = planned(model=model, prompt=f"A fox --{flag} 1", params={"negative_prompt": f"--{flag} 1"})
    assert "--" not in made.prompt
    assert [one.code for one in made.adjustments] == ["flags_defused", "said_in_prompt"]


@given(
    st.lists(
        st.sampled_from(["--", "-", "dur", "DURATION", "rs", " ", "12", "x", "\u200b", DASH]), min_size=1
    ),
    st.lists(st.sampled_from(["--", "-", "dur", "cf", " ", "x"]), min_size=1),
)
def test_no_mixture_of_hyphens_and_names_is_a_command(pieces: list[str], unwanted: list[str]) -> None:
    prompt, avoided = "a" + "".join(pieces), "b" + "".join(unwanted)
    sent = worded(prompt, TAKES_COMMANDS, negative_prompt=avoided).prompt.lower()
    words = sent.replace("=", " ").split("--")[1:]
    assert not {word.partition(" ")[0].strip(". ") for word in words} & set(FLAGS)


@given(st.text(min_size=1).filter(lambda text: text.strip() and "--" not in text))
def test_a_prompt_without_double_hyphens_is_never_touched(prompt: str) -> None:
    assert worded(prompt, TAKES_COMMANDS) == Wording(prompt=prompt)


def test_a_prompt_of_just_the_models_length_is_taken() -> None:
    limit = a_capability(prompt_units=20)
    assert worded("x" * 20, limit).problems == ()
    assert worded("\N{FOX FACE}" * 10, limit).problems == ()


@pytest.mark.parametrize("prompt", ["x" * 21, "\N{FOX FACE}" * 10 + "x"])
def test_a_prompt_that_is_too_long_for_the_model_is_refused_with_both_numbers(prompt: str) -> None:
    (problem,) = worded(prompt, a_capability(prompt_units=20)).problems
    assert (problem.pointer, problem.code) == ("/prompt", "prompt_too_long")
    assert "20 UTF-16 units at most" in problem.message
    assert problem.message.endswith("this one has 21")


def test_what_is_added_counts_too_and_is_named() -> None:
    (problem,) = worded("x" * 20, a_capability(prompt_units=20), camera={"fixed": True}).problems
    assert problem.message.endswith("this one has 36, 16 of them for camera, style and what to avoid")


def test_a_prompt_that_is_not_sent_is_never_too_long() -> None:
    assert worded("x" * 21, a_capability(prompt_units=20, uses_prompt=False)).problems == ()


def test_a_prompt_is_measured_as_it_is_sent() -> None:
    assert worded("A fox --dur 12", a_capability(prompt_units=13, obeys_flags=True)).problems == ()


def test_a_thousand_letters_and_a_style_are_too_much_for_runway() -> None:
    assert planned(model="gen4.5", prompt="x" * 1000).prompt == "x" * 1000
    (problem,) = refused(model="gen4.5", prompt="x" * 1000, params={"style": {"preset": "noir"}})
    assert (problem.code, "1000 UTF-16 units" in problem.message) == ("prompt_too_long", True)


def test_the_adjustments_of_a_plan_name_all_that_was_done() -> None:
    made = planned(
        model=FOX_AT_SEEDANCE,
        prompt="A fox --dur 12",
        frame=a_first_frame(640, 360),
        params={"camera": {"zoom": 0.5}, "style": {"preset": "noir"}, "negative_prompt": "people"},
    )
    assert made.prompt == f"A fox {DASH}dur 12. The camera zooms in. Style: noir. Avoid: people."
    assert [(one.pointer, one.code) for one in made.adjustments] == [
        ("/prompt", "flags_defused"),
        ("/params/camera", "said_in_prompt"),
        ("/params/style", "said_in_prompt"),
        ("/params/negative_prompt", "said_in_prompt"),
        ("/params/image_id", "picture_fitted"),
    ]
