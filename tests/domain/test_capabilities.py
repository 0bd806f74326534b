"""A request is fitted to a model as its provider documents it, or refused with what would work."""

import pytest

from domain.capabilities import Mode, Plan, Problem, RequestRefused, plan
from domain.line_up import RUNWAY
from domain.request import GenerationRequest
from tests.factories import IMAGE_URL, a_request

TEXT_SIZES = [(1280, 720), (720, 1280)]
IMAGE_SIZES = [*TEXT_SIZES, (1104, 832), (960, 960), (832, 1104), (1584, 672)]


def planned(request: GenerationRequest, seed: int = 7) -> Plan:
    return plan(request, [RUNWAY], seed)


def refused(request: GenerationRequest) -> tuple[Problem, ...]:
    with pytest.raises(RequestRefused) as refusal:
        planned(request)
    return refusal.value.problems


def test_what_is_left_out_is_chosen_by_the_models_defaults() -> None:
    made = planned(a_request())
    assert (made.provider, made.model, made.mode) == ("runway", "gen4.5", Mode.TEXT)
    assert (made.duration_seconds, made.width, made.height) == (5, 1280, 720)
    assert made.price == 600_000


@pytest.mark.parametrize("seconds", range(2, 11))
@pytest.mark.parametrize(("model", "cents"), [("gen4.5", 12), ("gen4_turbo", 5)])
def test_two_to_ten_seconds_are_priced_by_the_second(seconds: int, model: str, cents: int) -> None:
    made = planned(a_request(model=model, params={"duration_seconds": seconds, "image_url": IMAGE_URL}))
    assert (made.duration_seconds, made.price) == (seconds, seconds * cents * 10_000)


@pytest.mark.parametrize("seconds", [1, *range(11, 31)])
def test_a_duration_that_the_model_does_not_make_is_refused_with_those_it_does(seconds: int) -> None:
    (problem,) = refused(a_request(params={"duration_seconds": seconds}))
    assert (problem.pointer, problem.code) == ("/params/duration_seconds", "duration_not_supported")
    assert problem.allowed == tuple(range(2, 11))


@pytest.mark.parametrize(("width", "height"), TEXT_SIZES)
def test_the_sizes_of_text_mode_are_served_exactly(width: int, height: int) -> None:
    made = planned(a_request(params={"resolution": f"{width}x{height}"}))
    assert (made.width, made.height) == (width, height)


@pytest.mark.parametrize(("width", "height"), IMAGE_SIZES)
def test_the_sizes_of_image_mode_are_served_exactly(width: int, height: int) -> None:
    made = planned(a_request(params={"resolution": f"{width}x{height}", "image_url": IMAGE_URL}))
    assert (made.mode, made.width, made.height, made.image_url) == (Mode.IMAGE, width, height, IMAGE_URL)


@pytest.mark.parametrize(("width", "height"), [*IMAGE_SIZES[2:], (1920, 1080), (640, 480)])
def test_a_size_of_another_mode_is_refused_with_those_of_this_one(width: int, height: int) -> None:
    (problem,) = refused(a_request(params={"resolution": f"{width}x{height}"}))
    assert (problem.pointer, problem.code) == ("/params/resolution", "resolution_not_supported")
    assert problem.allowed == ("720p", "1280x720", "720x1280")


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        *(("16:9", (1280, 720)), ("9:16", (720, 1280)), ("4:3", (1104, 832)), ("3:4", (832, 1104))),
        *(("1:1", (960, 960)), ("21:9", (1584, 672)), ("32:18", (1280, 720))),
    ],
)
def test_a_ratio_chooses_the_size_that_is_sold_as_it(ratio: str, size: tuple[int, int]) -> None:
    made = planned(a_request(params={"aspect_ratio": ratio, "image_url": IMAGE_URL}))
    assert (made.width, made.height) == size


def test_a_ratio_that_the_mode_lacks_is_refused_with_those_it_has() -> None:
    (problem,) = refused(a_request(params={"aspect_ratio": "1:1"}))
    assert (problem.pointer, problem.allowed) == ("/params/aspect_ratio", ("16:9", "9:16"))


def test_a_ratio_that_is_only_near_one_of_the_sizes_is_refused() -> None:
    (problem,) = refused(a_request(params={"aspect_ratio": "3:2", "image_url": IMAGE_URL}))
    assert problem.allowed == ("16:9", "9:16", "4:3", "1:1", "3:4", "21:9")


@pytest.mark.parametrize(("ratio", "size"), [(None, (1280, 720)), ("9:16", (720, 1280))])
def test_a_named_resolution_is_the_shorter_side(ratio: str | None, size: tuple[int, int]) -> None:
    made = planned(a_request(params={"resolution": "720p", "aspect_ratio": ratio}))
    assert (made.width, made.height) == size


@pytest.mark.parametrize("name", ["480p", "1080p", "4k"])
def test_a_named_resolution_that_the_model_lacks_is_refused(name: str) -> None:
    (problem,) = refused(a_request(params={"resolution": name, "aspect_ratio": "16:9"}))
    assert problem.pointer == "/params/resolution"
    assert problem.allowed == ("720p", "1280x720")


def test_two_things_that_are_wrong_are_told_at_once() -> None:
    problems = refused(a_request(params={"duration_seconds": 30, "resolution": "4k"}))
    assert {problem.pointer for problem in problems} == {"/params/duration_seconds", "/params/resolution"}


def test_an_image_model_without_an_image_is_refused_with_a_model_that_needs_none() -> None:
    (problem,) = refused(a_request(model="gen4_turbo"))
    assert (problem.pointer, problem.code) == ("/params/image_url", "image_required")
    assert problem.served_by == ("gen4.5",)


def test_an_unknown_provider_is_refused_with_those_that_exist() -> None:
    (problem,) = refused(a_request(provider="seedance"))
    assert (problem.pointer, problem.code) == ("/provider", "unknown_provider")
    assert problem.allowed == ("auto", "runway")


def test_an_unknown_model_is_refused_with_those_that_exist() -> None:
    (problem,) = refused(a_request(model="gen3"))
    assert (problem.pointer, problem.allowed) == ("/model", ("gen4.5", "gen4_turbo"))


def test_without_any_provider_nothing_is_promised() -> None:
    with pytest.raises(RequestRefused, match="no provider is configured"):
        plan(a_request(), [], seed=7)


@pytest.mark.parametrize("ceiling", ["0.60", "0.600000", "100"])
def test_a_ceiling_that_is_just_enough_is_enough(ceiling: str) -> None:
    assert planned(a_request(max_cost_usd=ceiling)).price == 600_000


@pytest.mark.parametrize("ceiling", ["0.599999", "0.000001"])
def test_a_price_over_the_ceiling_is_refused_and_named(ceiling: str) -> None:
    (problem,) = refused(a_request(max_cost_usd=ceiling))
    assert (problem.pointer, problem.code) == ("/max_cost_usd", "over_max_cost")
    assert "0.60 US dollars for 5 seconds" in problem.message


@pytest.mark.parametrize(("given", "sent"), [(None, 7), (0, 0), (2**32 - 1, 2**32 - 1)])
def test_a_seed_is_drawn_only_where_none_is_given(given: int | None, sent: int) -> None:
    assert planned(a_request(params={"seed": given}), seed=7).seed == sent
