"""Ids are made in one form, sort by time, and no other text passes for one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import attempt_ref, generation_of, is_attempt_ref, is_generation_id, new_generation_id

GOOD = "gen_01jdb2v8gqkx3n5m7p9rstvwyz"


def test_a_new_id_is_recognised_and_is_nobody_elses() -> None:
    made = [new_generation_id() for _ in range(1000)]
    assert all(is_generation_id(one) for one in made)
    assert len(set(made)) == 1000
    assert {len(one) for one in made} == {30}


def test_a_later_id_sorts_after_an_earlier_one() -> None:
    earlier = new_generation_id()
    until = time.time_ns() // 1_000_000 + 2
    while time.time_ns() // 1_000_000 < until:
        pass  # the clock of an id ticks in milliseconds
    assert earlier < new_generation_id()


@pytest.mark.parametrize(
    "text",
    [
        *("", "gen_", GOOD[:-1], GOOD + "z", GOOD.upper(), GOOD + "\n", "\n" + GOOD, " " + GOOD),
        *(GOOD.replace("z", letter) for letter in "ilou"),
        *("job_" + GOOD[4:], GOOD.replace("gen_", "gen-"), "../" + GOOD, GOOD[:-1] + "٣"),
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    assert is_generation_id(GOOD)
    assert not is_generation_id(text)


@given(st.text())
def test_only_thirty_plain_characters_can_be_an_id(text: str) -> None:
    assert not is_generation_id(text) or (len(text) == 30 and text.isascii())


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 99), st.integers(1, 99))
def test_two_attempts_never_share_a_reference(take: int, attempt: int, take2: int, attempt2: int) -> None:
    same = attempt_ref(GOOD, take, attempt) == attempt_ref(GOOD, take2, attempt2)
    assert same == ((take, attempt) == (take2, attempt2))
    assert attempt_ref(GOOD, take, attempt) == f"{GOOD}.{take}.{attempt}"
    assert is_attempt_ref(attempt_ref(GOOD, take, attempt))
    assert generation_of(attempt_ref(GOOD, take, attempt)) == GOOD


@pytest.mark.parametrize(
    "text", ["", GOOD, f"{GOOD}.1", f"{GOOD}.1.1.1", f"{GOOD}.1.x", f"{GOOD}.1.1\n", f" {GOOD}.1.1"]
)
def test_anything_else_is_no_reference(text: str) -> None:
    assert not is_attempt_ref(text)
