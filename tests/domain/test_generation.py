"""A generation and its takes: what is over, and what it all costs."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.attempts.outcomes import AttemptState
from domain.generation import Attempt, Cost, Generation
from domain.status import TERMINAL, Status
from tests.factories import NOW, a_generation, a_take

PRICE = 600_000
RUNNING = set(Status) - TERMINAL


def an_attempt(state: AttemptState, **changes: Any) -> Attempt:
    told: dict[str, Any] = {
        "ref": "ref",
        "number": 1,
        "provider": "runway",
        "account": "runway",
        "model": "gen4.5",
        "state": state,
        "job_id": None,
        "failure": None,
        "cost": Cost(),
        "started_at": NOW,
        "ended_at": None,
    }
    return Attempt.model_validate(told | changes)


@given(st.lists(st.sampled_from(Status), min_size=1, max_size=5))
def test_a_generation_is_over_when_all_its_takes_are(statuses: list[Status]) -> None:
    generation = a_generation(*(a_take(status=status) for status in statuses))
    assert generation.is_over is (not RUNNING.intersection(statuses))


def test_a_replaced_take_may_be_the_last_to_end() -> None:
    replaced, newest = a_take(status=Status.PROCESSING, superseded_by=2), a_take(status=Status.COMPLETED)
    generation = a_generation(replaced, newest)
    assert generation.status.is_terminal
    assert not generation.is_over


def test_the_newest_take_is_the_one_that_is_shown() -> None:
    generation = a_generation(*(a_take() for _ in range(3)))
    assert generation.current.number == 3
    assert [generation.take(number).number for number in (1, 2, 3)] == [1, 2, 3]


def test_what_is_held_for_a_first_attempt_counts_as_reserved() -> None:
    assert a_take(status=Status.PENDING, reserved=PRICE).cost == Cost(reserved=PRICE)
    assert a_take(status=Status.PENDING).cost == Cost()


def test_a_take_costs_what_all_its_attempts_do() -> None:
    attempts = tuple(
        an_attempt(AttemptState.ACCEPTED, cost=cost)
        for cost in (Cost(reserved=1), Cost(settled=2), Cost(at_risk=3))
    )
    assert a_take(status=Status.PROCESSING, attempts=attempts).cost == Cost(reserved=1, settled=2, at_risk=3)


def test_a_generation_costs_what_all_its_takes_do() -> None:
    made = an_attempt(AttemptState.ACCEPTED, cost=Cost(settled=5))
    lost = an_attempt(AttemptState.UNKNOWN, cost=Cost(at_risk=7))
    generation: Generation = a_generation(
        a_take(status=Status.COMPLETED, attempts=(lost, made)), a_take(status=Status.PENDING, reserved=PRICE)
    )
    assert generation.cost == Cost(reserved=PRICE, settled=5, at_risk=7)
