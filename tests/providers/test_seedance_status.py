"""What Seedance says of a task, in our words."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts.failures import Category
from domain.attempts.outcomes import JobState
from domain.orders.params import SEED_MAX
from providers.base import ProviderError
from providers.seedance.tasks import read_task
from tests.providers.raw import answers, raw_server, sends
from tests.providers.seedance_orders import (
    KEY,
    PATH,
    PRO,
    PRO_15,
    SEED,
    TWO,
    TWO_AND_A_HALF,
    a_task,
    error_body,
    seedance_at,
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_STATES = ["queued", "running", "succeeded", "failed", "cancelled", "expired"]
_NESTED = {
    "error": ("code", "message"),
    "content": ("video_url", "file_url"),
    "usage": ("total_tokens", "completion_tokens"),
}
_FIELDS = [
    "id",
    "model",
    "created_at",
    "seed",
    "ratio",
    "duration",
    "generate_audio",
    "resolution",
    "safety_identifier",
]
tasks = st.fixed_dictionaries(
    {"status": st.sampled_from(_STATES) | json_values},
    optional={
        **dict.fromkeys(_FIELDS, json_values),
        "model": st.sampled_from([PRO, PRO_15]) | json_values,
        **{
            field: st.fixed_dictionaries({}, optional=dict.fromkeys(names, json_values)) | json_values
            for field, names in _NESTED.items()
        },
    },
)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *(("queued", JobState.QUEUED), ("running", JobState.RUNNING), ("succeeded", JobState.SUCCEEDED)),
        *(("failed", JobState.FAILED), ("cancelled", JobState.CANCELLED), ("expired", JobState.FAILED)),
    ],
)
def test_each_status_in_our_words(status: str, state: JobState) -> None:
    assert read_task(a_task(status)).state is state


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_task_that_goes_on_has_neither_bill_nor_failure_nor_output(status: str) -> None:
    told: dict[str, Any] = {"usage": {"total_tokens": 108_900}, "content": {"video_url": "https://a.b/c"}}
    look = read_task(a_task(status) | told | error_body("InternalServiceError"))
    assert (look.cost, look.failure, look.output_url, look.progress_percent) == (None, None, None, None)


@pytest.mark.parametrize("status", ["SUCCEEDED", "succeed", "", None, 5, True, ["running"], {"a": 1}])
def test_an_unknown_status_is_worth_another_look(status: object) -> None:
    with pytest.raises(ProviderError) as raised:
        read_task({"id": "t", "status": status})
    assert raised.value.failure.category is Category.SERVER_ERROR


def of_tokens(model: object, tokens: object, **more: Any) -> int | None:
    """The bill of a finished task."""
    return read_task(a_task(model=model, usage={"total_tokens": tokens}, **more)).cost


@pytest.mark.parametrize(
    ("model", "tokens", "micros"),
    [
        (PRO, 108_900, 272_250),  # 720p, 16:9, 5 s
        (PRO, 87_300, 218_250),  # 4 s
        (PRO_15, 108_900, 261_360),
        (TWO, 108_900, 762_300),
        (TWO_AND_A_HALF, 1_296_900, 13_876_830),
        (PRO, 1, 3),  # rounded up
        ("doubao-seedance-1-0-pro-250528", 108_900, 272_250),
        ("doubao-seedance-2-0-260128", 108_900, 762_300),
        ("doubao-seedance-2-5-260628", 100_000, 1_070_000),
    ],
)
def test_tokens_are_billed_at_the_models_price(model: str, tokens: int, micros: int) -> None:
    assert of_tokens(model, tokens, resolution="720p") == micros


@pytest.mark.parametrize("resolution", ["480p", "720p", "1080p", "4k", None, "8k", ["4k"], 4])
def test_tokens_cost_the_same_where_no_resolution_has_a_price_of_its_own(resolution: object) -> None:
    assert of_tokens(TWO, 100_000, resolution=resolution) == 700_000


@pytest.mark.parametrize(
    ("told", "micros"),
    [
        *(({"generate_audio": False}, 130_680), ({"generate_audio": True}, 261_360), ({}, 261_360)),
        *(({"generate_audio": None}, 261_360), ({"generate_audio": 0}, 261_360)),
    ],
)
def test_only_what_is_silent_for_sure_is_cheaper_and_no_bill_is_too_low(
    told: dict[str, object], micros: int
) -> None:
    assert of_tokens(PRO_15, 108_900, **told) == micros


def test_a_silent_video_of_a_model_without_a_price_for_it_costs_the_same() -> None:
    assert of_tokens(TWO, 108_900, generate_audio=False, resolution="720p") == 762_300


@pytest.mark.parametrize("model", ["ep-20261123-abcde", "seedance-9", "", None, 5, [PRO], "doubao-"])
def test_a_model_that_is_not_known_has_no_price(model: object) -> None:
    assert of_tokens(model, 108_900) is None


@pytest.mark.parametrize(
    "tokens", [None, 0, -1, True, "108900", 108_900.5, math.nan, math.inf, 10**8 + 1, 10**400, [1], {}]
)
def test_an_absurd_number_of_tokens_is_no_bill(tokens: object) -> None:
    assert of_tokens(PRO, tokens) is None


@pytest.mark.parametrize(
    ("usage", "micros"),
    [
        ({"completion_tokens": 108_900}, 272_250),
        ({"total_tokens": 0, "completion_tokens": 108_900}, 272_250),
        ({"total_tokens": 108_900, "completion_tokens": 1}, 272_250),
        *(({}, None), (None, None), (5, None), ([], None), ("108900", None)),
    ],
)
def test_usage_has_two_names_or_none(usage: object, micros: int | None) -> None:
    assert read_task(a_task(usage=usage)).cost == micros


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired"])
def test_only_success_is_billed(status: str) -> None:
    look = read_task(a_task(status, usage={"total_tokens": 108_900}))
    assert look.cost == 0
    assert look.failure is not None
    assert look.failure.billed is False


@pytest.mark.parametrize(
    ("seed", "told"),
    [
        *((SEED, SEED), (0, 0), (SEED_MAX, SEED_MAX), (-1, None), (SEED_MAX + 1, None), (None, None)),
        *((True, None), ("7", None), (7.0, None), ([7], None)),
    ],
)
def test_a_seed_is_told_where_it_is_one(seed: object, told: int | None) -> None:
    assert read_task(a_task(seed=seed)).seed == told


def test_the_video_is_where_the_content_says() -> None:
    url = "https://ark-content.tos.example.com/v.mp4?X-Tos-Expires=86400&X-Tos-Signature=a%2Fb"
    assert read_task(a_task(content={"video_url": url, "last_frame_url": "https://x.y/z"})).output_url == url


@pytest.mark.parametrize(
    "content",
    [
        *(None, [], {}, 5, "https://a.b/c", {"video_url": None}, {"video_url": ""}, {"video_url": 5}),
        *({"video_url": ["https://a.b/c"]}, {"video_url": "ftp://a.b/v.mp4"}, {"video_url": "https://"}),
        *({"video_url": "https://\ud83d/"}, {"video_url": "https:///v.mp4"}),
        *({"video_url": "https://a.b:port/"}, {"video_url": "https://a\x00b/"}, {"video_url": "/v.mp4"}),
    ],
)
def test_content_without_a_url_has_no_output(content: object) -> None:
    look = read_task(a_task(content=content))
    assert (look.state, look.output_url) == (JobState.SUCCEEDED, None)


@settings(max_examples=300, deadline=None, database=None)
@given(tasks)
def test_anything_that_is_a_task_can_be_read_and_kept_or_asked_again(of: dict[str, Any]) -> None:
    try:
        look = read_task(of, KEY)
    except ProviderError:
        return
    assert look.cost is None or 0 <= look.cost < 2**63
    assert look.seed is None or 0 <= look.seed <= SEED_MAX
    assert (look.failure is not None) is (look.state in {JobState.FAILED, JobState.CANCELLED})


@settings(max_examples=50, deadline=None, database=None)
@given(body=tasks | json_values)
async def test_any_answer_to_a_poll_is_a_look_or_another_try(body: object) -> None:
    content = json.dumps(body).encode()
    async with raw_server(answers(200, content)) as server, seedance_at(server.url) as seedance:
        try:
            look = await seedance.status("t")
        except ProviderError:
            return
    json.dumps(look.model_dump(mode="json"), allow_nan=False).encode()
    assert look.model_dump_json().encode()


async def test_a_task_is_asked_for_at_its_own_path() -> None:
    task = a_task(seed=SEED, usage={"total_tokens": 108_900}, content={"video_url": "https://a.b/c"})
    async with raw_server(answers(200, task)) as server, seedance_at(server.url) as seedance:
        look = await seedance.status("cgt-1")
    assert server.head.startswith(f"GET {PATH}/cgt-1 HTTP/1.1\r\n")
    assert f"Bearer {KEY}" in server.head
    assert (look.state, look.cost, look.seed) == (JobState.SUCCEEDED, 272_250, SEED)
    assert look.output_url == "https://a.b/c"


@pytest.mark.parametrize("code", ["ResourceNotFound", "InvalidEndpoint.NotFound", "BrandNew", None])
async def test_a_task_that_seedance_no_longer_knows_is_gone(code: str | None) -> None:
    async with raw_server(answers(404, error_body(code))) as server, seedance_at(server.url) as seedance:
        look = await seedance.status("t")
    assert (look.state, look.cost) == (JobState.GONE, None)
    assert look.failure is not None
    assert (look.failure.code, look.failure.billed) == ("job_gone", None)


@pytest.mark.parametrize(
    ("status", "code", "category"),
    [
        *((400, None, Category.VALIDATION), (401, "AuthenticationError", Category.AUTH)),
        *((429, None, Category.RATE_LIMIT), (429, "ServerOverloaded", Category.CAPACITY)),
        *((429, "QuotaExceeded", Category.QUOTA), (500, "InternalServiceError", Category.SERVER_ERROR)),
        *((502, None, Category.SERVER_ERROR), (504, None, Category.SERVER_ERROR)),
        *((302, None, Category.SERVER_ERROR), (503, "ServerOverloaded", Category.CAPACITY)),
    ],
)
async def test_a_poll_that_is_refused_is_worth_another_look(
    status: int, code: str | None, category: Category
) -> None:
    async with raw_server(answers(status, error_body(code))) as server, seedance_at(server.url) as seedance:
        with pytest.raises(ProviderError) as raised:
            await seedance.status("t")
    assert raised.value.failure.category is category


@pytest.mark.parametrize("data", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"])
async def test_a_poll_that_breaks_is_worth_another_look(data: bytes) -> None:
    async with raw_server(sends(data)) as server, seedance_at(server.url) as seedance:
        with pytest.raises(ProviderError) as raised:
            await seedance.status("t")
    assert raised.value.failure.category is Category.NETWORK


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"status": ' + b"1" * 5000 + b"}"])
async def test_a_poll_without_a_task_is_worth_another_look(body: bytes) -> None:
    async with raw_server(answers(200, body)) as server, seedance_at(server.url) as seedance:
        with pytest.raises(ProviderError):
            await seedance.status("t")
