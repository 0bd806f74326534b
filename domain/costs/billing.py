"""What an attempt costs, once it is known how it ended. Pure, and never optimistic: doubt is money at risk.

The provider's own report counts, also where it is more than was reserved. A report that nobody can believe counts as
none: then a video costs its price, by its real length where its provider counts the seconds that it has made, and a
failure what the provider's terms say.
"""

from typing import Final

from domain.attempts.outcomes import JobState, JobStatus
from domain.generation import Cost
from domain.money import MICROS_PER_DOLLAR, Micros
from domain.orders.plans import Plan

MOST: Final[Micros] = 10_000 * MICROS_PER_DOLLAR
"""No video costs as much as this: a report of more is a mistake, not a bill."""


def bill_of(price: Micros, end: JobStatus) -> Cost:
    """Return the money of an attempt whose job was seen to end.

    Args:
        price: What the order should cost.
        end: The last look at the job. What the provider itself reports is the truth; where it reports nothing, a
            success costs its price, a failure what the provider's terms say, and anything else is at risk.
    """
    cost = reported(end)
    if cost is not None:
        return Cost(settled=cost)
    match end.state:
        case JobState.SUCCEEDED:
            return Cost(settled=price)
        case JobState.FAILED if end.failure is not None:
            return billed(price, end.failure.billed)
        case _:
            return Cost(at_risk=price)


def reported(end: JobStatus) -> Micros | None:
    """Return what the provider says that it bills, where that can be true."""
    return end.cost if end.cost is not None and 0 <= end.cost <= MOST else None


def bill_of_length(plan: Plan, end: JobStatus, seconds: float) -> Micros | None:
    """Return what a stored video costs by its real length; None where its length changes nothing.

    Whole seconds are billed, and a video of five seconds may be a few frames longer: the nearest one counts.

    Args:
        plan: What was ordered.
        end: The last look at the job; what it reports counts more than any length.
        seconds: How long the stored video is.
    """
    if plan.meter is None or reported(end) is not None:
        return None
    return plan.meter.of(max(round(seconds), 1))


def billed(price: Micros, is_billed: bool | None) -> Cost:
    """Return the money of something that is billed, is not, or (None) of which the provider does not say."""
    match is_billed:
        case True:
            return Cost(settled=price)
        case False:
            return Cost()
        case None:
            return Cost(at_risk=price)
