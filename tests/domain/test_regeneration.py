"""The next take: keep what is not mentioned, clear what is null, merge the params, draw a new seed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.capabilities import RequestRefused
from domain.line_up import RUNWAY
from domain.regeneration import merged, next_take
from domain.request import GenerationRequest, RegenerateRequest
from tests.factories import IMAGE_URL, a_request

_params = st.fixed_dictionaries(
    {},
    optional={
        "duration_seconds": st.integers(2, 10),
        "resolution": st.sampled_from(["720p", "1080p"]),
        "image_url": st.just(IMAGE_URL),
        "seed": st.integers(0, 99),
    },
)
_changed_params = st.fixed_dictionaries(
    {},
    optional={
        "duration_seconds": st.none() | st.integers(2, 10),
        "resolution": st.none() | st.sampled_from(["720p", "1080p"]),
        "image_url": st.none() | st.just(IMAGE_URL + "?new"),
        "seed": st.none() | st.integers(0, 99),
    },
)
_words = st.sampled_from(["one", "two", "three"])
requests = st.fixed_dictionaries(
    {"prompt": _words, "provider": st.sampled_from(["auto", "runway"]), "params": _params},
    optional={"model": _words, "project_id": _words, "metadata": st.just({"a": "b"})},
).map(GenerationRequest.model_validate)
changes = st.fixed_dictionaries(
    {},
    optional={
        "prompt": _words,
        "provider": st.none() | st.sampled_from(["auto", "runway"]),
        "model": st.none() | _words,
        "params": st.none() | _changed_params,
    },
).map(RegenerateRequest.model_validate)


def asked(**fields: Any) -> RegenerateRequest:
    return RegenerateRequest.model_validate(fields)


@given(requests, changes)
def test_the_result_is_a_request_like_any_other(last: GenerationRequest, change: RegenerateRequest) -> None:
    GenerationRequest.model_validate(merged(last, change))


@given(requests)
def test_nothing_mentioned_keeps_everything_but_the_seed(last: GenerationRequest) -> None:
    following = GenerationRequest.model_validate(merged(last, asked()))
    kept = last.model_copy(update={"params": last.params.model_copy(update={"seed": None})})
    assert following == kept


@given(requests, changes)
def test_each_field_is_kept_cleared_or_replaced(last: GenerationRequest, change: RegenerateRequest) -> None:
    following = GenerationRequest.model_validate(merged(last, change))
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
    following = GenerationRequest.model_validate(merged(last, change)).params
    for name in ("duration_seconds", "resolution", "image_url"):
        if "params" not in change.model_fields_set:
            wanted = getattr(last.params, name)
        elif change.params is None:
            wanted = None
        else:
            wanted = change.params.get(name, getattr(last.params, name))
        assert getattr(following, name) == wanted


@given(requests, changes)
def test_a_seed_is_only_ever_the_one_that_this_change_gives(
    last: GenerationRequest, change: RegenerateRequest
) -> None:
    following = GenerationRequest.model_validate(merged(last, change))
    assert following.params.seed == (change.params or {}).get("seed")


@given(requests, changes)
def test_the_same_change_twice_is_the_same_as_once(
    last: GenerationRequest, change: RegenerateRequest
) -> None:
    once = GenerationRequest.model_validate(merged(last, change))
    assert GenerationRequest.model_validate(merged(once, change)) == once


def test_the_last_take_is_left_as_it_was() -> None:
    last = a_request(params={"seed": 5, "duration_seconds": 4})
    before = last.model_dump_json()
    merged(last, asked(params={"duration_seconds": None}, prompt="another"))
    assert last.model_dump_json() == before


def test_the_next_take_draws_a_new_seed_unless_one_is_given() -> None:
    last = a_request(params={"seed": 5})
    assert next_take(last, asked(), [RUNWAY], seed=9)[1].seed == 9
    assert next_take(last, asked(params={"seed": 6}), [RUNWAY], seed=9)[1].seed == 6


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": None},
        {"params": {"fps": 24}},
        {"params": {"duration_seconds": "5"}},
        {"params": {"seed": -1}},
    ],
)
def test_a_change_that_makes_an_invalid_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        next_take(a_request(), asked(**change), [RUNWAY], seed=9)


def test_a_change_that_nothing_can_serve_is_refused() -> None:
    with pytest.raises(RequestRefused):
        next_take(a_request(), asked(params={"duration_seconds": 30}), [RUNWAY], seed=9)


def test_an_unmentioned_ceiling_still_holds() -> None:
    last = a_request(max_cost_usd="0.60")
    with pytest.raises(RequestRefused):
        next_take(last, asked(params={"duration_seconds": 10}), [RUNWAY], seed=9)


def test_clearing_the_image_makes_a_video_from_text() -> None:
    last = a_request(params={"image_url": IMAGE_URL})
    assert next_take(last, asked(params={"image_url": None}), [RUNWAY], seed=9)[1].image_url is None


def test_a_model_goes_with_its_provider_and_stays_while_the_provider_stays() -> None:
    last = a_request(provider="auto", model="gen4.5")
    assert merged(last, asked(provider=None))["model"] == "gen4.5"
    assert "model" not in merged(last, asked(provider="runway"))
    assert merged(last, asked(provider="runway", model="gen4_turbo"))["model"] == "gen4_turbo"
