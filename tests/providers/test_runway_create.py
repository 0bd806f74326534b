"""What is sent to create a task, and what each answer to it means."""

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, NotSent, Rejected, Unknown
from providers.base import JobOrder
from providers.runway.account import create_body
from tests.factories import PROMPT, a_plan, an_image_plan
from tests.line_up import a_picture
from tests.providers.orders import REFERENCE, Permission, a_job_order, submitted
from tests.providers.raw import answers, raw_server, runway_at
from tests.sandbox.live import LiveSandbox


def test_an_order_from_text_is_written_in_runways_words() -> None:
    assert create_body(a_job_order()) == {
        "model": "gen4.5",
        "promptText": PROMPT,
        "ratio": "1280:720",
        "duration": 5,
        "seed": 7,
    }


def test_an_order_from_an_image_carries_the_image() -> None:
    plan = an_image_plan(width=960, height=960)
    body = create_body(JobOrder(plan=plan, client_reference=REFERENCE, picture=b"\xff\xd8\xff"))
    assert (body["promptImage"], body["ratio"]) == ("data:image/jpeg;base64,/9j/", "960:960")


def test_a_later_attempt_has_a_seed_of_its_own_unless_the_user_gave_one() -> None:
    def seed(attempt: int, *, given: bool) -> int:
        plan = a_plan(seed_is_given=given)
        order = JobOrder(plan=plan, client_reference=REFERENCE, attempt=attempt)
        return int(create_body(order)["seed"])

    assert seed(1, given=False) == seed(1, given=True) == seed(2, given=True) == 7
    assert seed(2, given=False) not in {7, seed(3, given=False)}


def test_the_threshold_for_public_figures_is_sent_where_it_was_asked_for() -> None:
    body = create_body(a_job_order(options={"public_figure_threshold": "low"}))
    assert body["contentModeration"] == {"publicFigureThreshold": "low"}


async def test_the_request_on_the_wire() -> None:
    async with raw_server(answers(200, {"id": "task-1"})) as server, runway_at(server.url) as runway:
        assert await submitted(runway) == Accepted(job_id="task-1")
    line, *lines = server.head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    assert line == "POST /v1/text_to_video HTTP/1.1"
    assert headers["authorization"] == "Bearer secret"
    assert headers["x-runway-version"] == "2024-11-06"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == REFERENCE
    assert headers["user-agent"].startswith("VideoPlanet/")
    assert server.body == create_body(a_job_order())


