"""Saying what nobody could find out: whether an attempt whose money is at risk was billed. An operator's word."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import Attempt, Cost
from domain.money import Micros
from storage.money import ledger


class NothingAtRisk(ValueError):
    """The attempt's money is not at risk, so there is nothing to say."""


class StillLooking(ValueError):
    """The attempt is not over: the service may find the truth itself."""


async def resolve(connection: AsyncConnection, attempt: Attempt, bill: Micros | None, now: datetime) -> None:
    """Write what an attempt was billed whose money is at risk.

    What its provider says of its job later is a fact, and counts more.

    Args:
        connection: The transaction; it holds the generation.
        attempt: As it stands.
        bill: In micro-dollars; None: all that is at risk.
        now: The time.

    Raises:
        StillLooking: It is not over.
        NothingAtRisk: Nothing of it is at risk.
    """
    if attempt.is_open:
        raise StillLooking("the attempt is not over")
    cost = attempt.cost
    if not cost.at_risk:
        raise NothingAtRisk("nothing of the attempt is at risk")
    billed = cost.at_risk if bill is None else bill
    await ledger.write(
        connection, attempt.ref, Cost(reserved=cost.reserved, settled=cost.settled + billed), now
    )
