"""The limits of a video's params, each told at its own field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.params import SEED_MAX, Params, pixels_of, ratio_of
from tests.domain.refusals import refused_params
from tests.factories import a_request

NOT_WHOLE_NUMBERS: list[object] = ["5", 5.0, True, [5], {}, b"5"]


@given(st.integers(1, 30))
def test_one_to_thirty_seconds_can_be_asked_for(seconds: int) -> None:
    assert a_request(params={"duration_seconds": seconds}).params.duration_seconds == seconds


@pytest.mark.parametrize("seconds", [-1, 0, 31, 10**30, *NOT_WHOLE_NUMBERS])
def test_any_other_duration_is_refused(seconds: object) -> None:
    assert refused_params(duration_seconds=seconds) == {"params.duration_seconds"}


@given(st.integers(0, SEED_MAX))
def test_a_seed_of_32_bits_is_taken(seed: int) -> None:
    assert a_request(params={"seed": seed}).params.seed == seed


@pytest.mark.parametrize("seed", [-1, SEED_MAX + 1, *NOT_WHOLE_NUMBERS])
def test_any_other_seed_is_refused(seed: object) -> None:
    assert refused_params(seed=seed) == {"params.seed"}


@pytest.mark.parametrize("resolution", ["480p", "720p", "1080p", "4k", "256x256", "2048x2048", "1280x720"])
def test_a_resolution_is_a_name_or_pixels_within_bounds(resolution: str) -> None:
    assert a_request(params={"resolution": resolution}).params.resolution == resolution


@pytest.mark.parametrize(
    "resolution",
    [
        *(
            "",
            "720",
            "720P",
            "4K",
            "8k",
            "1280\u00d7720",
            "1280x720 ",
            " 1280x720",
            "1280x720\n",
            "-1280x720",
        ),
        *("255x720", "1280x255", "2049x720", "720x2049", "0x0", "100000x720", "1280x", "x", "1280.0x720"),
        *("١٢٨٠x٧٢٠", 720, 720.0, True, ["720p"]),  # noqa: RUF001 - digits of another script are meant
    ],
)
def test_any_other_resolution_is_refused(resolution: object) -> None:
    assert refused_params(resolution=resolution) == {"params.resolution"}


@given(st.integers(0, 99_999), st.integers(0, 99_999))
def test_pixels_are_taken_exactly_where_both_sides_are_within_bounds(width: int, height: int) -> None:
    resolution = f"{width}x{height}"
    fits = 256 <= width <= 2048 and 256 <= height <= 2048
    if fits:
        assert pixels_of(Params(resolution=resolution).resolution) == (width, height)
    else:
        assert refused_params(resolution=resolution) == {"params.resolution"}


@pytest.mark.parametrize("ratio", ["16:9", "9:16", "1:1", "21:9", "239:100"])
def test_an_aspect_ratio_is_two_whole_numbers(ratio: str) -> None:
    assert a_request(params={"aspect_ratio": ratio}).params.aspect_ratio == ratio


@pytest.mark.parametrize(
    "ratio",
    [
        *("", "16", "16:", ":9", "16/9", "16x9", "0:9", "16:0", "0:0", "-16:9", "1.78:1", "16:9 ", "99999:1"),
        *("١٦:٩", 1.78, 16, True),
    ],
)
def test_any_other_aspect_ratio_is_refused(ratio: object) -> None:
    assert refused_params(aspect_ratio=ratio) == {"params.aspect_ratio"}


@given(st.integers(256, 2048), st.integers(256, 2048), st.integers(1, 64), st.integers(1, 64))
def test_pixels_and_a_ratio_are_taken_together_exactly_where_they_agree(
    width: int, height: int, across: int, down: int
) -> None:
    both = {"resolution": f"{width}x{height}", "aspect_ratio": f"{across}:{down}"}
    if abs(width / height - across / down) <= 0.02 * across / down:
        assert ratio_of(a_request(params=both).params.aspect_ratio) == (across, down)
    else:
        assert refused_params(**both) == {"params"}


@given(st.integers(16, 128), st.sampled_from([(16, 9), (9, 16), (1, 1), (4, 3)]))
def test_every_multiple_of_a_ratio_agrees_with_it(times: int, ratio: tuple[int, int]) -> None:
    width, height = ratio[0] * times, ratio[1] * times
    if min(width, height) >= 256 and max(width, height) <= 2048:
        a_request(params={"resolution": f"{width}x{height}", "aspect_ratio": f"{ratio[0]}:{ratio[1]}"})


def test_a_contradiction_says_both_sides() -> None:
    with pytest.raises(ValidationError, match="1280x720 contradicts aspect_ratio 1:1"):
        Params(resolution="1280x720", aspect_ratio="1:1")


def test_a_named_resolution_agrees_with_any_ratio() -> None:
    assert a_request(params={"resolution": "720p", "aspect_ratio": "9:16"}).params.resolution == "720p"


@pytest.mark.parametrize("field", ["duration", "Seed", "image", "fps", "__class__"])
def test_an_unknown_param_is_refused_by_its_name(field: str) -> None:
    assert refused_params(**{field: 5}) == {f"params.{field}"}