async def test_an_order_from_an_image_goes_to_its_own_path(sandbox: LiveSandbox) -> None:
    picture = a_picture(1280, 720, "JPEG")
    order = JobOrder(plan=an_image_plan(), client_reference=REFERENCE, picture=picture)
    async with runway_at(sandbox.base_url) as runway:
        assert isinstance(await runway.submit(order, Permission()), Accepted)
    (job,) = sandbox.jobs()
    assert job["request"]["promptImage"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize("prompt", ["x" * 1000, "\N{FOX FACE}" * 500, 'quotes " \\ and \n lines'])
async def test_the_sandbox_takes_what_we_send_and_records_our_reference(
    sandbox: LiveSandbox, prompt: str
) -> None:
    async with runway_at(sandbox.base_url) as runway:
        result = await submitted(runway, prompt=prompt)
    (job,) = sandbox.jobs()
    assert result == Accepted(job_id=job["job_id"])
    assert (job["client_reference"], job["request"]["promptText"]) == (REFERENCE, prompt)


@pytest.mark.parametrize(
    ("status", "text", "category"),
    [
        (400, "Validation of body failed", Category.VALIDATION),
        (400, "You do not have enough credits to run this task.", Category.QUOTA),
        (401, "You did not provide a valid API key.", Category.AUTH),
        (403, "", Category.AUTH),
        (404, "", Category.VALIDATION),
        (405, "", Category.VALIDATION),
        (422, "", Category.VALIDATION),
        (429, "Too many requests", Category.RATE_LIMIT),
        (429, "You have reached the daily generation limit of gen4.5.", Category.QUOTA),
        (503, "Load shedding", Category.CAPACITY),
    ],
)
async def test_a_clear_refusal_is_rejected_and_not_billed(status: int, text: str, category: Category) -> None:
    async with raw_server(answers(status, {"error": text})) as server, runway_at(server.url) as runway:
        result = await submitted(runway)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (category, f"http_{status}")
    assert result.failure.billed is False
    assert text in result.failure.detail
    assert server.requests == 1


@pytest.mark.parametrize(
    "status", [*(500, 501, 502, 504, 505, 520, 599), *(301, 302, 307, 308), *(408, 425, 499)]
)
async def test_an_unclear_answer_may_have_made_a_task(status: int) -> None:
    script = answers(status, {"error": "Oops"}, {"Location": "/v1/text_to_video"})
    async with raw_server(script) as server, runway_at(server.url) as runway:
        result = await submitted(runway)
    assert isinstance(result, Unknown)
    assert (result.client_reference, result.failure.category) == (REFERENCE, Category.SUBMISSION_UNKNOWN)
    assert server.connections == 1


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"id": None}, {"id": ""}, {"id": 5}, {"id": ["x"]}, {"ID": "x"}, [], "task-1", 5, None),
        *(
            {"id": "."},
            {"id": ".."},
            {"id": "..."},
            {"id": "a/b"},
            {"id": "a b"},
            {"id": "a?b"},
            {"id": "a\n"},
        ),
        *({"id": "x" * 256}, {"id": "é"}),
        *(b"", b"{", b"<html>", b'{"id": "task', b"\xff\xfe\x00", b"NaN", b"[" * 100_000),
        *(b'{"id": ' + b"1" * 5000 + b"}", b'{"id": "\\ud83d"}'),
    ],
)
async def test_success_without_a_task_id_may_have_made_a_task(body: object) -> None:
    async with raw_server(answers(200, body)) as server, runway_at(server.url) as runway:
        result = await submitted(runway)
    assert isinstance(result, Unknown)
    assert server.requests == 1


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_success_with_a_task_id_is_accepted(status: int) -> None:
    async with (
        raw_server(answers(status, {"id": "t", "new": [1]})) as server,
        runway_at(server.url) as runway,
    ):
        assert await submitted(runway) == Accepted(job_id="t")


async def test_half_a_character_in_an_error_text_is_still_a_refusal() -> None:
    body = b'{"error": "Not \\ud83d\\u0000 allowed"}'
    async with raw_server(answers(400, body)) as server, runway_at(server.url) as runway:
        result = await submitted(runway)
    assert isinstance(result, Rejected)
    assert "\0" not in result.failure.model_dump_json()


async def test_a_wrong_key_is_told_as_such_by_the_sandbox(sandbox: LiveSandbox) -> None:
    async with runway_at(sandbox.base_url, key="invalid") as runway:
        result = await submitted(runway)
    assert isinstance(result, Rejected)
    assert result.failure.category is Category.AUTH


async def test_a_refusal_that_repeats_the_key_does_not_make_us_tell_it() -> None:
    key = "key_0123456789abcdef"
    script = answers(401, {"error": "x" * 390 + f"{key} is no key"})
    async with raw_server(script) as server, runway_at(server.url, key=key) as runway:
        result = await submitted(runway)
    assert isinstance(result, Rejected)
    assert key[:6] not in result.failure.model_dump_json()


async def test_nobody_listening_means_that_nothing_was_sent() -> None:
    async with raw_server(answers(200)) as server:
        url = server.url
    permission = Permission()
    async with runway_at(url) as runway:
        result = await submitted(runway, permission)
    assert isinstance(result, NotSent)
    assert (result.failure.category, result.failure.billed) == (Category.NETWORK, False)
    assert permission.asked == 0
