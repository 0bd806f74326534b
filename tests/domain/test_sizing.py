"""A video's length and size: what was asked for exactly, else what loses least, else what would be right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.capabilities import Capability, Mode, Size
from domain.orders.line_up import LINE_UP
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.params import RESOLUTION_NAMES, Params
from domain.orders.plans import FirstFrame
from domain.orders.sizing import duration_of, ratio_name, size_of
from tests.domain.planned import a_capability, planned, refused
from tests.factories import a_first_frame

TEXT_SIZES = [(1280, 720), (720, 1280)]
IMAGE_SIZES = [*TEXT_SIZES, (1104, 832), (960, 960), (832, 1104), (1584, 672)]
PICTURE = a_first_frame()
FIRST, LATER = "seedance-1-0-pro-250528", "dreamina-seedance-2-0-260128"
CAPABILITIES = [
    pytest.param(capability, id=f"{model.id} {capability.mode}")
    for facts in LINE_UP
    for model in facts.models
    for capability in model.capabilities
]


def size(frame: FirstFrame | None = None, **order: Any) -> tuple[int, int]:
    """The size of a video; `model` and the fields of `params` as a request has them."""
    model = order.pop("model")
    made = planned(model=model, params=order, frame=frame)
    return made.width, made.height


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_length_that_a_model_makes_can_be_asked_for_and_no_other(capability: Capability) -> None:
    for seconds in range(1, 31):
        length, problems = duration_of(Params(duration_seconds=seconds), capability, "it")
        assert (length, not problems) == (seconds, seconds in capability.durations)
    assert duration_of(Params(), capability, "it") == (capability.default_duration, [])


def test_a_length_that_the_model_does_not_make_is_refused_with_those_it_does() -> None:
    (problem,) = refused(model="gen4.5", params={"duration_seconds": 11})
    assert (problem.pointer, problem.code) == ("/params/duration_seconds", "duration_not_supported")
    assert problem.message == "gen4.5 makes videos of 2 to 10 seconds"
    assert problem.allowed == tuple(range(2, 11))
    assert problem.served_by == ("seedance",)


def test_a_model_with_one_length_names_it() -> None:
    (problem,) = refused(model="svd", frame=PICTURE, params={"duration_seconds": 5})
    assert (problem.message, problem.allowed) == ("svd makes videos of 4 seconds", (4,))


@pytest.mark.parametrize(("width", "height"), TEXT_SIZES)
def test_the_sizes_of_text_mode_are_served_exactly(width: int, height: int) -> None:
    made = planned(model="gen4.5", params={"resolution": f"{width}x{height}"})
    assert (made.width, made.height, made.has_exact_size) == (width, height, True)


@pytest.mark.parametrize(("width", "height"), IMAGE_SIZES)
def test_the_sizes_of_image_mode_are_served_exactly(width: int, height: int) -> None:
    made = planned(model="gen4.5", frame=PICTURE, params={"resolution": f"{width}x{height}"})
    assert (made.mode, made.width, made.height) == (Mode.IMAGE, width, height)


@pytest.mark.parametrize(("width", "height"), [*IMAGE_SIZES[2:], (1920, 1080), (640, 480)])
def test_a_size_of_another_mode_is_refused_with_those_of_this_one(width: int, height: int) -> None:
    (problem,) = refused(model="gen4.5", params={"resolution": f"{width}x{height}"})
    assert (problem.pointer, problem.code) == ("/params/resolution", "resolution_not_supported")
    assert problem.allowed == ("720p", "1280x720", "720x1280")


@pytest.mark.parametrize(
    ("ratio", "wanted"),
    [
        *(("16:9", (1280, 720)), ("9:16", (720, 1280)), ("4:3", (1104, 832)), ("3:4", (832, 1104))),
        *(("1:1", (960, 960)), ("21:9", (1584, 672)), ("32:18", (1280, 720))),
    ],
)
def test_a_ratio_chooses_the_size_that_is_sold_as_it(ratio: str, wanted: tuple[int, int]) -> None:
    assert size(PICTURE, model="gen4.5", aspect_ratio=ratio) == wanted


def test_a_ratio_that_the_mode_lacks_is_refused_with_those_it_has() -> None:
    (problem,) = refused(model="gen4.5", params={"aspect_ratio": "1:1"})
    assert (problem.pointer, problem.code) == ("/params/aspect_ratio", "aspect_ratio_not_supported")
    assert problem.allowed == ("16:9", "9:16")


def test_a_ratio_that_is_only_near_one_of_the_sizes_is_refused() -> None:
    (problem,) = refused(model="gen4.5", frame=PICTURE, params={"aspect_ratio": "3:2"})
    assert problem.allowed == ("16:9", "9:16", "4:3", "1:1", "3:4", "21:9")


@pytest.mark.parametrize(("ratio", "wanted"), [(None, (1280, 720)), ("9:16", (720, 1280))])
def test_a_named_resolution_is_the_shorter_side(ratio: str | None, wanted: tuple[int, int]) -> None:
    assert size(model="gen4.5", resolution="720p", aspect_ratio=ratio) == wanted


@pytest.mark.parametrize("name", ["480p", "1080p", "4k"])
def test_a_named_resolution_that_the_model_lacks_is_refused(name: str) -> None:
    (problem,) = refused(model="gen4.5", params={"resolution": name, "aspect_ratio": "16:9"})
    assert problem.pointer == "/params/resolution"
    assert problem.allowed == ("720p", "1280x720")


@pytest.mark.parametrize(
    ("model", "order", "wanted"),
    [
        (FIRST, {}, ("720p", "16:9", 1248, 704)),
        (FIRST, {"resolution": "1080p"}, ("1080p", "16:9", 1920, 1088)),
        (FIRST, {"resolution": "480p", "aspect_ratio": "21:9"}, ("480p", "21:9", 960, 416)),
        (LATER, {}, ("720p", "16:9", 1280, 720)),
        (LATER, {"aspect_ratio": "4:3"}, ("720p", "4:3", 1112, 834)),
        (LATER, {"resolution": "1112x834"}, ("720p", "4:3", 1112, 834)),
        (LATER, {"resolution": "1112x834", "aspect_ratio": "4:3"}, ("720p", "4:3", 1112, 834)),
        (LATER, {"resolution": "480p", "aspect_ratio": "4:3"}, ("480p", "4:3", 752, 560)),
        (LATER, {"resolution": "4k", "aspect_ratio": "9:16"}, ("4k", "9:16", 2160, 3840)),
        (LATER, {"aspect_ratio": "32:18"}, ("720p", "16:9", 1280, 720)),
    ],
)
def test_a_size_that_is_sold_by_name_keeps_the_providers_own_names(
    model: str, order: dict[str, str], wanted: tuple[str, str, int, int]
) -> None:
    made = planned(model=model, params=order)
    assert (made.resolution, made.aspect_ratio, made.width, made.height) == wanted
    assert not made.has_exact_size


def test_a_ratio_by_name_is_not_the_ratio_of_its_pixels() -> None:
    (problem,) = refused(model=FIRST, params={"aspect_ratio": "39:22"})  # 1248x704, sold as 16:9
    assert problem.allowed == ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        *(((1280, 720), (1280, 720)), ((720, 1280), (720, 1280)), ((500, 500), (960, 960))),
        *(((3000, 2000), (1104, 832)), ((4000, 1000), (1584, 672)), ((300, 3000), (720, 1280))),
        *(((1030, 1000), (960, 960)), ((1000, 1030), (960, 960)), ((1180, 1000), (1104, 832))),
    ],
)
def test_a_picture_that_may_have_any_shape_gets_the_one_that_cuts_least(
    picture: tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert size(a_first_frame(*picture), model="gen4.5") == wanted


@given(st.integers(256, 8000), st.integers(256, 8000))
def test_a_picture_alone_never_changes_the_resolution_that_is_paid_for(width: int, height: int) -> None:
    for model in SEEDANCE.models:
        made = planned(model=model.id, frame=a_first_frame(width, height))
        assert made.resolution == "720p"


@given(st.integers(256, 8000), st.integers(256, 8000), st.sampled_from(["480p", "1080p", "4k"]))
def test_a_named_resolution_is_kept_whatever_the_picture(width: int, height: int, name: str) -> None:
    assert (
        planned(model=LATER, frame=a_first_frame(width, height), params={"resolution": name}).resolution
        == name
    )


@given(st.integers(256, 8000), st.integers(256, 8000), st.sampled_from(["16:9", "9:16", "1:1", "21:9"]))
def test_a_ratio_that_is_asked_for_outranks_the_pictures_own(width: int, height: int, ratio: str) -> None:
    frame = a_first_frame(width, height)
    assert size(frame, model="gen4.5", aspect_ratio=ratio) == size(
        PICTURE, model="gen4.5", aspect_ratio=ratio
    )


@given(st.integers(256, 8000), st.integers(256, 8000))
def test_no_other_size_would_keep_more_of_the_picture(width: int, height: int) -> None:
    def kept(shape: tuple[int, int]) -> float:
        across, down = shape[0] * height, shape[1] * width
        return min(across, down) / max(across, down)

    chosen = size(a_first_frame(width, height), model="gen4.5")
    assert kept(chosen) == pytest.approx(max(kept(one) for one in IMAGE_SIZES))


@pytest.mark.parametrize("capability", CAPABILITIES)
@given(
    name=st.none() | st.sampled_from([*RESOLUTION_NAMES, "256x256", "1280x720", "1920x1080"]),
    ratio=st.none() | st.sampled_from(["16:9", "9:16", "4:3", "1:1", "21:9", "3:2", "7:1"]),
)
def test_whatever_a_refusal_allows_would_be_served(
    capability: Capability, name: str | None, ratio: str | None
) -> None:
    try:
        params = Params(resolution=name, aspect_ratio=ratio)
    except ValidationError:
        return
    _, problems = size_of(params, None, capability, "it")
    for problem in problems:
        field = problem.pointer.removeprefix("/params/")
        assert problem.allowed
        for value in problem.allowed:
            better = Params.model_validate({field: value})  # by itself: pixels may be a ratio only nearly
            assert size_of(better, None, capability, "it")[1] == []


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_each_size_of_a_model_can_be_asked_for_by_its_names(capability: Capability) -> None:
    for one in capability.sizes:
        params = Params(aspect_ratio=ratio_name(one), resolution=one.name)
        assert size_of(params, None, capability, "it") == (one, [])


def test_sizes_of_no_common_shape_are_named_by_their_pixels() -> None:
    odd = Size(width=1000, height=300)
    assert (ratio_name(odd), odd.name) == ("1000:300", None)


def test_a_named_ratio_counts_as_it_is_named() -> None:
    strange = Size(width=300, height=900, ratio="16:9", resolution="720p")
    capability = a_capability(sizes=(strange,))
    assert size_of(Params(aspect_ratio="16:9", resolution="720p"), None, capability, "it") == (strange, [])
    assert size_of(Params(aspect_ratio="1:3"), None, capability, "it")[1]


def test_a_picture_that_is_cut_or_scaled_is_an_adjustment_that_says_how() -> None:
    (told,) = planned(
        model="gen4.5", frame=a_first_frame(3000, 2000), params={"aspect_ratio": "16:9"}
    ).adjustments
    assert (told.pointer, told.code) == ("/params/image_id", "picture_fitted")
    assert told.message == (
        "The picture is scaled from 3000x2000 to 1280x720 and cut by 312 of 2000 pixels at top and bottom."
    )


def test_a_picture_of_just_the_right_size_is_sent_as_it_is() -> None:
    assert planned(at=[RUNWAY], frame=PICTURE).adjustments == ()
