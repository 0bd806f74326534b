"""Finding the task of an unanswered order in a list: surely ours, surely not, or nobody can tell."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts.failures import Category
from domain.orders.params import SEED_MAX
from providers.base import NotYetClear, ProviderError
from tests.providers.orders import REFERENCE
from tests.providers.raw import answers, raw_server, sends
from tests.providers.seedance_lists import NOW, a_page, found, listed, paths_of
from tests.providers.seedance_orders import (
    PATH,
    PRO,
    SEED,
    SENT_AT,
    TWO,
    TWO_AND_A_HALF,
    a_seedance_order,
    error_body,
    seedance_at,
)
from tests.providers.test_seedance_status import json_values

PICTURE = b"\xff\xd8 a picture"
ANOTHER_OF_OURS = [
    *(f"{REFERENCE}0", f"{REFERENCE[:-1]}2", REFERENCE.replace(".1.1", ".2.1")),
    REFERENCE.replace("gen_01", "gen_02"),
]
NO_REFERENCE: list[object] = [
    *(
        "a-user",
        hashlib.sha256(REFERENCE.encode()).hexdigest(),
        REFERENCE[:16],
        REFERENCE[:-1],
        REFERENCE[:-2],
    ),
    *(f"{REFERENCE} ", f"{REFERENCE}\n", f"{REFERENCE}.1", REFERENCE.upper(), " ", "", 5, [REFERENCE]),
]


async def test_the_list_is_asked_for_without_a_filter() -> None:
    async with raw_server(answers(200, a_page())) as server, seedance_at(server.url) as seedance:
        assert await seedance.find(a_seedance_order(), SENT_AT) is None
    assert paths_of(server) == [f"{PATH}?page_num=1&page_size=100"]
    assert server.head.startswith("GET ")


@pytest.mark.parametrize(
    "page", [a_page(), {"total": 0, "items": None}, {"total": 0}, {**a_page(), "new": [1]}]
)
async def test_an_empty_list_has_nothing(page: object) -> None:
    assert await found(page) is None


@pytest.mark.parametrize(
    "changes",
    [
        *({}, {"seed": None}, {"seed": 1}, {"created_at": 0}, {"model": TWO}, {"duration": 9}, {"seed": "x"}),
        *({"status": "failed"}, {"status": "cancelled"}, {"status": "expired"}, {"status": None}),
    ],
)
@pytest.mark.parametrize("seed_is_given", [False, True])
async def test_our_reference_is_ours_whatever_else_is_listed(
    changes: dict[str, Any], seed_is_given: bool
) -> None:
    task = listed(safety_identifier=REFERENCE, **changes)
    other = listed("cgt-other", seed=1)
    assert await found(a_page(other, task), seed_is_given=seed_is_given) == "cgt-ours"


async def test_our_reference_outweighs_every_likeness_before_and_after() -> None:
    task = listed(safety_identifier=REFERENCE)
    assert await found(a_page(listed("a"), listed("b", seed=None), task, listed("c"))) == "cgt-ours"


@pytest.mark.parametrize("reference", ANOTHER_OF_OURS)
async def test_another_reference_of_ours_is_not_ours_however_alike_the_rest(reference: str) -> None:
    assert await found(a_page(listed(safety_identifier=reference))) is None


@pytest.mark.parametrize("reference", NO_REFERENCE)
async def test_a_reference_in_another_form_excludes_nothing(reference: object) -> None:
    assert await found(a_page(listed(safety_identifier=reference))) == "cgt-ours"
    with pytest.raises(NotYetClear, match=REFERENCE):
        await found(a_page(listed(safety_identifier=reference, seed=None)))
    with pytest.raises(NotYetClear, match=REFERENCE):
        await found(a_page(listed(safety_identifier=reference)), seed_is_given=True)


@pytest.mark.parametrize(
    "changes",
    [
        *({}, {"safety_identifier": ""}, {"safety_identifier": 5}, {"safety_identifier": [REFERENCE]}),
        *({"resolution": None}, {"ratio": None}, {"duration": None}, {"resolution": "720P"}, {"ratio": ""}),
        *({"created_at": NOW - 3599}, {"created_at": NOW - 3600}, {"created_at": NOW + 86_400}),
        *({"created_at": float(NOW)}, {"status": "failed"}, {"model": f"doubao-{PRO}"}, {"duration": "5"}),
    ],
)
async def test_without_references_our_own_seed_is_the_fingerprint(changes: dict[str, Any]) -> None:
    assert await found(a_page(listed("cgt-old", seed=3), listed(**changes))) == "cgt-ours"


@pytest.mark.parametrize(
    "changes",
    [
        *({"seed": SEED + 1}, {"seed": 0}, {"seed": SEED_MAX}),
        *(
            {"seed": None, "duration": 6},
            {"seed": None, "resolution": "1080p"},
            {"seed": None, "ratio": "1:1"},
        ),
        *({"seed": None, "created_at": NOW - 3601}, {"seed": -1, "created_at": 0}),
    ],
)
async def test_what_differs_is_not_ours(changes: dict[str, Any]) -> None:
    assert await found(a_page(listed(**changes))) is None


@pytest.mark.parametrize(
    "changes",
    [
        *({"seed": None}, {"seed": -1}, {"seed": "x"}, {"seed": True}, {"seed": float(SEED)}),
        *({"seed": None, "duration": None, "ratio": None}, {"seed": None, "model": None}),
        *({"seed": None, "created_at": None}, {"seed": None, "model": "ep-20261123-abcde"}),
        *({"seed": None, "created_at": NOW - 3600}, {"seed": -2}, {"seed": SEED_MAX + 1}),
        *({"seed": None, "model": TWO}, {"seed": None, "model": "seedance-1-0-pro-fast-251015"}),
        # our own seed, and something that says it is not ours or does not say that it is
        *({"duration": 6}, {"resolution": "480p"}, {"ratio": "1:1"}, {"created_at": None}),
        *({"created_at": NOW - 3601}, {"created_at": 0}, {"model": TWO}, {"model": PRO.upper()}),
        {"model": TWO, "created_at": 0, "duration": 6, "resolution": "480p", "ratio": "1:1"},
        *(
            {"created_at": "today"},
            {"created_at": True},
            {"created_at": math.nan},
            {"model": None},
            {"model": "ep-1"},
            {"model": 5},
        ),
    ],
)
async def test_what_may_be_ours_or_not_is_not_decided(changes: dict[str, Any]) -> None:
    with pytest.raises(NotYetClear, match=REFERENCE):
        await found(a_page(listed("cgt-other", seed=3), listed(**changes)))


async def test_a_users_own_seed_is_no_fingerprint() -> None:
    with pytest.raises(NotYetClear):
        await found(a_page(listed()), seed_is_given=True)
    with pytest.raises(NotYetClear):
        await found(a_page(listed(seed=None)), seed_is_given=True)
    with pytest.raises(NotYetClear):
        await found(a_page(listed(model=TWO)), seed_is_given=True)


@pytest.mark.parametrize("changes", [{"seed": 3}, {"duration": 6}, {"ratio": "1:1"}, {"created_at": 0}])
async def test_a_users_own_seed_still_tells_what_is_not_ours(changes: dict[str, Any]) -> None:
    assert await found(a_page(listed(**changes)), seed_is_given=True) is None


async def test_two_tasks_with_our_fingerprint_are_not_chosen_from() -> None:
    with pytest.raises(NotYetClear, match="2 tasks"):
        await found(a_page(listed("a"), listed("b")))


async def test_the_one_fingerprint_is_ours_beside_tasks_that_tell_nothing() -> None:
    assert await found(a_page(listed("a", seed=None), listed(), listed("b", seed=-1))) == "cgt-ours"


@pytest.mark.parametrize(("model", "ratio"), [(PRO, "adaptive"), (TWO_AND_A_HALF, "4:3"), (PRO, None)])
async def test_beside_a_picture_the_ratio_tells_nothing(model: str, ratio: str | None) -> None:
    task = listed(model=model, ratio=ratio)
    assert await found(a_page(task), picture=PICTURE, model=model) == "cgt-ours"


async def test_each_attempt_looks_for_its_own_seed() -> None:
    order = a_seedance_order()
    second = type(order)(plan=order.plan, client_reference="gen_x.1.2", attempt=2)
    page = a_page(listed("first"), listed("second", seed=second.seed))
    async with raw_server(answers(200, page)) as server, seedance_at(server.url) as seedance:
        assert await seedance.find(second, SENT_AT) == "second"
        assert await seedance.find(order, SENT_AT) == "first"


@pytest.mark.parametrize(
    "page",
    [
        *(b"", b"{", b"[]", b"null", b"<html>", {}, {"items": []}, {"total": 0, "items": {}}, {"total": 1}),
        *({"total": -1, "items": []}, {"total": True, "items": [listed()]}, {"total": "0", "items": []}),
        *({"total": 0.0, "items": []}, {"total": None, "items": []}, {"data": {"total": 0, "items": []}}),
        *(a_page(None), a_page("cgt-1"), a_page([]), a_page({}), a_page(listed(id=5)), a_page(listed(id=""))),
        *(a_page(listed(id="a/b")), a_page(listed(id=".."), total=1), a_page(listed(), total=0)),
        a_page(listed(id=None, safety_identifier=REFERENCE)),
    ],
)
async def test_an_answer_that_is_no_list_proves_nothing(page: object) -> None:
    with pytest.raises(ProviderError):
        await found(page)


@pytest.mark.parametrize(
    ("status", "code", "category"),
    [
        *((401, "AuthenticationError", Category.AUTH), (404, None, Category.VALIDATION)),
        *((429, "RateLimitExceeded.EndpointRPMExceeded", Category.RATE_LIMIT), (302, None, None)),
        *((500, "InternalServiceError", None), (502, None, None)),
    ],
)
async def test_a_refused_question_proves_nothing(
    status: int, code: str | None, category: Category | None
) -> None:
    script = answers(status, error_body(code))
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        with pytest.raises(ProviderError) as raised:
            await seedance.find(a_seedance_order(), SENT_AT)
    assert raised.value.failure.category is (category or Category.SERVER_ERROR)
    assert server.requests == 1


@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 20", b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"total": 0']
)
async def test_a_lost_answer_proves_nothing(data: bytes) -> None:
    async with raw_server(sends(data)) as server, seedance_at(server.url) as seedance:
        with pytest.raises(ProviderError):
            await seedance.find(a_seedance_order(), SENT_AT)


_ITEMS = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b"]) | json_values},
    optional={
        "safety_identifier": json_values,
        "seed": st.just(SEED) | json_values,
        "model": st.just(PRO) | json_values,
        "created_at": st.sampled_from([NOW, math.nan, math.inf, 10**400]) | json_values,
        **dict.fromkeys(["resolution", "ratio", "duration"], json_values),
    },
)
_PAGES = st.fixed_dictionaries(
    {},
    optional={"total": st.integers(0, 3) | json_values, "items": st.lists(_ITEMS, max_size=3) | json_values},
)


@settings(max_examples=150, deadline=None, database=None)
@given(pages=st.lists(_PAGES | json_values, min_size=1, max_size=3), seed_is_given=st.booleans())
async def test_whatever_is_listed_the_search_ends_in_one_of_its_ways(
    pages: Sequence[object], seed_is_given: bool
) -> None:
    try:
        task = await found(*(json.dumps(page).encode() for page in pages), seed_is_given=seed_is_given)
    except (NotYetClear, ProviderError):
        return
    assert task is None or not seed_is_given
