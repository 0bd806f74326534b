"""The ceiling that a user sets: nothing dearer is ordered, and what would be enough is named to the last digit."""

import pytest

from tests.domain.planned import planned, refused
from tests.factories import a_first_frame

PICTURE = a_first_frame()


@pytest.mark.parametrize("ceiling", ["0.60", "0.600000", "100"])
def test_a_ceiling_that_is_just_enough_is_enough(ceiling: str) -> None:
    assert planned(provider="runway", max_cost_usd=ceiling).price == 600_000


@pytest.mark.parametrize("ceiling", ["0.599999", "0.000001"])
def test_a_price_over_the_ceiling_is_refused_and_named(ceiling: str) -> None:
    (problem,) = refused(provider="runway", max_cost_usd=ceiling)
    assert (problem.pointer, problem.code) == ("/max_cost_usd", "over_max_cost")
    assert problem.message == "gen4.5 asks 0.60 US dollars for 5 seconds"


def test_the_price_that_is_named_is_a_ceiling_that_is_enough() -> None:
    (problem,) = refused(provider="seedance", max_cost_usd="0.01")
    assert problem.message == "seedance-1-0-pro-250528 asks 0.259545 US dollars for 5 seconds"
    assert planned(provider="seedance", max_cost_usd="0.259545").price == 259_545


def test_a_ceiling_chooses_what_it_can_pay() -> None:
    assert planned(max_cost_usd="0.30").provider == "seedance"
    assert planned(provider="runway", max_cost_usd="0.30", frame=PICTURE).model == "gen4_turbo"


def test_a_ceiling_is_not_spoken_of_where_something_else_is_wrong() -> None:
    problems = refused(provider="runway", max_cost_usd="0.01", params={"resolution": "4k"})
    assert [problem.code for problem in problems] == ["resolution_not_supported"]
