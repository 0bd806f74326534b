"""What Runway says of a task, in our words."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts.failures import Category
from domain.attempts.outcomes import JobState
from providers.base import ProviderError
from providers.runway.tasks import read_task
from tests.providers.orders import submitted
from tests.providers.raw import answers, raw_server, runway_at, sends
from tests.sandbox.live import LiveSandbox

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ["id", "progress", "output", "failure", "failureCode", "cost", "createdAt"]
tasks = st.fixed_dictionaries(
    {"status": st.sampled_from(["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]) | json_values},
    optional=dict.fromkeys(_FIELDS, json_values | st.fixed_dictionaries({"credits": json_values})),
)


def task(status: str, **fields: object) -> dict[str, Any]:
    return {"id": "t", "status": status, "createdAt": "2026-11-23T12:00:00.000Z", **fields}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("PENDING", JobState.QUEUED),
        ("THROTTLED", JobState.QUEUED),
        ("RUNNING", JobState.RUNNING),
        ("SUCCEEDED", JobState.SUCCEEDED),
        ("FAILED", JobState.FAILED),
        ("CANCELLED", JobState.CANCELLED),
        ("CANCELED", JobState.CANCELLED),
    ],
)
def test_each_status_in_our_words(status: str, state: JobState) -> None:
    assert read_task(task(status)).state is state


@pytest.mark.parametrize("status", ["THROTTLED", "PENDING"])
def test_waiting_is_no_failure(status: str) -> None:
    look = read_task(task(status, estimatedCost={"credits": 60}))
    assert not look.state.is_over
    assert (look.failure, look.cost, look.progress_percent) == (None, None, None)


@pytest.mark.parametrize("status", ["DONE", "running", "", None, 5, ["RUNNING"], {"a": 1}])
def test_an_unknown_status_is_worth_another_look(status: object) -> None:
    with pytest.raises(ProviderError) as raised:
        read_task({"id": "t", "status": status})
    assert raised.value.failure.category is Category.SERVER_ERROR


@pytest.mark.parametrize(
    ("progress", "percent"),
    [
        *((0, 0), (0.0, 0), (0.004, 0), (0.25, 25), (0.999, 100), (1, 100), (1.0, 100), (42, 42), (1e9, 100)),
        *((10**400, 100), (-0.1, None), (-1, None), (None, None), ("0.5", None), (True, None), ([0.5], None)),
        *((math.nan, None), (math.inf, None), (-math.inf, None)),
    ],
)
def test_progress_is_a_percentage_or_nothing(progress: object, percent: int | None) -> None:
    assert read_task(task("RUNNING", progress=progress)).progress_percent == percent


@pytest.mark.parametrize(
    ("cost", "micros"),
    [
        *(({"credits": 60}, 600_000), ({"credits": 0}, 0), ({"credits": 0.5}, 5_000), ({}, None)),
        *(({"credits": None}, None), ({"credits": "60"}, None), ({"credits": -1}, None), (60, None)),
        *(({"credits": True}, None), ({"credits": math.nan}, None), ({"credits": math.inf}, None)),
        *(({"credits": 1e300}, None), ({"credits": 10**400}, None), (None, None)),
    ],
)
def test_a_bill_is_micro_dollars_or_nothing(cost: object, micros: int | None) -> None:
    assert read_task(task("SUCCEEDED", cost=cost)).cost == micros


def test_a_task_that_goes_on_has_no_bill_yet() -> None:
    assert read_task(task("RUNNING", cost={"credits": 60})).cost is None


@pytest.mark.parametrize(
    "output",
    [
        *(None, [], "https://a.b/c", [None], [5, {}], {}, 5),
        *([""], ["v.mp4"], ["/v.mp4"], ["//a.b/v.mp4"], ["ftp://a.b/v.mp4"], ["file:///v.mp4"], ["https://"]),
        *(
            ["https:///v.mp4"],
            ["https://a.b:port/"],
            ["https://a\x00b/"],
            ["https://\ud83d/"],
            [["https://a.b"]],
        ),
    ],
)
def test_an_output_that_is_no_list_of_urls_is_none(output: object) -> None:
    look = read_task(task("SUCCEEDED", output=output))
    assert (look.state, look.output_url) == (JobState.SUCCEEDED, None)


@pytest.mark.parametrize("url", ["https://a.b/v.mp4?_jwt=a%2Fb", "http://127.0.0.1:8700/v.mp4"])
def test_the_video_is_at_the_first_url_of_the_output(url: str) -> None:
    assert read_task(task("SUCCEEDED", output=[None, "/v.mp4", url, "https://c.d/"])).output_url == url


@settings(max_examples=200, deadline=None, database=None)
@given(tasks)
def test_anything_that_is_a_task_can_be_read_and_kept_or_asked_again(of: dict[str, Any]) -> None:
    try:
        look = read_task(of)
    except ProviderError:
        return
    json.dumps(look.model_dump(mode="json"), allow_nan=False).encode()
    assert look.model_dump_json().encode()
    assert look.progress_percent is None or 0 <= look.progress_percent <= 100
    assert look.cost is None or 0 <= look.cost < 2**63


async def test_a_job_is_followed_to_its_video(sandbox: LiveSandbox) -> None:
    async with runway_at(sandbox.base_url) as runway:
        await submitted(runway)
        (job,) = sandbox.jobs()
        look = await runway.status(job["job_id"])
        assert (look.state, look.cost, look.failure) == (JobState.SUCCEEDED, 600_000, None)
        again = await runway.status(job["job_id"])
    assert look.output_url is not None
    assert again.output_url not in {None, look.output_url}
    assert sandbox.control.get(str(again.output_url)).headers["content-type"] == "video/mp4"


async def test_a_task_that_runway_no_longer_knows_is_gone() -> None:
    async with (
        raw_server(answers(404, {"error": "Task not found."})) as server,
        runway_at(server.url) as runway,
    ):
        look = await runway.status("t")
    assert look.state is JobState.GONE
    assert look.failure is not None
    assert (look.failure.code, look.failure.billed) == ("job_gone", None)


@pytest.mark.parametrize(
    ("status", "category"),
    [
        *((400, Category.VALIDATION), (401, Category.AUTH), (429, Category.RATE_LIMIT), (302, None)),
        *((500, Category.SERVER_ERROR), (502, Category.CAPACITY), (504, Category.CAPACITY)),
    ],
)
async def test_a_poll_that_is_refused_is_worth_another_look(status: int, category: Category | None) -> None:
    async with raw_server(answers(status, {"error": "no"})) as server, runway_at(server.url) as runway:
        with pytest.raises(ProviderError) as raised:
            await runway.status("t")
    assert raised.value.failure.category is (category or Category.SERVER_ERROR)


@pytest.mark.parametrize("data", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"])
async def test_a_poll_that_breaks_is_worth_another_look(data: bytes) -> None:
    async with raw_server(sends(data)) as server, runway_at(server.url) as runway:
        with pytest.raises(ProviderError) as raised:
            await runway.status("t")
    assert raised.value.failure.category is Category.NETWORK


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"status": ' + b"1" * 5000 + b"}"])
async def test_a_poll_without_a_task_is_worth_another_look(body: bytes) -> None:
    async with raw_server(answers(200, body)) as server, runway_at(server.url) as runway:
        with pytest.raises(ProviderError):
            await runway.status("t")
