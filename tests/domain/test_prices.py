"""What a video costs before it is made: as each provider counts, never less than it will be."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.costs.prices import PerSecond, PerToken, PerVideo, Price, Rate
from domain.orders.line_up.runway import RUNWAY
from tests.domain.planned import planned
from tests.factories import a_first_frame

PICTURE = a_first_frame()
sides = st.integers(1, 4096)
seconds_of_video = st.integers(1, 30)
micros = st.integers(0, 20_000_000)
rates = st.lists(st.builds(Rate, resolution=st.sampled_from(["480p", "4k"]), micros=micros), max_size=2).map(
    tuple
)
listed = {
    "micros": micros,
    "silent_micros": st.none() | micros,
    "rates": rates,
    "least": micros,
    "step": st.integers(1, 100_000),
}
prices = st.one_of([st.builds(kind, **listed) for kind in (PerSecond, PerVideo, PerToken)])


@pytest.mark.parametrize("seconds", range(2, 11))
@pytest.mark.parametrize(("model", "cents"), [("gen4.5", 12), ("gen4_turbo", 5)])
def test_runway_counts_seconds(seconds: int, model: str, cents: int) -> None:
    made = planned(model=model, params={"duration_seconds": seconds}, frame=PICTURE)
    assert (made.duration_seconds, made.price) == (seconds, seconds * cents * 10_000)


def test_stable_video_counts_clips() -> None:
    assert planned(model="svd", frame=PICTURE).price == 200_000
    assert planned(model="svd", frame=a_first_frame(576, 1024)).price == 200_000


@pytest.mark.parametrize(
    ("model", "params", "price"),
    [
        ("seedance-1-0-pro-250528", {}, 259_545),
        ("seedance-1-0-pro-250528", {"resolution": "1080p"}, 617_100),
        ("seedance-1-5-pro-251215", {}, 261_360),
        ("seedance-1-5-pro-251215", {"extra": {"generate_audio": True}}, 261_360),
        ("seedance-1-5-pro-251215", {"extra": {"generate_audio": False}}, 130_680),
        ("dreamina-seedance-2-0-260128", {}, 762_300),
        ("dreamina-seedance-2-0-260128", {"extra": {"generate_audio": False}}, 762_300),
        ("dreamina-seedance-2-5-260628", {"duration_seconds": 30}, 6_943_230),
    ],
)
def test_seedance_counts_tokens_of_which_silent_ones_can_be_cheaper(
    model: str, params: dict[str, Any], price: int
) -> None:
    assert planned(model=model, params=params).price == price


def test_five_seconds_of_720p_are_108900_tokens() -> None:
    assert PerToken(micros=1_000_000).of(5, 1280, 720, silent=False) == 108_900


@pytest.mark.parametrize(
    ("tokens", "bill"), [(0, 0), (1, 1), (333_333, 1), (333_334, 2), (1_000_000, 3), (1_000_001, 4)]
)
def test_a_part_of_a_micro_dollar_is_a_whole_one(tokens: int, bill: int) -> None:
    assert PerToken(micros=3).bill(tokens, silent=False) == bill


@given(st.integers(0, 10**9), micros, st.none() | micros, st.booleans())
def test_tokens_are_never_billed_below_their_price_nor_a_micro_dollar_above(
    tokens: int, price: int, silent_price: int | None, silent: bool
) -> None:
    billed = PerToken(micros=price, silent_micros=silent_price).bill(tokens, silent=silent)
    each = silent_price if silent and silent_price is not None else price
    assert Fraction(tokens * each, 1_000_000) <= billed < Fraction(tokens * each, 1_000_000) + 1


def test_silence_that_costs_nothing_is_not_taken_for_silence_without_a_price() -> None:
    assert PerToken(micros=100, silent_micros=0).bill(1_000_000, silent=True) == 0


@given(prices, seconds_of_video, sides, sides, st.booleans())
def test_no_price_is_negative(price: Price, seconds: int, width: int, height: int, silent: bool) -> None:
    asked = price.of(seconds, width, height, silent=silent)
    assert isinstance(asked, int)
    assert asked >= 0


@given(prices, seconds_of_video, sides, sides, st.integers(0, 10), st.integers(0, 500), st.booleans())
def test_more_video_never_costs_less(
    price: Price, seconds: int, width: int, height: int, longer: int, larger: int, silent: bool
) -> None:
    less = price.of(seconds, width, height, silent=silent)
    assert price.of(seconds + longer, width + larger, height + larger, silent=silent) >= less


@given(prices)
def test_a_price_is_recognised_by_its_unit(price: Price) -> None:
    adapter: TypeAdapter[Price] = TypeAdapter(Price)
    assert adapter.validate_json(adapter.dump_json(price)) == price
    assert price.unit in {"second", "video", "million_tokens"}


def test_a_resolution_can_have_a_price_of_its_own_and_silence_in_it() -> None:
    price = PerSecond(
        micros=100_000,
        silent_micros=80_000,
        rates=(
            Rate(resolution="1080p", micros=300_000),
            Rate(resolution="480p", micros=50_000, silent_micros=0),
        ),
    )

    def of(resolution: str | None, *, silent: bool = False) -> int:
        return price.of(2, 1, 1, silent=silent, resolution=resolution)

    assert (of("720p"), of("720p", silent=True)) == (200_000, 160_000)
    assert (of("1080p"), of("1080p", silent=True)) == (600_000, 600_000), "it has no other price for silence"
    assert (of("480p"), of("480p", silent=True)) == (100_000, 0)
    assert of(None) == 600_000, "where it is not known, never less than it will be"


@pytest.mark.parametrize(
    ("resolution", "price"), [("480p", 354_466), ("720p", 762_300), ("1080p", 1_715_175), ("4k", 6_860_700)]
)
def test_a_token_of_seedance_2_costs_the_same_at_every_size(resolution: str, price: int) -> None:
    assert planned(model="dreamina-seedance-2-0-260128", params={"resolution": resolution}).price == price


@pytest.mark.parametrize(
    ("seconds", "price"), [(1, 560_000), (4, 560_000), (5, 630_000), (6, 750_000)], ids=str
)
def test_whole_credits_are_billed_and_a_least_amount(seconds: int, price: int) -> None:
    listed = PerSecond(micros=125_000, least=555_000, step=10_000)
    assert listed.of(seconds, 1280, 720, silent=False) == price
    assert listed.meter(silent=False).of(seconds) == price


def test_tokens_and_clips_are_billed_in_whole_credits_too() -> None:
    assert PerToken(micros=1_000_000, step=10_000).bill(108_900, silent=False) == 110_000
    assert PerToken(micros=1_000_000, least=200_000).bill(108_900, silent=False) == 200_000
    assert PerVideo(micros=1, least=5, step=10).of(4, 1, 1, silent=False) == 10


def test_what_runway_bills_are_whole_credits() -> None:
    for model in RUNWAY.models:
        assert {capability.price.step for capability in model.capabilities} == {10_000}


@pytest.mark.parametrize("amount", ["micros", "silent_micros", "least"])
def test_no_price_can_be_written_below_zero(amount: str) -> None:
    with pytest.raises(ValidationError):
        PerSecond.model_validate({"micros": 1} | {amount: -1})
    with pytest.raises(ValidationError):
        PerSecond(micros=1, step=0)
