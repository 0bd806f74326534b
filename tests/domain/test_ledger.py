"""The books close, whatever is written into them: reserve = settle + refund + at risk + what is still reserved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.costs.ledger import Entry, EntryKind, balance, entries_for
from domain.generation import Cost

MONEY = st.integers(min_value=0, max_value=10**13)
COSTS = st.builds(Cost, reserved=MONEY, settled=MONEY, at_risk=MONEY)


def told(before: Cost, after: Cost, *, is_first: bool = False) -> list[tuple[str, int]]:
    return [(entry.kind.value, entry.amount) for entry in entries_for(before, after, is_first=is_first)]


@given(st.lists(COSTS, min_size=1, max_size=12))
def test_entries_add_up_to_the_numbers_after_every_change(path: list[Cost]) -> None:
    entries: list[Entry] = []
    stands = Cost()
    for following in path:
        entries += entries_for(stands, following, is_first=not entries)
        stands = following
        assert balance(entries) == stands


@given(st.lists(COSTS, min_size=1, max_size=12))
def test_the_books_close_to_the_micro_dollar(path: list[Cost]) -> None:
    entries: list[Entry] = []
    stands = Cost()
    for following in [*path, Cost(settled=path[-1].settled, at_risk=path[-1].at_risk)]:
        entries += entries_for(stands, following, is_first=not entries)
        stands = following
    sums = {kind: sum(entry.amount for entry in entries if entry.kind is kind) for kind in EntryKind}
    assert sums[EntryKind.RESERVE] + sums[EntryKind.TOP_UP] == (
        sums[EntryKind.SETTLE] + sums[EntryKind.REFUND] + sums[EntryKind.AT_RISK] - sums[EntryKind.RESOLVE]
    )


@given(COSTS)
def test_what_stands_so_already_needs_no_entry(cost: Cost) -> None:
    assert entries_for(cost, cost, is_first=False) == ()


@given(COSTS, COSTS)
def test_no_entry_is_empty_and_only_a_bill_is_taken_back(before: Cost, after: Cost) -> None:
    for entry in entries_for(before, after, is_first=False):
        assert entry.amount > 0 or (entry.kind is EntryKind.SETTLE and entry.amount < 0)


@pytest.mark.parametrize(
    ("before", "after", "entries"),
    [
        pytest.param(Cost(), Cost(reserved=5), [("top_up", 5)], id="another promise"),
        pytest.param(Cost(reserved=5), Cost(settled=5), [("settle", 5)], id="billed as promised"),
        pytest.param(Cost(reserved=5), Cost(settled=3), [("settle", 3), ("refund", 2)], id="billed less"),
        pytest.param(Cost(reserved=5), Cost(settled=9), [("top_up", 4), ("settle", 9)], id="billed more"),
        pytest.param(Cost(reserved=5), Cost(), [("refund", 5)], id="not billed"),
        pytest.param(Cost(reserved=5), Cost(at_risk=5), [("at_risk", 5)], id="nobody knows"),
        pytest.param(
            Cost(at_risk=5), Cost(settled=5), [("resolve", 5), ("settle", 5)], id="billed after all"
        ),
        pytest.param(Cost(at_risk=5), Cost(), [("resolve", 5), ("refund", 5)], id="not billed after all"),
    ],
)
def test_what_is_written(before: Cost, after: Cost, entries: list[tuple[str, int]]) -> None:
    assert told(before, after) == entries


def test_the_first_promise_is_a_reserve() -> None:
    assert told(Cost(), Cost(reserved=5), is_first=True) == [("reserve", 5)]
