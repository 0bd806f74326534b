"""Every fact in the line-up is well-formed: whatever a model's own data say is served by it."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from domain.costs.prices import PerToken
from domain.fields import Slug
from domain.orders.capabilities import (
    SILENT_OPTION,
    Capability,
    ModelFacts,
    Option,
    OptionKind,
    ProviderFacts,
    Support,
)
from domain.orders.line_up import LINE_UP, can_list, name_of
from domain.orders.line_up.stable_video import RETIREMENT
from domain.orders.params import DURATION_MAX, SEED_MAX, Params
from domain.orders.sizing import size_of
from tests.domain.planned import planned
from tests.factories import a_first_frame

MODELS = [
    pytest.param(facts, model, id=f"{facts.id} {model.id}") for facts in LINE_UP for model in facts.models
]
CAPABILITIES = [
    pytest.param(model, capability, id=f"{model.id} {capability.mode}")
    for facts in LINE_UP
    for model in facts.models
    for capability in model.capabilities
]
CAPABILITIES_ALONE = [pytest.param(param.values[1], id=param.id) for param in CAPABILITIES]
OPTIONS = {
    f"{model.id} {option.name}": option
    for facts in LINE_UP
    for model in facts.models
    for capability in model.capabilities
    for option in capability.options
}
SLUG = TypeAdapter(Slug)
PICTURE = a_first_frame()


def test_the_first_three_providers_are_known_by_their_public_ids() -> None:
    assert [facts.id for facts in LINE_UP][:3] == ["runway", "seedance", "stable-video"]
    assert [name_of(facts.id) for facts in LINE_UP][:3] == ["Runway", "Seedance", "Stable Video"]
    assert name_of("sora") == "sora"


def test_of_the_first_three_only_seedance_lists_its_jobs() -> None:
    assert [can_list(provider) for provider in ("runway", "seedance", "stable-video")] == [False, True, False]
    assert not can_list("sora")


def test_no_id_is_there_twice_and_each_can_be_asked_for() -> None:
    ids = [facts.id for facts in LINE_UP] + [model.id for facts in LINE_UP for model in facts.models]
    assert len(set(ids)) == len(ids)
    assert [SLUG.validate_python(one) for one in ids] == ids
    assert "auto" not in ids


@pytest.mark.parametrize("facts", LINE_UP, ids=lambda facts: str(facts.id))
def test_a_provider_has_a_name_and_models_and_an_open_door(facts: ProviderFacts) -> None:
    assert facts.name.strip() == facts.name != ""
    assert facts.models
    assert facts.retired is None


@pytest.mark.parametrize(("facts", "model"), MODELS)
def test_a_models_facts_were_read_and_it_has_each_mode_once(facts: ProviderFacts, model: ModelFacts) -> None:
    assert model in facts.models
    assert model.facts_read <= datetime.now(UTC).date()
    assert model.modes
    assert len(set(model.modes)) == len(model.modes)
    assert all(model.in_mode(one.mode) is one for one in model.capabilities)
    assert model.needs_image == all(mode == "image_to_video" for mode in model.modes)


@pytest.mark.parametrize("capability", CAPABILITIES_ALONE)
def test_lengths_go_up_and_hold_the_default(capability: Capability) -> None:
    assert capability.default_duration in capability.durations
    assert list(capability.durations) == sorted(set(capability.durations))
    assert capability.durations[0] >= 1
    assert capability.durations[-1] <= DURATION_MAX


@pytest.mark.parametrize(("model", "capability"), CAPABILITIES)
def test_sizes_are_unique_and_the_first_is_the_default(model: ModelFacts, capability: Capability) -> None:
    pixels = [(size.width, size.height) for size in capability.sizes]
    assert len(set(pixels)) == len(pixels)
    assert size_of(Params(), None, capability, model.id) == (capability.sizes[0], [])
    assert all(min(size) >= 256 and not any(side % 2 for side in size) for size in pixels)
    for one in capability.sizes:
        assert (one.resolution is None) == (one.ratio is None)
        Params(resolution=one.resolution, aspect_ratio=one.ratio)


@pytest.mark.parametrize("capability", CAPABILITIES_ALONE)
def test_every_video_has_a_price_and_silence_is_never_dearer(capability: Capability) -> None:
    for seconds in capability.durations:
        for size in capability.sizes:
            loud, silent = (
                capability.price.of(seconds, size.width, size.height, silent=silent)
                for silent in (False, True)
            )
            assert 0 < silent <= loud <= 100_000_000


@pytest.mark.parametrize("capability", CAPABILITIES_ALONE)
def test_a_cheaper_silence_can_be_asked_for(capability: Capability) -> None:
    if isinstance(capability.price, PerToken) and capability.price.silent_micros is not None:
        assert SILENT_OPTION in {option.name for option in capability.options}


@pytest.mark.parametrize("capability", CAPABILITIES_ALONE)
def test_limits_are_limits(capability: Capability) -> None:
    assert 0 <= capability.least_seed < capability.most_seed <= SEED_MAX
    assert capability.prompt_units is None or capability.prompt_units > 0


@pytest.mark.parametrize("capability", CAPABILITIES_ALONE)
def test_a_field_of_its_own_is_only_claimed_for_what_a_plan_carries(capability: Capability) -> None:
    said = (capability.negative_prompt, capability.camera, capability.style)
    assert Support.NATIVE not in said
    if not capability.uses_prompt:
        assert {*said, capability.camera_fixed} == {Support.NONE}


@pytest.mark.parametrize(("model", "capability"), CAPABILITIES)
def test_a_model_serves_its_own_defaults_and_longest_video(model: ModelFacts, capability: Capability) -> None:
    frame = PICTURE if capability.mode == "image_to_video" else None
    made = planned(model=model.id, frame=frame)
    assert made.mode is capability.mode
    assert made.duration_seconds == capability.default_duration
    longest = {"duration_seconds": capability.durations[-1], "seed": capability.most_seed}
    planned(
        model=model.id,
        frame=frame,
        params=longest | {"extra": {option.name: option.default for option in capability.options}},
    )


@pytest.mark.parametrize("capability", CAPABILITIES_ALONE)
def test_options_have_names_of_their_own_that_can_be_asked_for(capability: Capability) -> None:
    names = [option.name for option in capability.options]
    assert len(set(names)) == len(names)
    assert [SLUG.validate_python(name) for name in names] == names


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_an_option_takes_its_default_and_says_what_it_is(option: Option) -> None:
    assert option.takes(option.default)
    assert option.description.endswith(".")
    assert option.allowed
    assert all(option.takes(choice) for choice in option.choices)
    if option.kind in {OptionKind.INTEGER, OptionKind.NUMBER}:
        assert option.least is not None
        assert option.most is not None
        assert option.least < option.most


def test_a_retirement_says_what_to_use_instead() -> None:
    assert RETIREMENT.on < datetime.now(UTC).date()
    assert RETIREMENT.instead.endswith(".")
    assert "VIDEOPLANET_STABILITY_BASE_URL" in RETIREMENT.instead
