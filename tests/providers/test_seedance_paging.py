"""Reading a list of Seedance tasks to its end: every page, once, while it holds still."""

from typing import Any

import pytest

from domain.attempts.failures import Category
from providers.base import NotYetClear, ProviderError
from providers.seedance.account import MAX_PAGES, PAGE_SIZE
from tests.providers.orders import REFERENCE
from tests.providers.raw import answers, raw_server
from tests.providers.seedance_lists import a_page, found, in_turn, listed, paths_of
from tests.providers.seedance_orders import (
    PATH,
    SENT_AT,
    a_seedance_order,
    seedance_at,
)


def others(start: int, count: int) -> list[dict[str, Any]]:
    return [listed(f"cgt-{number}", seed=number) for number in range(start, start + count)]


async def test_every_page_is_read() -> None:
    pages = [a_page(*others(0, 100), total=201), a_page(*others(100, 100), total=201)]
    script = in_turn(*(answers(200, page) for page in [*pages, a_page(listed(), total=201)]))
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        assert await seedance.find(a_seedance_order(), SENT_AT) == "cgt-ours"
    assert paths_of(server) == [f"{PATH}?page_num={number}&page_size={PAGE_SIZE}" for number in (1, 2, 3)]


async def test_a_likeness_on_the_first_page_waits_for_the_last() -> None:
    first = a_page(listed("alike"), *others(0, 99), total=101)
    assert await found(first, a_page(listed(safety_identifier=REFERENCE), total=101)) == "cgt-ours"
    assert await found(first, a_page(*others(99, 1), total=101)) == "alike"
    with pytest.raises(NotYetClear):
        await found(first, a_page(listed("alike-too"), total=101))


async def test_our_reference_needs_no_further_page() -> None:
    page = a_page(listed(safety_identifier=REFERENCE), *others(0, 99), total=10**6)
    async with raw_server(answers(200, page)) as server, seedance_at(server.url) as seedance:
        assert await seedance.find(a_seedance_order(), SENT_AT) == "cgt-ours"
    assert server.requests == 1


async def test_shorter_pages_than_asked_for_are_read_to_the_end() -> None:
    pages = [a_page(*others(number, 20), total=60) for number in (0, 20, 40)]
    assert await found(*pages) is None


async def test_a_task_that_moved_onto_the_next_page_is_counted_once() -> None:
    first, second = a_page(*others(0, 100), total=102), a_page(*others(99, 3), total=102)
    assert await found(first, second) is None


async def test_a_list_that_is_too_long_proves_nothing_yet() -> None:
    pages = [a_page(*others(100 * number, 100), total=5000) for number in range(MAX_PAGES + 1)]
    script = in_turn(*(answers(200, page) for page in pages))
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        with pytest.raises(NotYetClear, match="more tasks"):
            await seedance.find(a_seedance_order(), SENT_AT)
    assert server.requests == MAX_PAGES


@pytest.mark.parametrize(
    "second",
    [
        a_page(*others(100, 49), total=149),  # one was deleted: another may have slipped onto the first page
        a_page(*others(100, 51), total=151),
        a_page(*others(0, 100), total=150),  # the same page again
        a_page(total=150),
        a_page(*others(100, 60), total=150),  # more than there are
        *({"total": 150}, {"items": others(100, 50)}, b"", b"[]", b"<html>"),
    ],
)
async def test_a_list_that_changes_while_it_is_read_is_worth_another_reading(second: object) -> None:
    with pytest.raises(ProviderError) as raised:
        await found(a_page(*others(0, 100), total=150), second)
    assert raised.value.failure.category is Category.SERVER_ERROR
