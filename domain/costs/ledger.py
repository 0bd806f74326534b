"""The books: what every attempt was promised, billed and given back, as entries that are added and never changed.

    reserve, top_up   money that is promised to a provider, at first and when more is needed
    settle            money that was billed
    refund            a promise that was not needed
    at_risk           a promise of which nobody knows whether it will be billed
    resolve           what was at risk and is not any more; what became of it, other entries say

An attempt's numbers are the sums of its entries, and always close:

    reserve + top_up = settle + refund + (at_risk - resolve) + what is still reserved
"""

from collections.abc import Iterable
from enum import StrEnum

from domain.generation import Cost
from domain.model import Frozen
from domain.money import Micros


class EntryKind(StrEnum):
    """What an entry says."""

    RESERVE = "reserve"
    TOP_UP = "top_up"
    SETTLE = "settle"
    REFUND = "refund"
    AT_RISK = "at_risk"
    RESOLVE = "resolve"


class Entry(Frozen):
    """One line of the books.

    Attributes:
        amount: Never zero; negative only where a bill is taken back.
    """

    kind: EntryKind
    amount: Micros


def entries_for(before: Cost, after: Cost, *, is_first: bool) -> tuple[Entry, ...]:
    """Return what to write so that an attempt's numbers become others.

    Args:
        before: As the entries so far add up.
        after: As they are to.
        is_first: There are no entries yet: a promise is its first.
    """
    settled, at_risk = after.settled - before.settled, after.at_risk - before.at_risk
    promised = (after.reserved - before.reserved) + settled + at_risk
    more = EntryKind.RESERVE if is_first else EntryKind.TOP_UP
    amounts = (
        (more, max(promised, 0)),
        (EntryKind.RESOLVE, max(-at_risk, 0)),
        (EntryKind.SETTLE, settled),
        (EntryKind.AT_RISK, max(at_risk, 0)),
        (EntryKind.REFUND, max(-promised, 0)),
    )
    return tuple(Entry(kind=kind, amount=amount) for kind, amount in amounts if amount)


def balance(entries: Iterable[Entry]) -> Cost:
    """Return the three numbers that entries add up to."""
    sums = dict.fromkeys(EntryKind, 0)
    for entry in entries:
        sums[entry.kind] += entry.amount
    at_risk = sums[EntryKind.AT_RISK] - sums[EntryKind.RESOLVE]
    promised = sums[EntryKind.RESERVE] + sums[EntryKind.TOP_UP]
    reserved = promised - sums[EntryKind.SETTLE] - sums[EntryKind.REFUND] - at_risk
    return Cost(reserved=reserved, settled=sums[EntryKind.SETTLE], at_risk=at_risk)
