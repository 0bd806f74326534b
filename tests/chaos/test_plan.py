"""What a chaos run draws from its seed: the same for the same seed, and of everything enough."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failpoints import Point
from tests.chaos.plan import AT_LEAST, PROVIDERS, SORTS, Cancel, Kill, Pause, Regenerate, Sort, Victim, draw


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert draw(200, 30, 5) == draw(200, 30, 5)
    assert draw(200, 30, 5) != draw(200, 30, 6)


@given(generations=st.integers(1, 300), kills=st.integers(1, 60), seed=st.integers())
@settings(deadline=None)
def test_all_orders_and_all_kills_are_in_it_once(generations: int, kills: int, seed: int) -> None:
    plan = draw(generations, kills, seed)
    assert [order.number for order in plan.orders] == list(range(1, generations + 1))
    assert sorted(kill.number for kill in plan.kills) == list(range(1, kills + 1))
    assert any(isinstance(each.act, Pause) for each in plan.rounds)


@given(seed=st.integers())
@settings(deadline=None)
def test_thirty_kills_hit_every_named_point_and_temporal_at_least_three_times(seed: int) -> None:
    hit = Counter(kill.sort for kill in draw(200, 30, seed).kills)
    assert min(hit[sort] for sort in SORTS) >= AT_LEAST


def test_the_points_are_those_that_the_design_names() -> None:
    assert {sort.point for sort in SORTS if sort.victim is Victim.WORKER} == {
        Point.BEFORE_SEND,
        Point.AFTER_SEND,
        Point.ANSWERED,
        Point.WATCHING,
        Point.STORING,
        Point.BEFORE_COMMIT,
    }
    assert {sort.point for sort in SORTS if sort.victim is Victim.API} == {
        Point.WISH_BEFORE_COMMIT,
        Point.WISH_AFTER_COMMIT,
    }
    assert Sort(Victim.TEMPORAL) in SORTS


@given(kills=st.integers(3, 60), seed=st.integers())
@settings(deadline=None)
def test_even_a_few_kills_hit_the_worker_the_api_and_temporal(kills: int, seed: int) -> None:
    assert {kill.sort.victim for kill in draw(12, kills, seed).kills} == set(Victim)


@given(seed=st.integers())
@settings(deadline=None)
def test_an_api_is_killed_while_its_own_tenant_orders_something(seed: int) -> None:
    for each in draw(200, 30, seed).rounds:
        if isinstance(each.act, Kill) and each.act.sort.victim is Victim.API:
            assert each.act.tenant in {order.tenant for order in each.orders}


@given(seed=st.integers())
@settings(deadline=None)
def test_twelve_orders_have_every_provider(seed: int) -> None:
    assert {order.provider for order in draw(12, 3, seed).orders} == set(PROVIDERS)


@pytest.mark.parametrize("seed", range(3))
def test_a_long_run_has_users_of_every_kind(seed: int) -> None:
    orders = draw(200, 30, seed).orders
    assert {order.tenant for order in orders} == {"amber", "birch"}
    assert {order.priority for order in orders} == {"urgent", "high", "normal", "low"}
    assert {order.may_fall_back for order in orders} == {True, False}
    assert {order.on_unknown for order in orders} == {None, "hold", "resubmit"}
    assert {order.repeats for order in orders} == {0, 1, 2}
    kinds = {type(order.then) for order in orders}
    assert kinds == {type(None), Cancel, Regenerate}
    replaced = {
        order.then.replace_after_seconds is None for order in orders if isinstance(order.then, Regenerate)
    }
    assert replaced == {True, False}


@given(seed=st.integers())
@settings(deadline=None)
def test_no_fault_says_that_nothing_was_created_where_something_was(seed: int) -> None:
    faults = [fault for each in draw(200, 30, seed).rounds for fault in each.faults]
    assert {fault.fault for fault in faults if fault.fault.startswith("create_then")} <= {
        "create_then_status:500"
    }
