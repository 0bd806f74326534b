"""A video is what was ordered if its length and its size are near enough; both are said if not."""

import pytest

from storage.files.media import MediaFacts, UnplayableVideo, check_against_order


def facts(*, seconds: float = 5.0, width: int = 1280, height: int = 720) -> MediaFacts:
    return MediaFacts(
        duration_seconds=seconds,
        width=width,
        height=height,
        fps=24,
        codec="h264",
        has_audio=False,
        size_bytes=1,
        frames=120,
    )


@pytest.mark.parametrize(
    ("ordered", "delivered"), [(5, 5.0), (5, 4.25), (5, 5.75), (10, 8.8), (10, 11.2), (1, 0.3), (30, 33.5)]
)
def test_a_length_within_the_tolerance_is_accepted(ordered: float, delivered: float) -> None:
    check_against_order(facts(seconds=delivered), duration_seconds=ordered)


@pytest.mark.parametrize(
    ("ordered", "delivered"), [(5, 4.2), (5, 5.8), (10, 8.7), (10, 11.3), (1, 0.2), (30, 34)]
)
def test_a_wrong_length_is_refused_with_the_numbers(ordered: float, delivered: float) -> None:
    with pytest.raises(UnplayableVideo) as refused:
        check_against_order(facts(seconds=delivered), duration_seconds=ordered)
    assert refused.value.reason == f"The video is {delivered:.2f} s long, {ordered} s were ordered."


def test_an_order_that_names_nothing_accepts_everything() -> None:
    check_against_order(facts(seconds=99, width=2, height=4000))


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1264, 736), (1296, 704)])
def test_a_size_within_a_codec_block_is_accepted(width: int, height: int) -> None:
    check_against_order(facts(width=width, height=height), width=1280, height=720)


@pytest.mark.parametrize(("width", "height"), [(1263, 720), (1280, 737), (720, 1280), (1920, 1080)])
def test_a_wrong_size_is_refused_with_the_numbers(width: int, height: int) -> None:
    with pytest.raises(UnplayableVideo, match=f"{width}x{height} pixels, 1280x720 were ordered"):
        check_against_order(facts(width=width, height=height), width=1280, height=720)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (864, 480), (848, 480)])
def test_a_size_of_the_providers_choice_needs_the_ordered_ratio(width: int, height: int) -> None:
    check_against_order(facts(width=width, height=height), width=16, height=9, exact_size=False)


@pytest.mark.parametrize(("width", "height"), [(720, 1280), (1280, 1280), (1280, 700), (1280, 740)])
def test_a_wrong_ratio_is_refused_with_the_numbers(width: int, height: int) -> None:
    with pytest.raises(UnplayableVideo, match=f"{width}x{height} pixels, which is not .* ratio of 16:9"):
        check_against_order(facts(width=width, height=height), width=16, height=9, exact_size=False)


def test_all_differences_are_said() -> None:
    with pytest.raises(UnplayableVideo) as refused:
        check_against_order(facts(), duration_seconds=10, width=720, height=1280)
    assert "10 s were ordered" in refused.value.reason
    assert "720x1280 were ordered" in refused.value.reason
