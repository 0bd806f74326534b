"""An order is let in exactly where it fits into every limit; days and months are those of UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.generation import Cost
from domain.people.quota_words import notice, quota_json, refusal
from domain.people.quotas import (
    Allowance,
    Allowed,
    Ask,
    Gauge,
    LimitKind,
    Refused,
    Spent,
    Usage,
    Whose,
    decide,
    gauges,
    next_day,
    next_month,
    resets_at,
    room,
    this_month,
)

NOW = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
EPOCH = datetime(1990, 1, 1, tzinfo=UTC)
DOLLAR = 1_000_000

moments = st.integers(0, 100 * 366 * 86_400_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
a_gauge = st.builds(
    Gauge,
    kind=st.sampled_from(LimitKind),
    whose=st.sampled_from(Whose),
    limit=st.integers(0, 20),
    used=st.integers(0, 25),
    resets_at=st.none() | moments,
)
an_ask = st.builds(Ask, price=st.integers(0, 25), joins=st.booleans())


def gauge(
    kind: LimitKind = LimitKind.DAILY_BUDGET,
    *,
    limit: int = 10 * DOLLAR,
    used: int = 0,
    whose: Whose = Whose.TENANT,
) -> Gauge:
    return Gauge(kind=kind, whose=whose, limit=limit, used=used, resets_at=resets_at(kind, NOW))


def refused(*there: Gauge, price: int = DOLLAR) -> Refused:
    decision = decide(there, Ask(price=price))
    assert isinstance(decision, Refused)
    return decision


def allowed(*there: Gauge, price: int = DOLLAR, joins: bool = True) -> Allowed:
    decision = decide(there, Ask(price=price, joins=joins))
    assert isinstance(decision, Allowed)
    return decision


@given(st.lists(a_gauge, max_size=8), an_ask)
def test_an_order_is_let_in_exactly_where_nothing_that_it_needs_is_exceeded(
    there: list[Gauge], ask: Ask
) -> None:
    overruns = [one for one in there if ask.of(one.kind) and one.used + ask.of(one.kind) > one.limit]
    decision = decide(there, ask)
    assert isinstance(decision, Refused) == bool(overruns)
    if isinstance(decision, Refused):
        assert decision.gauge in overruns
        assert decision.needed == ask.of(decision.gauge.kind)


@given(st.integers(1, 40 * DOLLAR), st.lists(st.integers(0, 5 * DOLLAR), max_size=40))
def test_no_row_of_orders_overruns_a_budget_and_the_first_notice_is_told_once(
    limit: int, prices: list[int]
) -> None:
    stands, notices = gauge(limit=limit), 0
    for price in prices:
        decision = decide([stands], Ask(price=price))
        if isinstance(decision, Allowed):
            stands = stands.plus(price)
            notices += len(decision.notices)
            assert all(one == stands for one in decision.notices)
    assert stands.used <= limit
    assert notices == (stands.used * 5 >= limit * 4)


@given(st.lists(a_gauge, max_size=8), an_ask, st.integers(1, 20))
def test_whoever_asks_for_less_is_let_in_too(there: list[Gauge], ask: Ask, less: int) -> None:
    if isinstance(decide(there, ask), Allowed):
        smaller = ask.model_copy(update={"price": max(ask.price - less, 0)})
        assert isinstance(decide(there, smaller), Allowed)


@given(st.lists(a_gauge, max_size=8))
def test_just_as_much_money_fits_as_there_is_room(there: list[Gauge]) -> None:
    budgets = [one for one in there if one.kind.is_money]
    left = room(there)
    if left is None:
        assert not budgets
        return
    assert isinstance(decide(budgets, Ask(price=left)), Allowed)
    assert isinstance(decide(budgets, Ask(price=left + 1)), Refused)


@given(moments, st.integers(-14, 14))
def test_days_and_months_are_those_of_utc_wherever_the_clock_stands(moment: datetime, hours: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    day, month = next_day(elsewhere), next_month(elsewhere)
    assert moment < day <= moment + timedelta(days=1)
    assert (day.hour, day.minute, day.second, day.microsecond) == (0, 0, 0, 0)
    assert moment < month <= moment + timedelta(days=31)
    assert month.day == 1
    assert next_month(this_month(moment)) == month
    assert this_month(moment) <= moment


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_month_ends_with_its_last_day(moment: datetime, month: datetime) -> None:
    assert next_month(moment) == month


def test_a_budget_counts_everything_that_may_be_owed() -> None:
    spent = Spent(orders=3, cost=Cost(reserved=1, settled=20, at_risk=300))
    used = Usage(today=spent, month=Spent(orders=9, cost=Cost(settled=4000)), in_flight=7)
    allowance = Allowance(daily_generations=1, daily_budget=2, monthly_budget=3, in_flight=4)
    there = gauges(Whose.USER, allowance, used, NOW)
    assert [(one.kind.value, one.limit, one.used) for one in there] == [
        ("daily_generations", 1, 3),
        ("daily_budget", 2, 321),
        ("monthly_budget", 3, 4000),
        ("in_flight", 4, 7),
    ]
    assert [one.resets_at and one.resets_at.day for one in there] == [24, 24, 1, None]
    assert gauges(Whose.USER, Allowance(), used, NOW) == ()


def test_the_last_order_may_use_a_budget_to_the_micro_dollar() -> None:
    allowed(gauge(used=9 * DOLLAR))
    refused(gauge(used=9 * DOLLAR + 1))


def test_a_free_video_passes_an_empty_budget_but_not_a_full_count() -> None:
    allowed(gauge(limit=0, used=DOLLAR), price=0)
    refused(gauge(LimitKind.DAILY_GENERATIONS, limit=2, used=2), price=0)


def test_who_replaces_a_running_take_adds_nothing_to_what_is_under_way() -> None:
    full = gauge(LimitKind.IN_FLIGHT, limit=2, used=2)
    refused(full)
    allowed(full, joins=False)


def test_of_several_refusals_the_one_that_lasts_longest_is_told() -> None:
    full = {kind: gauge(kind, limit=1, used=1) for kind in LimitKind}
    assert refused(*full.values()).gauge.kind is LimitKind.MONTHLY_BUDGET
    del full[LimitKind.MONTHLY_BUDGET]
    assert refused(*full.values()).gauge.resets_at == next_day(NOW)
    assert refused(full[LimitKind.IN_FLIGHT]).gauge.resets_at is None


def test_waiting_does_not_help_who_asks_for_more_than_a_whole_budget() -> None:
    assert refused(gauge(used=10 * DOLLAR)).fits_later
    assert not refused(gauge(), price=11 * DOLLAR).fits_later


def test_the_order_that_fills_a_limit_to_four_fifths_is_told_so_and_no_other() -> None:
    assert not allowed(gauge(used=6 * DOLLAR)).notices
    assert [one.used for one in allowed(gauge(used=7 * DOLLAR)).notices] == [8 * DOLLAR]
    assert not allowed(gauge(used=8 * DOLLAR)).notices
    both = allowed(gauge(used=7 * DOLLAR), gauge(LimitKind.DAILY_GENERATIONS, limit=5, used=3))
    assert [one.kind.value for one in both.notices] == ["daily_budget", "daily_generations"]
    assert not allowed(gauge(LimitKind.IN_FLIGHT, limit=5, used=3)).notices


def test_a_refusal_says_what_is_left_what_it_costs_and_when_to_come_back() -> None:
    said = refusal(refused(gauge(used=9_500_000)))
    assert said == (
        "The tenant's daily budget of $10.00 has $0.50 left, and this video costs $1.00; "
        "it begins anew at 2026-11-24 00:00 UTC."
    )
    assert "choose a cheaper one" in refusal(refused(gauge(), price=11 * DOLLAR))
    assert "wait until one is over" in refusal(refused(gauge(LimitKind.IN_FLIGHT, limit=1, used=1)))
    daily = gauge(LimitKind.DAILY_GENERATIONS, limit=3, used=3, whose=Whose.USER)
    assert refusal(refused(daily)).startswith(
        "The user's daily number of generations is 3, and 3 were ordered"
    )


def test_programs_read_money_as_decimal_strings_and_counts_as_numbers() -> None:
    assert quota_json(gauge(used=1)) == {
        "kind": "daily_budget",
        "whose": "tenant",
        "limit": "10.00",
        "used": "0.000001",
        "resets_at": "2026-11-24T00:00:00Z",
    }
    assert quota_json(gauge(LimitKind.IN_FLIGHT, limit=2, used=1))["limit"] == 2
    assert "$8.00 of $10.00" in notice(gauge(used=8 * DOLLAR))
