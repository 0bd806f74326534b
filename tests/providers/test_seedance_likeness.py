"""How much a listed task looks like an order: each rule for itself, and against all others."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.orders.params import SEED_MAX
from providers.seedance.search import Likeness, likeness
from tests.providers.orders import REFERENCE
from tests.providers.seedance_lists import NOW, listed
from tests.providers.seedance_orders import PRO, SEED, SENT_AT, TWO, a_seedance_order
from tests.providers.test_seedance_find import ANOTHER_OF_OURS, NO_REFERENCE
from tests.providers.test_seedance_status import json_values

NONE, UNCLEAR, FINGERPRINT = Likeness.NONE, Likeness.UNCLEAR, Likeness.FINGERPRINT

# One thing after the other that says the task is another one, or that does not say whether it is ours.
_DOUBTS: list[list[dict[str, Any]]] = [
    [{}, {"model": TWO}, {"model": None}],
    [{}, {"created_at": NOW - 3601}, {"created_at": None}],
    [{}, {"duration": 6}, {"resolution": "480p"}, {"ratio": "1:1"}],
    [{}, *({"safety_identifier": text} for text in NO_REFERENCE[1:2])],
]
DOUBTFUL = [dict(itertools.chain(*(one.items() for one in many))) for many in itertools.product(*_DOUBTS)]
EXCLUDING = ("created_at", "duration", "resolution", "ratio")


def alike(changes: dict[str, Any], *, seed_is_given: bool = False) -> Likeness:
    return likeness(listed(**changes), a_seedance_order(seed_is_given=seed_is_given), SENT_AT)


def is_doubt(changes: dict[str, Any]) -> bool:
    return any(name != "safety_identifier" for name in changes)


@pytest.mark.parametrize("changes", DOUBTFUL)
def test_a_task_with_the_seed_that_we_drew_is_never_excluded(changes: dict[str, Any]) -> None:
    assert alike(changes) is (UNCLEAR if is_doubt(changes) else FINGERPRINT)


@pytest.mark.parametrize("changes", DOUBTFUL)
def test_a_task_with_another_reference_of_ours_is_always_excluded(changes: dict[str, Any]) -> None:
    for reference in ANOTHER_OF_OURS:
        task = changes | {"safety_identifier": reference}
        assert alike(task) is alike(task, seed_is_given=True) is alike({"seed": None} | task) is NONE


@pytest.mark.parametrize("changes", DOUBTFUL)
def test_a_task_with_another_seed_is_always_excluded(changes: dict[str, Any]) -> None:
    for seed in (0, 1, SEED - 1, SEED + 1, SEED_MAX):
        assert alike(changes | {"seed": seed}) is NONE
        assert alike(changes | {"seed": seed}, seed_is_given=True) is NONE


@pytest.mark.parametrize("changes", DOUBTFUL)
def test_without_a_seed_of_our_own_only_age_length_and_size_exclude(changes: dict[str, Any]) -> None:
    is_other = any(changes.get(name) is not None for name in EXCLUDING)
    expected = NONE if is_other else UNCLEAR
    assert alike(changes, seed_is_given=True) is expected
    for seed in (None, -1, "x", True, float(SEED), -2, SEED_MAX + 1):
        assert alike({"seed": seed} | changes) is expected
        assert alike({"seed": seed} | changes, seed_is_given=True) is expected


@pytest.mark.parametrize("changes", DOUBTFUL)
def test_a_task_with_our_reference_is_ours(changes: dict[str, Any]) -> None:
    for seed, seed_is_given in itertools.product((None, SEED, SEED + 1), (False, True)):
        task = {"seed": seed} | changes | {"safety_identifier": REFERENCE}
        assert alike(task, seed_is_given=seed_is_given) is Likeness.REFERENCE


@settings(max_examples=300, deadline=None, database=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.just(PRO) | json_values,
            **dict.fromkeys(["created_at", "duration", "resolution", "ratio", "status"], json_values),
            "safety_identifier": st.sampled_from(NO_REFERENCE) | json_values,
        },
    )
)
def test_whatever_is_said_of_a_task_with_the_seed_that_we_drew_it_is_never_excluded(
    item: dict[str, Any],
) -> None:
    order = a_seedance_order()
    assert likeness(item | {"seed": order.seed}, order, SENT_AT) is not NONE
