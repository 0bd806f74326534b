"""A picture is cut to the ratio of the video and never distorted."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders.pictures import BEGINNING_BYTES, fitting, may_be_picture

sides = st.integers(1, 10_000)
sizes = st.tuples(sides, sides)


@given(sizes, sizes)
def test_what_is_kept_has_the_ratio_of_the_target_within_one_pixel(
    source: tuple[int, int], target: tuple[int, int]
) -> None:
    kept_width, kept_height = fitting(source, target).kept
    ratio = Fraction(target[0], target[1])
    assert abs(kept_width - kept_height * ratio) <= 1 or abs(kept_height - kept_width / ratio) <= 1


@given(sizes, sizes)
def test_no_more_is_cut_than_must_be(source: tuple[int, int], target: tuple[int, int]) -> None:
    result = fitting(source, target)
    assert 0 in {result.cut_width, result.cut_height}
    assert min(result.kept) >= 1


@given(sizes, sizes)
def test_the_middle_is_kept(source: tuple[int, int], target: tuple[int, int]) -> None:
    result = fitting(source, target)
    left, top, right, bottom = result.box
    assert (right - left, bottom - top) == result.kept
    assert 0 <= (source[0] - right) - left <= 1
    assert 0 <= (source[1] - bottom) - top <= 1


@given(sizes, st.integers(1, 20), st.integers(1, 20))
def test_nothing_is_cut_where_the_ratios_agree(ratio: tuple[int, int], here: int, there: int) -> None:
    source, target = (ratio[0] * here, ratio[1] * here), (ratio[0] * there, ratio[1] * there)
    result = fitting(source, target)
    assert (result.cut_width, result.cut_height) == (0, 0)
    assert result.scale == pytest.approx(there / here)
    assert (result.describe() == "") == (here == there)


@given(sizes, sizes)
def test_the_scaled_picture_covers_the_target(source: tuple[int, int], target: tuple[int, int]) -> None:
    result = fitting(source, target)
    assert source[0] * result.scale >= target[0] * (1 - 1e-9)
    assert source[1] * result.scale >= target[1] * (1 - 1e-9)


@given(sizes, sizes)
def test_turning_both_turns_the_result(source: tuple[int, int], target: tuple[int, int]) -> None:
    result, turned = fitting(source, target), fitting(source[::-1], target[::-1])
    assert (turned.cut_width, turned.cut_height) == (result.cut_height, result.cut_width)


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        (
            (3000, 2000),
            (1280, 720),
            "scaled from 3000x2000 to 1280x720 and cut by 312 of 2000 pixels at top and bottom",
        ),
        (
            (3000, 2000),
            (720, 1280),
            "scaled from 3000x2000 to 720x1280 and cut by 1875 of 3000 pixels at left and right",
        ),
        ((2560, 1440), (1280, 720), "scaled from 2560x1440 to 1280x720"),
        ((640, 360), (1280, 720), "scaled from 640x360 to 1280x720"),
        ((1280, 800), (1280, 720), "cut by 80 of 800 pixels at top and bottom"),
        ((1280, 720), (1280, 720), ""),
    ],
)
def test_it_is_said_what_happens_to_the_picture(
    source: tuple[int, int], target: tuple[int, int], sentence: str
) -> None:
    assert fitting(source, target).describe() == sentence


@pytest.mark.parametrize(("source", "target"), [((0, 5), (5, 5)), ((5, 5), (5, 0)), ((-1, 5), (5, 5))])
def test_a_picture_without_pixels_fits_nothing(source: tuple[int, int], target: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        fitting(source, target)


@pytest.mark.parametrize(
    "beginning",
    [b"\xff\xd8\xff\xe0\0\x10JFIF\0\1", b"\x89PNG\r\n\x1a\n\0\0\0\r", b"RIFF\x24\0\0\0WEBPVP8 "],
)
def test_a_file_may_be_a_picture_by_what_it_begins_with(beginning: bytes) -> None:
    assert may_be_picture(beginning)
    assert may_be_picture(beginning[:BEGINNING_BYTES])
    assert not may_be_picture(b"x" + beginning)
    assert not may_be_picture(beginning[1:])


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG",
        b"GIF89a" + bytes(6),
        b"RIFF\0\0\0\0WAVE",
        b"<svg xmlns=",
        b"BM" + bytes(10),
    ],
)
def test_what_begins_otherwise_is_none(beginning: bytes) -> None:
    assert not may_be_picture(beginning)
