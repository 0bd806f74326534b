"""What Stable Video says of a job, in our words; and that it can be neither stopped nor looked up."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts.failures import Category
from domain.attempts.outcomes import CancelReply, JobState, JobStatus
from providers.base import CannotAsk, ProviderError
from providers.stable_video.account import LOOKS_AT_A_BROKEN_JOB, POLL_INTERVAL, Stability
from providers.stable_video.answers import failure_of, read_result
from tests.providers.orders import QUEUED, RUNNING
from tests.providers.raw import Script, answers, raw_server, sends
from tests.providers.stability import PATH, a_job_order, an_error, broken_looks, headers_of, stability_at

POLICY, VALIDATION, SERVER = Category.CONTENT_POLICY, Category.VALIDATION, Category.SERVER_ERROR
MP4 = {"Content-Type": "video/mp4"}
URL = "https://svd.example.com/v2beta/image-to-video/result/j"

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ["id", "name", "errors", "status", "video", "finish_reason", "seed"]
bodies = st.fixed_dictionaries({}, optional=dict.fromkeys(_FIELDS, json_values)) | json_values


async def look_at(script: Script) -> JobStatus:
    async with raw_server(script) as server, stability_at(server.url) as stability:
        return await stability.status("j")


async def asked_in_vain(script: Script) -> Category:
    with pytest.raises(ProviderError) as raised:
        await look_at(script)
    return raised.value.failure.category


async def test_the_question_on_the_wire() -> None:
    script = answers(202, {"id": "j", "status": "in-progress"})
    async with raw_server(script) as server, stability_at(server.url) as stability:
        assert await stability.status("j") == JobStatus(state=JobState.RUNNING)
    headers = headers_of(server)
    assert server.head.startswith("GET /v2beta/image-to-video/result/j HTTP/1.1\r\n")
    assert (headers["accept"], headers["authorization"]) == ("video/*", "Bearer secret")


@pytest.mark.parametrize("body", [b"", b"{", [], {"status": "done"}, {"id": "another"}])
async def test_202_is_running_whatever_else_it_says(body: object) -> None:
    assert (await look_at(answers(202, body))).state is JobState.RUNNING


@pytest.mark.parametrize("more", [{"finish-reason": "SUCCESS"}, {}, {"Finish-Reason": " success "}])
async def test_a_video_is_success_and_lies_where_it_was_asked_for(more: dict[str, str]) -> None:
    script = answers(200, b"video", {**MP4, "seed": "42", **more})
    async with raw_server(script) as server, stability_at(server.url) as stability:
        look = await stability.status("j")
        url = f"{server.url}{PATH}/result/j"
        assert look == JobStatus(state=JobState.SUCCEEDED, output_url=url, seed=42)


async def test_a_video_is_not_read_to_know_that_it_is_there() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 99000000\r\n\r\n"
    assert (await look_at(sends(head + b"the beginning"))).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("seed", "kept"),
    [
        *(("0", 0), (" 7 ", 7), ("4294967294", 4_294_967_294), ("4294967295", None), ("-1", None)),
        *(("", None), ("1.0", None), ("1e3", None), ("7, 8", None), ("9" * 5000, None), ("x", None)),
    ],
)
async def test_a_seed_is_a_seed_or_nothing(seed: str, kept: int | None) -> None:
    assert (await look_at(answers(200, b"video", {**MP4, "seed": seed}))).seed == kept


FILTERED = [
    answers(200, b"video", {**MP4, "finish-reason": "CONTENT_FILTERED", "seed": "7"}),
    answers(200, {"video": "AAAA", "finish_reason": "CONTENT_FILTERED", "seed": 7}),
    answers(200, {"finish_reason": "CONTENT_FILTERED", "seed": "7"}, {"Content-Type": "application/json"}),
]


@pytest.mark.parametrize("script", FILTERED)
async def test_a_filtered_video_is_a_refusal_of_the_content_though_http_says_200(script: Script) -> None:
    look = await look_at(script)
    assert (look.state, look.output_url, look.cost, look.seed) == (JobState.FAILED, None, None, 7)
    assert look.failure is not None
    assert (look.failure.category, look.failure.code) == (POLICY, "CONTENT_FILTERED")
    assert look.failure.billed is None


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (answers(200, b"video", {**MP4, "finish-reason": "ERROR"}), "unknown_finish_reason"),
        (answers(200, {"video": "AAAA", "finish_reason": "SUCCESS", "seed": 7}), "video_in_json"),
        (answers(200, b"video", {"Content-Type": "application/octet-stream"}), "unknown_answer"),
        (answers(200, b"<html>", {"Content-Type": "text/html"}), "unknown_answer"),
        (answers(200, []), "unknown_answer"),
        (answers(200, {"finish_reason": ["CONTENT_FILTERED"]}), "unknown_answer"),
        (answers(200, b'{"finish_reason": ' + b"1" * 5000 + b"}"), "unknown_answer"),
    ],
)
async def test_a_200_that_is_neither_a_video_nor_a_refusal_is_worth_another_look(
    script: Script, code: str
) -> None:
    with pytest.raises(ProviderError) as raised:
        await look_at(script)
    assert (raised.value.failure.category, raised.value.failure.code) == (SERVER, code)


@pytest.mark.parametrize("body", [an_error("not_found", "no such result"), b"", b"<html>"])
async def test_a_job_that_the_server_no_longer_knows_is_gone(body: object) -> None:
    look = await look_at(answers(404, body))
    assert look.state is JobState.GONE
    assert look.failure is not None
    assert (look.failure.code, look.failure.billed) == ("job_gone", None)


@pytest.mark.parametrize(
    ("status", "name", "category"),
    [
        *((400, "bad_request", VALIDATION), (403, "content_moderation", POLICY)),
        *((413, "payload_too_large", VALIDATION), (422, "unprocessable_entity", VALIDATION)),
    ],
)
async def test_an_error_about_the_job_is_its_end(status: int, name: str, category: Category) -> None:
    look = await look_at(answers(status, an_error(name, "image: too blue")))
    assert (look.state, look.cost) == (JobState.FAILED, None)
    assert look.failure is not None
    assert (look.failure.category, look.failure.code, look.failure.billed) == (category, name, None)
    assert look.failure.detail.endswith("image: too blue")


@pytest.mark.parametrize(
    ("status", "name", "category"),
    [
        *((401, "unauthorized", Category.AUTH), (402, "payment_required", Category.QUOTA)),
        *((403, "permission_denied", Category.AUTH), (405, "method_not_allowed", VALIDATION)),
        *((429, "rate_limit_exceeded", Category.RATE_LIMIT), (500, "internal_error", SERVER)),
        *((502, "bad_gateway", Category.CAPACITY), (503, "unavailable", Category.CAPACITY)),
        *((504, "timeout", Category.CAPACITY), (302, "found", SERVER), (204, "", SERVER), (206, "", SERVER)),
    ],
)
async def test_an_error_about_the_question_is_worth_another_look(
    status: int, name: str, category: Category
) -> None:
    assert await asked_in_vain(answers(status, an_error(name, "no"), {"Location": "/"})) is category


@pytest.mark.parametrize("status", [400, 403, 413, 422])
@pytest.mark.parametrize(
    "body", [b"", b"<html>", {"id": 5, "name": "a", "errors": []}, {"name": "bad_request"}]
)
async def test_an_error_page_of_somebody_else_is_not_the_end_of_a_job(status: int, body: object) -> None:
    with pytest.raises(ProviderError):
        await look_at(answers(status, body))


@pytest.mark.parametrize("data", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"])
async def test_a_look_that_breaks_is_worth_another_look(data: bytes) -> None:
    assert await asked_in_vain(sends(data)) is Category.NETWORK


class Changing:
    """A server's script that answers what it is told last."""

    def __init__(self) -> None:
        self.now: Script = answers(202, {})

    async def __call__(self, *streams: Any) -> None:
        await self.now(*streams)


