"""The next take: keep what is not mentioned, clear what is null, merge the params, draw a new seed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.line_up.runway import RUNWAY
from domain.orders.planning import Wanted, plans
from domain.orders.refusals import RequestRefused
from domain.orders.regeneration import merged, next_request
from domain.orders.request import GenerationRequest, RegenerateRequest
from tests.factories import IMAGE_ID, a_request

_LOOKS: dict[str, list[Any]] = {
    "camera": [{"pan": 0.5, "zoom": 1.0}, {"fixed": True}],
    "style": [{"preset": "noir", "strength": 0.5}, {"preset": "cinematic"}],
    "extra": [{"watermark": True, "generate_audio": False}, {"cfg_scale": 1.5}],
    "negative_prompt": ["people", "cars"],
    "image_id": [IMAGE_ID, "img_other"],
    "resolution": ["720p", "1080p"],
}

_params = st.fixed_dictionaries(
    {},
    optional={
        "duration_seconds": st.integers(2, 10),
        "seed": st.integers(0, 99),
        **{name: st.sampled_from(values) for name, values in _LOOKS.items()},
    },
)
_changed_params = st.fixed_dictionaries(
    {},
    optional={
        "duration_seconds": st.none() | st.integers(2, 10),
        "seed": st.none() | st.integers(0, 99),
        **{name: st.none() | st.sampled_from(values) for name, values in _LOOKS.items()},
    },
)
_words = st.sampled_from(["one", "two", "three"])
requests = st.fixed_dictionaries(
    {"prompt": _words, "provider": st.sampled_from(["auto", "runway"]), "params": _params},
    optional={
        "model": _words,
        "project_id": _words,
        "metadata": st.just({"a": "b"}),
        "fallback_providers": st.sampled_from(["auto", [], ["seedance", "stable-video"]]),
    },
).map(GenerationRequest.model_validate)
changes = st.fixed_dictionaries(
    {},
    optional={
        "prompt": _words,
        "provider": st.none() | st.sampled_from(["auto", "runway"]),
        "model": st.none() | _words,
        "params": st.none() | _changed_params,
        "if_running": st.sampled_from(["refuse", "replace"]),
    },
).map(RegenerateRequest.model_validate)


def as_given(request: GenerationRequest) -> dict[str, Any]:
    """The params of a request, as a user would write them."""
    return request.params.model_dump(mode="json", exclude_none=True)


def asked(**fields: Any) -> RegenerateRequest:
    return RegenerateRequest.model_validate(fields)


def test_how_to_go_on_is_kept() -> None:
    last = a_request(
        provider="runway",
        priority="high",
        fallback_providers=["seedance"],
        deadline_seconds=60,
        on_unknown_submission="resubmit",
        on_content_policy="next",
    )
    assert next_request(last, asked(prompt="one")) == last.model_copy(update={"prompt": "one"})
    forbidden = a_request(fallback_providers=[])
    assert next_request(forbidden, asked(provider="runway")).fallback_providers == ()


def test_a_provider_that_is_asked_for_now_is_no_longer_one_to_fall_back_to() -> None:
    last = a_request(provider="runway", fallback_providers=["stable-video", "seedance"])
    following = next_request(last, asked(provider="seedance"))
    assert (following.provider, following.fallback_providers) == ("seedance", ("stable-video",))


@given(requests, changes)
def test_the_result_is_a_request_like_any_other(last: GenerationRequest, change: RegenerateRequest) -> None:
    assert GenerationRequest.model_validate(merged(last, change)) == next_request(last, change)


@given(requests)
def test_nothing_mentioned_keeps_everything_but_the_seed(last: GenerationRequest) -> None:
    following = next_request(last, asked())
    kept = last.model_copy(update={"params": last.params.model_copy(update={"seed": None})})
    assert following == kept


@given(requests, changes)
def test_each_field_is_kept_cleared_or_replaced(last: GenerationRequest, change: RegenerateRequest) -> None:
    following = next_request(last, change)
    said = change.model_fields_set
    assert following.prompt == (change.prompt if "prompt" in said else last.prompt)
    assert following.provider == ((change.provider or "auto") if "provider" in said else last.provider)
    if "model" in said:
        assert following.model == change.model
    else:
        assert following.model == (last.model if following.provider == last.provider else None)
    assert (following.project_id, following.metadata) == (last.project_id, last.metadata)


@given(requests, changes)
def test_params_are_merged_one_level_deep(last: GenerationRequest, change: RegenerateRequest) -> None:
    following = as_given(next_request(last, change))
    for name in ("duration_seconds", *_LOOKS):
        if "params" not in change.model_fields_set:
            wanted = as_given(last).get(name)
        elif change.params is None:
            wanted = None
        else:
            wanted = change.params.get(name, as_given(last).get(name))
        assert following.get(name) == wanted


@given(requests, changes)
def test_a_seed_is_only_ever_the_one_that_this_change_gives(
    last: GenerationRequest, change: RegenerateRequest
) -> None:
    following = next_request(last, change)
    assert following.params.seed == (change.params or {}).get("seed")


@given(requests, changes)
def test_the_same_change_twice_is_the_same_as_once(
    last: GenerationRequest, change: RegenerateRequest
) -> None:
    once = next_request(last, change)
    assert next_request(once, change) == once


def test_the_last_take_is_left_as_it_was() -> None:
    last = a_request(params={"seed": 5, "duration_seconds": 4})
    before = last.model_dump_json()
    merged(last, asked(params={"duration_seconds": None}, prompt="another"))
    assert last.model_dump_json() == before


def test_the_next_take_forgets_the_last_seed_unless_one_is_given() -> None:
    last = a_request(params={"seed": 5})
    assert next_request(last, asked()).params.seed is None
    assert next_request(last, asked(params={"seed": 6})).params.seed == 6
    assert next_request(last, asked(params={"seed": None})).params.seed is None
    assert next_request(last, asked(params=None)).params.seed is None


def test_the_seed_that_is_forgotten_is_drawn_anew() -> None:
    following = next_request(a_request(params={"seed": 5}), asked())
    made = plans(Wanted(request=following, seed=9), [RUNWAY])[0]
    assert (made.seed, made.seed_is_given) == (9, False)


@pytest.mark.parametrize(
    ("name", "before", "change", "following"),
    [
        ("camera", {"pan": 0.5, "zoom": 1.0}, {"tilt": 1.0}, {"tilt": 1.0}),
        ("camera", {"pan": 0.5}, {"fixed": True}, {"fixed": True}),
        ("camera", {"pan": 0.5}, {"pan": None}, {}),
        ("style", {"preset": "noir", "strength": 0.5}, {"preset": "cinematic"}, {"preset": "cinematic"}),
        ("extra", {"watermark": True}, {"generate_audio": False}, {"generate_audio": False}),
        ("extra", {"watermark": True}, {}, {}),
    ],
)
def test_a_param_with_parts_is_replaced_as_a_whole(
    name: str, before: dict[str, Any], change: dict[str, Any], following: dict[str, Any]
) -> None:
    last = a_request(params={name: before, "duration_seconds": 4})
    kept = as_given(next_request(last, asked(params={name: change})))
    assert kept == {name: following, "duration_seconds": 4}


@pytest.mark.parametrize("name", [*_LOOKS])
def test_null_clears_a_param_and_leaves_the_others(name: str) -> None:
    last = a_request(params={name: values[0] for name, values in _LOOKS.items()})
    kept = as_given(next_request(last, asked(params={name: None})))
    assert kept == {other: values[0] for other, values in _LOOKS.items() if other != name}


def test_null_for_the_params_clears_them_all() -> None:
    last = a_request(params={name: values[0] for name, values in _LOOKS.items()}, project_id="p")
    assert next_request(last, asked(params=None)) == a_request(project_id="p")


@pytest.mark.parametrize("word", ["refuse", "replace"])
def test_what_happens_to_a_running_take_is_no_part_of_the_next_one(word: str) -> None:
    last = a_request(params={"duration_seconds": 4})
    assert merged(last, asked(if_running=word)) == merged(last, asked())
    assert next_request(last, asked(if_running=word)) == last


def test_the_picture_is_kept_until_it_is_cleared_or_replaced() -> None:
    last = a_request(params={"image_id": IMAGE_ID})
    assert next_request(last, asked(prompt="another")).params.image_id == IMAGE_ID
    assert next_request(last, asked(params={"image_id": "img_other"})).params.image_id == "img_other"
    assert next_request(last, asked(params={"image_id": None})).params.image_id is None


@pytest.mark.parametrize("more", [{}, {"image_id": None}])
def test_a_first_frame_replaces_the_other_however_it_is_named(more: dict[str, None]) -> None:
    url = "https://example.com/a.png"
    elsewhere = next_request(
        a_request(params={"image_id": IMAGE_ID}), asked(params={"image_url": url} | more)
    )
    assert (elsewhere.params.image_id, elsewhere.params.image_url) == (None, url)
    uploaded = next_request(elsewhere, asked(params={"image_id": IMAGE_ID}))
    assert (uploaded.params.image_id, uploaded.params.image_url) == (IMAGE_ID, None)
    kept = next_request(elsewhere, asked(params={"image_id": None}))
    assert (kept.params.image_id, kept.params.image_url) == (None, url)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": None}, "prompt"),
        ({"params": {"fps": 24}}, "params.fps"),
        ({"params": {"duration_seconds": "5"}}, "params.duration_seconds"),
        ({"params": {"seed": -1}}, "params.seed"),
        ({"params": {"camera": {"pan": 2}}}, "params.camera.pan"),
        ({"params": {"style": {"strength": 1}}}, "params.style.preset"),
        ({"params": {"extra": {"watermark": None}}}, "params.extra.watermark"),
        ({"params": {"image_url": "https://example.com/a.png", "image_id": "img_other"}}, "params"),
    ],
)
def test_a_change_that_makes_an_invalid_request_is_refused_at_its_field(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        next_request(a_request(params={"image_id": IMAGE_ID}), asked(**change))
    assert [".".join(map(str, error["loc"])) for error in refused.value.errors()] == [field]


def nested(depth: int) -> object:
    inner: object = 1
    for level in range(depth):
        inner = [inner] if level % 2 else {"a": inner}
    return inner


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_change_that_is_nested_as_params_are_is_looked_at_in_full(depth: int) -> None:
    assert asked(params={"camera": nested(depth)}).params == {"camera": nested(depth)}


@pytest.mark.parametrize("depth", [4, 5, 50, 100_000])
def test_a_change_that_is_nested_more_deeply_is_refused_at_once(depth: int) -> None:
    with pytest.raises(ValidationError, match="nested too deeply"):
        asked(params={"camera": nested(depth)})


def test_an_unmentioned_ceiling_still_holds() -> None:
    following = next_request(a_request(max_cost_usd="0.60"), asked(params={"duration_seconds": 10}))
    with pytest.raises(RequestRefused, match=r"asks 1\.20 US dollars"):
        plans(Wanted(request=following, seed=9), [RUNWAY])


def test_a_model_goes_with_its_provider_and_stays_while_the_provider_stays() -> None:
    last = a_request(provider="auto", model="gen4.5")
    assert merged(last, asked(provider=None))["model"] == "gen4.5"
    assert "model" not in merged(last, asked(provider="runway"))
    assert merged(last, asked(provider="runway", model="gen4_turbo"))["model"] == "gen4_turbo"
