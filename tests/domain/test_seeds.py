"""Seeds: the user's own is never touched; a drawn one fits the model and differs from attempt to attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders.line_up import LINE_UP
from domain.orders.params import SEED_MAX
from tests.domain.planned import a_model, a_provider, planned, refused
from tests.factories import a_first_frame, a_plan

PICTURE = a_first_frame()
MODELS = [model for facts in LINE_UP for model in facts.models]
any_seed = st.integers(0, SEED_MAX)


@pytest.mark.parametrize(("given_seed", "sent"), [(None, 7), (0, 0), (SEED_MAX, SEED_MAX)])
def test_a_seed_is_drawn_only_where_none_is_given(given_seed: int | None, sent: int) -> None:
    made = planned(model="gen4.5", params={"seed": given_seed}, seed=7)
    assert (made.seed, made.seed_is_given) == (sent, given_seed is not None)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.id))
@given(drawn=st.integers(0, 2**64))
def test_a_drawn_seed_is_always_one_that_the_model_takes(model: object, drawn: int) -> None:
    made = planned(model=model.id, seed=drawn, frame=PICTURE)  # type: ignore[attr-defined] # one of MODELS
    assert made.least_seed <= made.seed <= made.most_seed
    assert all(made.least_seed <= made.seed_of(attempt) <= made.most_seed for attempt in range(1, 11))


@given(st.integers(0, 2**64), st.integers(-5, 5), st.integers(0, 9))
def test_a_narrow_range_holds_every_attempts_seed(drawn: int, least: int, more: int) -> None:
    narrow = a_provider("narrow", a_model(least_seed=least, most_seed=least + more))
    made = planned(at=[narrow], seed=drawn)
    assert {made.seed_of(attempt) for attempt in range(1, 30)} <= set(range(least, least + more + 1))


def test_every_seed_of_a_range_can_be_drawn() -> None:
    narrow = a_provider("narrow", a_model(least_seed=3, most_seed=5))
    assert {planned(at=[narrow], seed=drawn).seed for drawn in range(3)} == {3, 4, 5}


@pytest.mark.parametrize("seed", [0, SEED_MAX])
def test_a_seed_that_the_model_does_not_take_is_refused_with_its_range_and_who_takes_it(seed: int) -> None:
    (problem,) = refused(model="svd", params={"seed": seed}, frame=PICTURE)
    assert (problem.pointer, problem.code) == ("/params/seed", "seed_not_supported")
    assert "svd takes seeds from 1 to 4294967294" in problem.message
    assert problem.served_by == ("runway", "seedance")


@pytest.mark.parametrize("seed", [1, SEED_MAX - 1])
def test_the_ends_of_a_range_are_taken(seed: int) -> None:
    assert planned(model="svd", params={"seed": seed}, frame=PICTURE).seed == seed


@given(any_seed)
def test_the_first_attempt_has_the_plans_seed(seed: int) -> None:
    assert a_plan(seed=seed).seed_of(1) == seed


@given(any_seed, st.integers(1, 1000))
def test_the_users_own_seed_never_changes(seed: int, attempt: int) -> None:
    assert planned(model="gen4.5", params={"seed": seed}).seed_of(attempt) == seed


@given(any_seed)
def test_other_attempts_have_other_seeds_and_always_the_same_ones(seed: int) -> None:
    seeds = [a_plan(seed=seed).seed_of(attempt) for attempt in range(1, 13)]
    assert len(set(seeds)) == 12
    assert seeds == [a_plan(seed=seed).seed_of(attempt) for attempt in range(1, 13)]


def test_the_seeds_of_attempts_are_those_that_earlier_workers_sent() -> None:
    assert [a_plan(seed=7).seed_of(attempt) for attempt in (1, 2, 3)] == [7, 4_287_013_453, 3_212_543_312]
