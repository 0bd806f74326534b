"""Who serves a request, and who goes on: capability, health, price and time, and the caller's word above all."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attempts.routing import (
    ADJUSTMENT_MICROS,
    PLACE_MICROS,
    SECOND_MICROS,
    Health,
    effective_price,
    expected_seconds,
    expected_wait,
    rank,
    route,
)
from domain.orders.line_up import LINE_UP
from domain.orders.planning import Wanted, plans
from domain.orders.plans import Adjustment, Plan
from tests.domain.stories import GOOGLE, ROUTE, RUNWAY, SEEDANCE, a_health, a_queue, broken
from tests.factories import NOW, a_request

SECOND = timedelta(seconds=1)
MOVED = Adjustment(pointer="/params/camera", code="in_words", message="The camera is told in the prompt.")


def ranked(*healths: Health, of: tuple[Plan, ...] = ROUTE) -> list[str]:
    """The accounts in the order in which they are chosen."""
    return [plan.provider for plan in rank(of, {health.account: health for health in healths}, NOW)]


def routed(*healths: Health, **request: Any) -> list[str]:
    """The same for a request at the real line-up."""
    wanted = a_request(**request)
    made = plans(Wanted(request=wanted, seed=7), LINE_UP)
    return [
        plan.provider for plan in route(wanted, made, {health.account: health for health in healths}, NOW)
    ]


def measured(account: str, job_seconds: float) -> Health:
    """An account that takes so long for a job."""
    return a_health(account, job_seconds=job_seconds, is_measured=True)


@pytest.mark.parametrize(
    ("health", "is_open"),
    [
        (a_health(), True),
        (a_health(is_paused=True), False),
        (broken(seconds=1), False),
        (broken(seconds=0), True),
        (broken(seconds=-1), True),
        (a_health(hold_off_until=NOW + SECOND), True),
    ],
)
def test_orders_are_let_through_unless_paused_or_broken(health: Health, is_open: bool) -> None:
    assert health.is_open(NOW) is is_open


@pytest.mark.parametrize(
    ("health", "seconds"),
    [
        (a_health(), 0),
        (a_health(running=2), 0),
        (a_health(running=3), 20),
        (a_health(running=3, waiting=2), 60),
        (a_health(running=2, waiting=1), 20),
        (a_health(running=9), 20),
        (a_health(running=1, waiting=1), 0),
        (a_health(running=3, max_concurrent=1, job_seconds=30), 30),
        (a_health(waiting=2, spacing=10 * SECOND), 20),
        (a_health(running=3, waiting=2, spacing=10 * SECOND), 60),
        (a_health(running=3, waiting=2, spacing=40 * SECOND), 80),
        (a_health(hold_off_until=NOW + 7 * SECOND), 7),
        (a_health(hold_off_until=NOW - 7 * SECOND), 0),
        (a_health(hold_off_until=NOW + 7 * SECOND, running=3), 27),
        (broken(seconds=40), 40),
        (a_health(hold_off_until=NOW + 7 * SECOND, breaker_until=NOW + 5 * SECOND), 7),
    ],
)
def test_a_wait_is_for_free_slots_the_spacing_and_what_is_closed(health: Health, seconds: float) -> None:
    assert expected_wait(health, NOW) == seconds * SECOND


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 20), st.floats(0, 3600))
def test_nobody_waits_less_behind_a_longer_queue(
    running: int, waiting: int, cap: int, job_seconds: float
) -> None:
    told: dict[str, Any] = {
        "running": running,
        "max_concurrent": cap,
        "job_seconds": job_seconds,
        "spacing": SECOND,
    }
    shorter = expected_wait(a_health(waiting=waiting, **told), NOW)
    assert timedelta() <= shorter <= expected_wait(a_health(waiting=waiting + 1, **told), NOW)


def test_the_time_until_a_video_is_made_is_waiting_and_making() -> None:
    assert expected_seconds(RUNWAY, measured("runway", 30), NOW) == 30
    assert expected_seconds(RUNWAY, a_queue("runway", 1), NOW) == 40 + 60


def test_a_guessed_time_grows_with_the_video_and_a_measured_one_is_believed() -> None:
    long = RUNWAY.model_copy(update={"duration_seconds": 10})
    assert expected_seconds(long, a_health("runway"), NOW) == 120
    assert expected_seconds(long, measured("runway", 60), NOW) == 60


def test_the_effective_price_is_money_time_adjustments_and_place() -> None:
    adjusted = RUNWAY.model_copy(update={"adjustments": (MOVED, MOVED)})
    health = measured("runway", 20)
    assert effective_price(RUNWAY, 0, health, NOW) == 600_000 + 20 * SECOND_MICROS
    assert effective_price(adjusted, 3, health, NOW) == (
        600_000 + 20 * SECOND_MICROS + 2 * ADJUSTMENT_MICROS + 3 * 5 * PLACE_MICROS
    )


def test_where_nothing_is_known_the_line_up_counts() -> None:
    assert ranked() == ["runway", "seedance", "google"]
    assert ranked(of=ROUTE[:2][::-1]) == ["seedance", "runway"]


@pytest.mark.parametrize("seconds", [2, 5, 10])
def test_the_first_of_the_line_up_serves_what_all_can_serve_well(seconds: int) -> None:
    assert routed(params={"duration_seconds": seconds}) == ["runway", "seedance"]


@pytest.mark.parametrize(
    "health",
    [
        a_health("runway", is_paused=True),
        broken("runway", 1),
        a_queue("runway", 2),
        measured("runway", 120),
        a_health("runway", hold_off_until=NOW + 60 * SECOND),
        a_health("runway", waiting=8, spacing=5 * SECOND),
    ],
)
def test_the_first_loses_when_it_is_closed_or_slow(health: Health) -> None:
    assert routed(health)[0] == "seedance"


@pytest.mark.parametrize("health", [a_queue("runway"), measured("runway", 80), broken("runway", 0)])
def test_the_first_does_not_lose_for_a_little_time(health: Health) -> None:
    assert routed(health)[0] == "runway"


def test_what_is_changed_for_a_model_speaks_against_it() -> None:
    twice = RUNWAY.model_copy(update={"adjustments": (MOVED, MOVED)})
    assert ranked(of=(twice, SEEDANCE)) == ["seedance", "runway"]
    once = RUNWAY.model_copy(update={"adjustments": (MOVED,)})
    assert ranked(of=(once, SEEDANCE)) == ["runway", "seedance"]


def test_closed_doors_come_last_however_cheap_and_paused_ones_behind_them() -> None:
    assert ranked(broken("seedance", 1), a_health("runway", is_paused=True)) == [
        "google",
        "seedance",
        "runway",
    ]


def test_among_equals_the_order_stays() -> None:
    free = [RUNWAY.model_copy(update={"provider": name, "duration_seconds": 0}) for name in "cab"]
    assert ranked(of=tuple(free)) == ["c", "a", "b"]


@given(
    st.permutations(ROUTE),
    st.lists(
        st.builds(
            a_health,
            st.sampled_from(["runway", "seedance", "google", "nobody"]),
            is_paused=st.booleans(),
            waiting=st.integers(0, 99),
            job_seconds=st.floats(0, 900),
        ),
        max_size=4,
    ),
)
def test_ranking_only_orders(given_plans: list[Plan], healths: list[Health]) -> None:
    known = {health.account: health for health in healths}
    best = rank(given_plans, known, NOW)
    assert sorted(plan.provider for plan in best) == sorted(plan.provider for plan in given_plans)
    doors = [known[plan.provider].is_open(NOW) if plan.provider in known else True for plan in best]
    assert doors == sorted(doors, reverse=True)


def of_three(*healths: Health, **request: Any) -> list[str]:
    """The route of a request that three providers can serve."""
    known = {health.account: health for health in healths}
    return [plan.provider for plan in route(a_request(**request), ROUTE, known, NOW)]


def test_a_named_provider_comes_first_whatever_its_health() -> None:
    paused = a_health("google", is_paused=True)
    assert of_three(paused, provider="google") == ["google", "runway", "seedance"]
    assert of_three(paused, broken("runway"), provider="google") == ["google", "seedance", "runway"]


def test_a_list_keeps_the_callers_order_behind_a_named_provider() -> None:
    listed = (ROUTE[1], ROUTE[2], ROUTE[0])
    wanted = a_request(provider="seedance", fallback_providers=["google", "runway"])
    for healths in ({}, {"google": broken("google")}):
        assert route(wanted, listed, healths, NOW) == listed


@pytest.mark.parametrize(
    ("healths", "listed", "expected"),
    [
        ([], ["google", "seedance"], ["runway", "google", "seedance"]),
        ([], ["google", "runway"], ["runway", "google"]),
        ([broken("runway")], ["google", "runway"], ["seedance", "google", "runway"]),
        ([broken("runway")], ["seedance"], ["seedance"]),
        ([], [], ["runway"]),
        ([broken("runway")], [], ["seedance"]),
        ([], ["nobody"], ["runway"]),
    ],
)
def test_auto_takes_the_best_and_then_only_those_whom_the_caller_lists(
    healths: list[Health], listed: list[str], expected: list[str]
) -> None:
    assert of_three(*healths, fallback_providers=listed) == expected


def test_without_fallbacks_a_named_provider_is_alone() -> None:
    assert of_three(provider="seedance", fallback_providers=[]) == ["seedance"]


def test_a_named_model_stays_with_those_that_have_it_before_any_other() -> None:
    assert of_three(model=GOOGLE.model) == ["google", "runway", "seedance"]
    assert of_three(a_health("google", is_paused=True), model=GOOGLE.model)[0] == "google"
    assert of_three(model=GOOGLE.model, fallback_providers=["seedance"]) == ["google", "seedance"]


def test_the_route_of_a_request_is_made_of_its_plans() -> None:
    assert routed(provider="seedance", fallback_providers=["runway"]) == ["seedance", "runway"]
    assert routed(model="gen4.5") == ["runway", "seedance"]
    assert routed(params={"resolution": "1080p"}) == ["seedance"]
