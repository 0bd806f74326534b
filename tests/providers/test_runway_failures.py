"""Every failure that the contract lists, as category and bill."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts.failures import Category
from domain.attempts.outcomes import JobState
from providers.base import ProviderError
from providers.outgoing.http import retry_after_seconds
from providers.runway.tasks import failure_of_answer, read_task
from tests.providers.orders import submitted
from tests.providers.raw import answers, raw_server, runway_at
from tests.sandbox.live import LiveSandbox

POLICY, SERVER, CAPACITY = Category.CONTENT_POLICY, Category.SERVER_ERROR, Category.CAPACITY
KEY = "key_0123.456789abcdef"
CODES = [
    ("SAFETY.INPUT.TEXT", POLICY, True, "SAFETY.INPUT"),
    ("SAFETY.INPUT.IMAGE", POLICY, True, "SAFETY.INPUT"),
    ("SAFETY.INPUT", POLICY, True, "SAFETY.INPUT"),
    ("SAFETY.OUTPUT.VIDEO", POLICY, False, "SAFETY.OUTPUT"),
    ("SAFETY.SOMETHING.NEW", POLICY, None, "SAFETY.SOMETHING"),
    ("SAFETY", POLICY, None, "SAFETY"),
    ("INPUT_PREPROCESSING.SAFETY.TEXT", POLICY, None, "INPUT_PREPROCESSING.SAFETY"),
    ("INPUT_PREPROCESSING.SAFETY.THIRD_PARTY", POLICY, None, "INPUT_PREPROCESSING.SAFETY"),
    ("INPUT_PREPROCESSING.INTERNAL", SERVER, None, None),
    ("INTERNAL.BAD_OUTPUT.CODE01", SERVER, False, None),
    ("INTERNAL", SERVER, None, None),
    ("INTERNAL.SOMETHING", SERVER, None, None),
    ("ASSET.INVALID", Category.VALIDATION, None, None),
    ("THIRD_PARTY.UNAVAILABLE", CAPACITY, None, None),
    ("THIRD_PARTY.INPUT_VALIDATION", Category.VALIDATION, None, None),
    ("BRAND_NEW.CODE", SERVER, None, None),
    ("SAFETYNET", SERVER, None, None),
    ("internal", SERVER, None, None),
]


@pytest.mark.parametrize(("code", "category", "billed", "shown"), CODES)
def test_each_failure_code(code: str, category: Category, billed: bool | None, shown: str | None) -> None:
    look = read_task({"status": "FAILED", "failure": "It did not work.", "failureCode": code})
    assert look.state is JobState.FAILED
    assert look.failure is not None
    assert (look.failure.category, look.failure.billed) == (category, billed)
    assert look.failure.code == (shown or code)
    assert look.failure.detail == "It did not work."


@pytest.mark.parametrize("more", [{}, {"failureCode": None}, {"failureCode": ""}, {"failure": None}])
def test_a_failure_without_a_code_is_the_providers_fault(more: dict[str, object]) -> None:
    failure = read_task({"status": "FAILED", **more}).failure
    assert failure is not None
    assert (failure.category, failure.billed) == (SERVER, None)
    assert failure.detail


def test_a_cancel_that_was_not_ours_says_so() -> None:
    failure = read_task({"status": "CANCELLED"}).failure
    assert failure is not None
    assert failure.code == "cancelled_at_provider"


@pytest.mark.parametrize(("code", "credits_paid"), [("SAFETY.INPUT.TEXT", 60), ("INTERNAL", 0)])
async def test_the_bill_of_a_failure_is_what_the_task_says(
    sandbox: LiveSandbox, code: str, credits_paid: int
) -> None:
    async with runway_at(sandbox.base_url) as runway:
        await submitted(runway, prompt=f"A fox [sandbox:fail_job={code}]")
        (job,) = sandbox.jobs()
        look = await runway.status(job["job_id"])
    assert look.cost == credits_paid * 10_000
    assert look.failure is not None


@pytest.mark.parametrize(
    ("status", "text", "category"),
    [
        *((400, "bad", Category.VALIDATION), (400, "Not enough credits", Category.QUOTA)),
        *((401, "", Category.AUTH), (404, "", Category.VALIDATION), (405, "", Category.VALIDATION)),
        *((429, "", Category.RATE_LIMIT), (429, "daily limit", Category.QUOTA)),
        *(
            (500, "", SERVER),
            (502, "", CAPACITY),
            (503, "", CAPACITY),
            (504, "", CAPACITY),
            (418, "", SERVER),
        ),
    ],
)
def test_each_http_error(status: int, text: str, category: Category) -> None:
    failure = failure_of_answer(httpx.Response(status, json={"error": text}), "")
    assert (failure.category, failure.code) == (category, f"http_{status}")


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"error": {"deep": 1}}', b"\xff"])
def test_an_error_page_of_somebody_else_is_still_a_failure(content: bytes) -> None:
    failure = failure_of_answer(httpx.Response(503, content=content), "")
    assert (failure.category, "503" in failure.detail) == (CAPACITY, True)


def test_a_novel_in_an_error_is_cut() -> None:
    assert len(failure_of_answer(httpx.Response(400, json={"error": "x" * 9999}), "").detail) < 500


def waiting(value: str) -> float | None:
    return retry_after_seconds(httpx.Response(429, headers={"Retry-After": value}))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("0", 0), ("1", 1), ("1.5", 1.5), ("3600", 3600), ("-5", 0), (" 7 ", 7)),
        *(("soon", None), ("", None), ("nan", None), ("inf", None), ("-inf", None), ("1e999", None)),
        *(("Mon, 23 Nov 2020 12:00:00 GMT", 0), ("Mon, 99 Nov 2020 12:00:00 GMT", None)),
        ("Mon, 23 Nov 99999999999999 12:00:00 GMT", None),
    ],
)
def test_a_wait_in_seconds_or_until_a_date(value: str, seconds: float | None) -> None:
    assert waiting(value) == seconds


def test_a_date_to_come_is_waited_for() -> None:
    seconds = waiting(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    assert seconds is not None
    assert 85 <= seconds <= 90


@settings(deadline=None, database=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.floats().map(str))
def test_a_wait_is_never_negative_endless_or_a_crash(value: str) -> None:
    seconds = waiting(value)
    assert seconds is None or 0 <= seconds < float("inf")


def test_without_the_header_nobody_asked_us_to_wait() -> None:
    assert retry_after_seconds(httpx.Response(429)) is None
    answer = httpx.Response(429, headers={"Retry-After": "8"})
    assert failure_of_answer(answer, "").retry_after_seconds == 8


@pytest.mark.parametrize(
    "said", [f"The key {KEY} is wrong.", "x" * 490 + KEY, "x" * 390 + KEY, f"{KEY}{KEY} " * 50]
)
@pytest.mark.parametrize("code", [KEY, f"SAFETY.{KEY}", "x" * 90 + KEY, {"of": KEY}])
async def test_no_failure_of_a_task_quotes_the_key_or_half_of_it(said: str, code: object) -> None:
    task = {"status": "FAILED", "failure": said, "failureCode": code}
    async with raw_server(answers(200, task)) as server, runway_at(server.url, key=KEY) as runway:
        look = await runway.status("t")
    assert look.failure is not None
    assert KEY[:6] not in look.failure.model_dump_json()
    assert (len(look.failure.code) <= 100, len(look.failure.detail) <= 500) == (True, True)


@pytest.mark.parametrize("said", [KEY, "x" * 30 + KEY, "x" * 390 + KEY, ["no", KEY]])
@pytest.mark.parametrize(("status", "field"), [(200, "status"), (401, "error"), (500, "error")])
async def test_no_question_without_an_answer_quotes_the_key_or_half_of_it(
    said: object, status: int, field: str
) -> None:
    script = answers(status, {field: said})
    async with raw_server(script) as server, runway_at(server.url, key=KEY) as runway:
        with pytest.raises(ProviderError) as looked:
            await runway.status("t")
    assert KEY[:6] not in str(looked.value)