BROKEN = answers(500, an_error("internal_error", "CUDA out of memory"))


async def test_a_job_that_is_broken_at_every_look_has_failed() -> None:
    async with raw_server(BROKEN) as server, stability_at(server.url) as stability:
        await broken_looks(stability, "j", LOOKS_AT_A_BROKEN_JOB - 1)
        await broken_looks(stability, "another", 1)
        for _ in range(3):
            look = await stability.status("j")
            assert look.state is JobState.FAILED
            assert look.failure is not None
            assert (look.failure.category, look.failure.billed) == (SERVER, None)
            assert "CUDA out of memory" in look.failure.detail


@pytest.mark.parametrize("between", [answers(202, {}), answers(200, b"video", MP4), answers(503, b"")])
async def test_a_server_that_recovers_in_between_has_not_failed_the_job(between: Script) -> None:
    script = Changing()
    async with raw_server(script) as server, stability_at(server.url) as stability:
        for _ in range(3):
            script.now = BROKEN
            await broken_looks(stability, "j", LOOKS_AT_A_BROKEN_JOB - 1)
            script.now = between
            with suppress(ProviderError):
                await stability.status("j")


async def test_a_500_that_is_not_of_this_wire_never_fails_a_job() -> None:
    async with raw_server(answers(500, b"<html>Oops")) as server, stability_at(server.url) as stability:
        await broken_looks(stability, "j", 2 * LOOKS_AT_A_BROKEN_JOB)


