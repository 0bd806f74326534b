"""What an attempt costs, once it is known how it ended. Pure, and never optimistic: doubt is money at risk."""

from domain.generation import Cost
from domain.money import Micros
from domain.outcomes import JobState, JobStatus


def bill_of(price: Micros, end: JobStatus) -> Cost:
    """Return the money of an attempt whose job was seen to end.

    Args:
        price: What the order should cost.
        end: The last look at the job. What the provider itself reports is the truth; where it reports nothing, a
            success costs its price, a failure what the provider's terms say, and anything else is at risk.
    """
    if end.cost is not None:
        return Cost(settled=end.cost)
    match end.state:
        case JobState.SUCCEEDED:
            return Cost(settled=price)
        case JobState.FAILED if end.failure is not None:
            return billed(price, end.failure.billed)
        case _:
            return Cost(at_risk=price)


def billed(price: Micros, is_billed: bool | None) -> Cost:
    """Return the money of something that is billed, is not, or (None) of which the provider does not say."""
    match is_billed:
        case True:
            return Cost(settled=price)
        case False:
            return Cost()
        case None:
            return Cost(at_risk=price)
