"""Which provider and model serve a request, or why none does and who would."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders.capabilities import Mode, Retirement
from domain.orders.line_up import LINE_UP
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.line_up.stable_video import RETIREMENT, STABLE_VIDEO
from domain.orders.params import Params
from domain.orders.plans import FirstFrame, Plan
from domain.orders.refusals import Problem, RequestRefused
from tests.domain.planned import a_model, a_provider, planned, refused
from tests.factories import IMAGE_URL, PROMPT, a_first_frame

PICTURE = a_first_frame()
GONE = STABLE_VIDEO.model_copy(update={"retired": RETIREMENT})
TEXT_ONLY, IMAGE_ONLY = (Mode.TEXT,), (Mode.IMAGE,)


def test_what_is_left_out_is_chosen_by_the_models_defaults() -> None:
    made = planned()
    assert (made.provider, made.model, made.mode) == ("runway", "gen4.5", Mode.TEXT)
    assert (made.prompt, made.duration_seconds, made.width, made.height) == (PROMPT, 5, 1280, 720)
    assert (made.price, made.adjustments, made.first_frame) == (600_000, (), None)


@pytest.mark.parametrize(
    ("provider", "frame", "model"),
    [
        ("runway", None, "gen4.5"),
        ("runway", PICTURE, "gen4.5"),
        ("seedance", None, "seedance-1-0-pro-250528"),
        ("seedance", PICTURE, "seedance-1-0-pro-250528"),
        ("stable-video", PICTURE, "svd"),
    ],
)
def test_a_named_provider_serves_by_its_first_model(
    provider: str, frame: FirstFrame | None, model: str
) -> None:
    made = planned(provider=provider, frame=frame)
    assert (made.provider, made.model) == (provider, model)
    assert (made.mode, made.first_frame) == (Mode.IMAGE if frame else Mode.TEXT, frame)


@pytest.mark.parametrize(
    ("params", "provider", "model"),
    [
        ({}, "runway", "gen4.5"),
        ({"resolution": "1080p"}, "seedance", "seedance-1-0-pro-250528"),
        ({"duration_seconds": 13}, "seedance", "dreamina-seedance-2-0-260128"),
        ({"duration_seconds": 16}, "seedance", "dreamina-seedance-2-5-260628"),
        ({"resolution": "4k"}, "seedance", "dreamina-seedance-2-0-260128"),
        ({"extra": {"generate_audio": True}}, "seedance", "seedance-1-5-pro-251215"),
        ({"camera": {"fixed": True}}, "runway", "gen4.5"),
    ],
)
def test_the_choice_that_is_left_to_us_falls_on_the_first_that_can(
    params: dict[str, Any], provider: str, model: str
) -> None:
    made = planned(params=params)
    assert (made.provider, made.model) == (provider, model)


@pytest.mark.parametrize("order", [LINE_UP, LINE_UP[::-1]])
def test_the_order_of_the_providers_is_the_order_of_preference(order: tuple[Any, ...]) -> None:
    able = [facts.id for facts in order if facts is not STABLE_VIDEO]
    assert planned(at=order).provider == able[0]


@pytest.mark.parametrize("model", [model.id for facts in LINE_UP for model in facts.models])
def test_a_model_is_found_at_the_provider_that_has_it(model: str) -> None:
    made = planned(model=model, frame=PICTURE)
    assert made.model == model
    assert model in {known.id for facts in LINE_UP if facts.id == made.provider for known in facts.models}


def test_a_named_model_is_never_exchanged_for_another_one() -> None:
    (problem,) = refused(model="gen4.5", params={"resolution": "1080p"})
    assert (problem.pointer, problem.served_by) == ("/params/resolution", ("seedance",))
    assert problem.message.startswith("gen4.5 ")


def test_a_model_that_two_providers_have_goes_to_the_one_that_can_serve_it() -> None:
    cheap = a_provider("cheap", a_model(durations=(4,), default_duration=4))
    assert planned(
        model="model-one", params={"duration_seconds": 5}, at=[cheap, a_provider("able")]
    ).provider == ("able")


def test_an_unknown_provider_is_refused_with_those_that_exist() -> None:
    (problem,) = refused(provider="sora")
    assert (problem.pointer, problem.code) == ("/provider", "unknown_provider")
    assert (problem.allowed, problem.served_by) == (("auto", "runway", "seedance", "stable-video"), ())


def test_an_unknown_model_is_refused_with_those_that_the_provider_has() -> None:
    (problem,) = refused(provider="seedance", model="gen4.5")
    assert (problem.pointer, problem.code) == ("/model", "unknown_model")
    assert (problem.allowed, problem.served_by) == (tuple(model.id for model in SEEDANCE.models), ())
    assert "gen4.5" in problem.message


def test_a_model_that_nobody_has_is_refused() -> None:
    (problem,) = refused(model="gen3")
    assert (problem.pointer, problem.code) == ("/model", "unknown_model")
    assert set(problem.allowed) >= {"gen4.5", "gen4_turbo"}


@pytest.mark.parametrize("at", [[], [GONE]])
def test_without_any_provider_nothing_is_promised(at: list[Any]) -> None:
    (problem,) = refused(at=at, frame=PICTURE)
    assert (problem.code, problem.message) == ("no_provider", "no provider is configured")


def test_a_provider_that_is_gone_says_since_when_and_what_to_use_instead() -> None:
    (problem,) = refused(provider="stable-video", at=[RUNWAY, GONE], frame=PICTURE)
    assert (problem.pointer, problem.code, problem.served_by) == ("/provider", "retired", ("runway",))
    assert problem.message.startswith("Stable Video is gone since 2025-07-24: ")
    assert RETIREMENT.instead in problem.message


def test_a_model_that_is_gone_with_its_provider_says_so_too() -> None:
    (problem,) = refused(model="svd", at=[RUNWAY, GONE], frame=PICTURE)
    assert (problem.code, problem.served_by) == ("retired", ("runway",))


def test_a_model_is_served_by_the_open_door_where_another_one_is_closed() -> None:
    closed = a_provider("closed", retired=Retirement(on=date(2025, 1, 1), instead="Use another."))
    assert planned(model="model-one", at=[closed, a_provider("open")]).provider == "open"
    (problem,) = refused(model="model-one", at=[closed, a_provider("open")], params={"duration_seconds": 9})
    assert problem.code == "duration_not_supported"


def test_a_provider_that_is_gone_is_never_chosen_nor_recommended() -> None:
    only_image = a_provider("image", a_model(modes=IMAGE_ONLY))
    closed = a_provider("closed", retired=Retirement(on=date(2025, 1, 1), instead="Use another."))
    (problem,) = refused(at=[closed, only_image])
    assert (problem.code, problem.served_by) == ("image_required", ())


@pytest.mark.parametrize(
    ("order", "served_by"),
    [
        ({"model": "gen4_turbo"}, ("runway", "seedance")),
        ({"provider": "stable-video"}, ("runway", "seedance")),
    ],
)
def test_a_model_that_needs_a_picture_says_how_to_give_one_and_who_needs_none(
    order: dict[str, Any], served_by: tuple[str, ...]
) -> None:
    (problem,) = refused(**order)
    assert (problem.pointer, problem.code) == ("/params/image_id", "image_required")
    assert "POST /v1/images" in problem.message
    assert problem.served_by == served_by


def test_a_model_that_takes_no_picture_says_who_does() -> None:
    text, both = a_provider("text", a_model(modes=TEXT_ONLY)), a_provider("both")
    (problem,) = refused(provider="text", at=[text, both], frame=PICTURE)
    assert (problem.pointer, problem.code) == ("/params/image_id", "image_not_supported")
    assert problem.served_by == ("both",)


def test_a_refusal_speaks_of_a_model_that_takes_what_the_video_is_made_from() -> None:
    at = [a_provider("one", a_model("image", IMAGE_ONLY), a_model("text", TEXT_ONLY))]
    (problem,) = refused(at=at, params={"duration_seconds": 9})
    assert (problem.code, problem.message) == ("duration_not_supported", "text makes videos of 5 seconds")


@pytest.mark.parametrize("order", [{}, {"provider": "seedance"}, {"provider": "nobody"}, {"model": "svd"}])
def test_the_address_of_a_picture_that_was_not_fetched_is_refused_with_the_way_to_upload_it(
    order: dict[str, Any],
) -> None:
    (problem,) = refused(**order, params={"image_url": IMAGE_URL})
    assert (problem.pointer, problem.code) == ("/params/image_url", "image_url_not_fetched")
    assert "POST /v1/images" in problem.message
    assert problem.served_by == ()


def test_two_things_that_are_wrong_are_told_at_once() -> None:
    problems = refused(provider="runway", params={"duration_seconds": 14, "resolution": "4k"})
    assert {problem.pointer for problem in problems} == {"/params/duration_seconds", "/params/resolution"}
    assert {problem.served_by for problem in problems} == {("seedance",)}


def test_where_nobody_can_the_preferred_provider_says_why() -> None:
    (problem,) = refused(params={"resolution": "300x300"})
    assert problem.message == "gen4.5 has no size of 300x300"
    assert problem.served_by == ()


def test_a_refusal_reads_as_a_sentence() -> None:
    with pytest.raises(RequestRefused, match=r"^/params/duration_seconds: gen4\.5 makes videos of 2 to 10 s"):
        planned(model="gen4.5", params={"duration_seconds": 30})


def test_a_plan_is_the_same_after_it_was_stored() -> None:
    made = planned(
        frame=a_first_frame(1000, 1000),
        provider="seedance",
        model="dreamina-seedance-2-0-260128",
        params={"extra": {"watermark": True, "generate_audio": False}, "camera": {"pan": 1}, "seed": 3},
    )
    again = Plan.model_validate_json(made.model_dump_json())
    assert again == made
    assert again.options == {"watermark": True, "generate_audio": False}


def _agree(params: dict[str, Any]) -> bool:
    try:
        Params.model_validate(params)
    except ValueError:
        return False
    return True


_plain_params = st.fixed_dictionaries(
    {},
    optional={
        "duration_seconds": st.integers(1, 30),
        "resolution": st.sampled_from(["480p", "720p", "1080p", "4k", "1280x720", "960x960", "500x500"]),
        "aspect_ratio": st.sampled_from(["16:9", "9:16", "4:3", "1:1", "21:9", "3:2"]),
        "seed": st.integers(0, 2**32 - 1),
        "camera": st.sampled_from([{"fixed": True}, {"pan": 1}]),
        "style": st.just({"preset": "noir"}),
        "negative_prompt": st.just("people"),
    },
).filter(_agree)
_frames = st.none() | st.builds(a_first_frame, st.integers(300, 3000), st.integers(300, 3000))
_orders: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.sampled_from([{"provider": facts.id} for facts in LINE_UP]),
    st.sampled_from([{"model": model.id} for facts in LINE_UP for model in facts.models]),
)


def _tried(attempt: Callable[[], Plan]) -> Plan | tuple[Problem, ...]:
    try:
        return attempt()
    except RequestRefused as refusal:
        return refusal.problems


@given(_orders, _plain_params, _frames)
def test_those_who_are_recommended_serve_it_and_nobody_else_does(
    order: dict[str, Any], params: dict[str, Any], frame: FirstFrame | None
) -> None:
    answer = _tried(lambda: planned(**order, params=params, frame=frame))
    if isinstance(answer, Plan):
        assert {"provider": answer.provider, "model": answer.model}.items() >= order.items()
        return
    for facts in LINE_UP:
        alone = _tried(lambda at=facts.id: planned(provider=at, params=params, frame=frame))  # type: ignore[misc] # bound at once
        for problem in answer:
            assert (facts.id in problem.served_by) == isinstance(alone, Plan)


@given(_orders, _plain_params, _frames)
def test_what_a_plan_promises_is_what_was_asked_for(
    order: dict[str, Any], params: dict[str, Any], frame: FirstFrame | None
) -> None:
    made = _tried(lambda: planned(**order, params=params, frame=frame))
    if not isinstance(made, Plan):
        assert made
        assert all(problem.pointer.startswith("/") and problem.message for problem in made)
        return
    assert made.duration_seconds == params.get("duration_seconds", made.duration_seconds)
    assert made.seed == params.get("seed", made.seed)
    assert made.least_seed <= made.seed <= made.most_seed
    assert made.price > 0
    if "x" in params.get("resolution", ""):
        assert params["resolution"] == f"{made.width}x{made.height}"