async def test_only_so_many_broken_jobs_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.stable_video.account._MAX_REMEMBERED", 3)
    async with raw_server(BROKEN) as server, stability_at(server.url) as stability:
        await broken_looks(stability, "first", LOOKS_AT_A_BROKEN_JOB - 1)
        for job_id in ("a", "b", "c"):
            await broken_looks(stability, job_id, 1)
        await broken_looks(stability, "first", 1)
        await broken_looks(stability, "c", LOOKS_AT_A_BROKEN_JOB - 2)
        assert (await stability.status("c")).state is JobState.FAILED


async def test_the_key_is_in_no_failure_of_a_look() -> None:
    script = answers(400, an_error("secret", "The key secret is odd"))
    look = await look_at(script)
    assert look.failure is not None
    assert "secret" not in look.model_dump_json()
    assert look.failure.code == "http_400"


async def test_through_a_retired_door_no_question_goes() -> None:
    script = answers(404, {})
    async with raw_server(script) as server, stability_at(server.url, is_retired=True) as stability:
        with pytest.raises(ProviderError) as raised:
            await stability.status("j")
    assert raised.value.failure.category is Category.RETIRED
    assert server.connections == 0


@settings(max_examples=200, deadline=None, database=None)
@given(bodies, st.sampled_from([200, 202, 400, 403, 404, 429, 500]))
def test_any_json_can_be_read_and_kept_or_asked_again(body: object, status: int) -> None:
    answer = httpx.Response(status, content=json.dumps(body).encode())
    assert failure_of(answer, "secret", billed=None).model_dump_json().encode()
    try:
        look = read_result(answer, URL)
    except ProviderError:
        return
    assert look.model_dump_json().encode()
    assert look.seed is None or 0 <= look.seed < 2**32


@settings(max_examples=200, deadline=None, database=None)
@given(st.dictionaries(st.sampled_from(["finish-reason", "seed"]), st.binary()))
def test_any_headers_beside_a_video_can_be_read_or_asked_again(headers: dict[str, bytes]) -> None:
    raw = [(name.encode(), value) for name, value in headers.items()]
    answer = httpx.Response(200, headers=[*raw, (b"content-type", b"video/mp4")])
    try:
        look = read_result(answer, URL)
    except ProviderError:
        return
    assert look.model_dump_json().encode()


async def test_nothing_is_stopped_looked_up_or_listed_and_nobody_is_asked() -> None:
    async with raw_server(answers(200, {})) as server, stability_at(server.url) as stability:
        for seen in (QUEUED, RUNNING):
            assert await stability.cancel("j", seen) is CancelReply.REFUSED
        assert stability.cancel_is_billed(RUNNING) is None
        assert stability.listing_delay == timedelta()
        with pytest.raises(CannotAsk, match=r"gen_.*\.1\.1"):
            await stability.find(a_job_order(), datetime.now(UTC))
    assert server.connections == 0


async def test_by_itself_it_looks_no_more_often_than_the_vendor_asks() -> None:
    stability = Stability(base_url="http://127.0.0.1:9", api_key="secret")
    assert stability.poll_interval == POLL_INTERVAL == timedelta(seconds=10)
    await stability.close()
