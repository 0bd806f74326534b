"""A writer's position as one integer: it sorts like what it stands for."""

from hypothesis import given
from hypothesis import strategies as st

from domain.status import Position, Step

within_bounds = st.builds(
    Position,
    take=st.integers(1, 0xFFFF),
    attempt=st.integers(0, 0xFFF),
    step=st.sampled_from(Step),
    activity_attempt=st.integers(1, 0xFFFFFF),
)
of_few = st.builds(
    Position,
    take=st.integers(1, 2),
    attempt=st.integers(0, 2),
    step=st.sampled_from(Step),
    activity_attempt=st.integers(1, 2),
)
any_size = st.builds(
    Position,
    take=st.integers(0, 2**70),
    attempt=st.integers(0, 2**70),
    step=st.sampled_from(Step),
    activity_attempt=st.integers(0, 2**70),
)


def parts(position: Position) -> tuple[int, int, int, int]:
    return position.take, position.attempt, int(position.step), position.activity_attempt


@given(within_bounds | of_few, within_bounds | of_few)
def test_positions_sort_like_their_parts(one: Position, other: Position) -> None:
    assert (one.as_int() < other.as_int()) == (parts(one) < parts(other))
    assert (one.as_int() == other.as_int()) == (parts(one) == parts(other))


@given(any_size)
def test_any_position_fits_a_signed_64_bit_column(position: Position) -> None:
    assert 0 <= position.as_int() < 2**63


@given(any_size)
def test_a_huge_part_never_spills_into_the_one_before_it(position: Position) -> None:
    assert position.as_int() >> 40 == min(position.take, 0xFFFF)
    assert position.as_int() >> 24 & 0xF == position.step
