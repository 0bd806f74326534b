"""The table of moves: nothing changes a status but what it says."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.status import TERMINAL, Move, MoveRefused, Status, after, allowed_from

# Written down from the design, independently of the code.
ALLOWED = {
    ("pending", "begin"): "processing",
    ("pending", "fail"): "failed",
    ("pending", "cancel"): "cancelled",
    ("processing", "begin"): "processing",
    ("processing", "complete"): "completed",
    ("processing", "fail"): "failed",
    ("processing", "cancel"): "cancelled",
    ("pending", "replace"): "pending",
    ("processing", "replace"): "pending",
    ("completed", "regenerate"): "pending",
    ("failed", "regenerate"): "pending",
    ("cancelled", "regenerate"): "pending",
    ("failed", "late_success"): "completed",
}
EVERY_PAIR = list(itertools.product(Status, Move))


@pytest.mark.parametrize(("status", "move"), EVERY_PAIR)
def test_a_move_leads_where_the_design_says_or_is_refused(status: Status, move: Move) -> None:
    wanted = ALLOWED.get((status.value, move.value))
    if wanted is not None:
        assert after(status, move) is Status(wanted)
        return
    with pytest.raises(MoveRefused) as refused:
        after(status, move)
    assert (refused.value.status, refused.value.move) == (status, move)
    assert str(refused.value) == f"a {status} generation cannot {move}"


@pytest.mark.parametrize("move", Move)
def test_the_statuses_that_allow_a_move_are_those_from_which_it_succeeds(move: Move) -> None:
    assert {status.value for status in allowed_from(move)} == {one for one, way in ALLOWED if way == move}


def test_only_two_doors_lead_out_of_an_ended_generation() -> None:
    doors = {move for status, move in EVERY_PAIR if status.is_terminal and status in allowed_from(move)}
    assert doors == {Move.REGENERATE, Move.LATE_SUCCESS}
    assert allowed_from(Move.LATE_SUCCESS) == {Status.FAILED}


def test_completed_failed_and_cancelled_are_ends_and_nothing_else_is() -> None:
    assert {status for status in Status if status.is_terminal} == TERMINAL
    assert {"completed", "failed", "cancelled"} == TERMINAL


@given(st.lists(st.sampled_from(Move), max_size=40))
def test_a_random_walk_never_leaves_the_table(moves: list[Move]) -> None:
    status = Status.PENDING
    for move in moves:
        before = status
        try:
            status = after(status, move)
        except MoveRefused:
            assert (before.value, move.value) not in ALLOWED
            continue
        assert ALLOWED[before.value, move.value] == status.value


@given(st.lists(st.sampled_from([move for move in Move if move is not Move.REGENERATE]), max_size=20))
def test_without_a_new_take_a_completed_generation_stays_completed(moves: list[Move]) -> None:
    for move in moves:
        with pytest.raises(MoveRefused):
            after(Status.COMPLETED, move)


def test_a_take_is_replaced_while_it_runs_and_followed_once_it_is_over() -> None:
    assert allowed_from(Move.REPLACE) | allowed_from(Move.REGENERATE) == set(Status)
    assert allowed_from(Move.REPLACE) == set(Status) - TERMINAL
    assert allowed_from(Move.REGENERATE) == TERMINAL
