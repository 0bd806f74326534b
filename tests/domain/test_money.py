"""Money is whole micro-dollars, and no conversion loses one."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.generation import Cost, total
from domain.money import from_usd, to_usd

amounts = st.integers(-(10**18), 10**18)
costs = st.builds(Cost, reserved=amounts, settled=amounts, at_risk=amounts)


@given(amounts)
def test_micro_dollars_survive_the_way_through_json(micros: int) -> None:
    assert from_usd(Decimal(to_usd(micros))) == micros


@given(amounts)
def test_dollars_are_written_plainly_with_at_least_cents(micros: int) -> None:
    assert re.fullmatch(r"-?\d+\.\d{2,6}", to_usd(micros))


@pytest.mark.parametrize(
    ("micros", "dollars"),
    [
        *((0, "0.00"), (1_250_000, "1.25"), (600_000, "0.60"), (1, "0.000001"), (100, "0.0001")),
        *((1_000_000, "1.00"), (-50_000, "-0.05"), (123_456_789, "123.456789"), (10**15, "1000000000.00")),
        (1_005_000, "1.005"),
    ],
)
def test_dollars_as_people_read_them(micros: int, dollars: str) -> None:
    assert to_usd(micros) == dollars


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=9))
def test_finer_amounts_go_to_the_nearest_micro_dollar(dollars: Decimal) -> None:
    assert abs(Decimal(from_usd(dollars)) / 10**6 - dollars) <= Decimal("0.0000005")


@given(st.lists(costs))
def test_costs_add_up_number_by_number(several: list[Cost]) -> None:
    added = total(several)
    assert added.reserved == sum(cost.reserved for cost in several)
    assert added.settled == sum(cost.settled for cost in several)
    assert added.at_risk == sum(cost.at_risk for cost in several)
