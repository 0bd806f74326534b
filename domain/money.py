"""Money: whole micro-dollars in code, a decimal string in JSON, never a float."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

Micros = Annotated[int, Field(description="Micro-dollars: 1_000_000 is one US dollar.")]

MICROS_PER_DOLLAR = 1_000_000


def to_usd(micros: int) -> str:
    """Return micro-dollars as a decimal string of dollars: `1_250_000` is `"1.25"`, `0` is `"0.00"`."""
    dollars = Decimal(micros) / MICROS_PER_DOLLAR
    return f"{dollars:.2f}" if micros % 10_000 == 0 else f"{dollars.normalize():f}"


def from_usd(dollars: Decimal) -> int:
    """Return dollars as micro-dollars, rounded to the nearest.

    Args:
        dollars: An amount; more than six decimals are rounded.
    """
    return int((dollars * MICROS_PER_DOLLAR).to_integral_value())
