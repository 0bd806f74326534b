"""What is sent to Stable Video to make a job, and what each answer to it means."""

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, NotSent, Rejected, Unknown
from providers.base import JobOrder
from providers.stable_video.account import form_fields
from tests.providers.orders import REFERENCE, Permission
from tests.providers.raw import answers, raw_server
from tests.providers.stability import (
    MOST_SEED,
    PATH,
    a_job_order,
    a_picture,
    a_plan,
    an_error,
    form_of,
    headers_of,
    stability_at,
    submitted,
)
from tests.sandbox.live import LiveSandbox


async def test_the_request_on_the_wire() -> None:
    async with raw_server(answers(200, {"id": "job-1"})) as server, stability_at(server.url) as stability:
        result = await submitted(stability, options={"cfg_scale": 2.5, "motion_bucket_id": 40})
    assert result == Accepted(job_id="job-1")
    headers = headers_of(server)
    assert server.head.startswith("POST /v2beta/image-to-video HTTP/1.1\r\n")
    assert headers["authorization"] == "Bearer secret"
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert headers["idempotency-key"] == REFERENCE
    assert headers["user-agent"].startswith("VideoPlanet/")
    assert await form_of(server) == [
        *(("seed", "7"), ("cfg_scale", "2.5"), ("motion_bucket_id", "40")),
        ("image", ("picture.jpg", "image/jpeg", a_picture())),
    ]


async def test_what_was_not_asked_for_is_left_to_the_server() -> None:
    async with raw_server(answers(200, {"id": "job-1"})) as server, stability_at(server.url) as stability:
        await submitted(stability, options={"generate_audio": True})
    assert [name for name, _ in await form_of(server)] == ["seed", "image"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((0, "0"), (10, "10"), (0.0, "0.0"), (1.8, "1.8"), (10.0, "10.0")),
        *((0.00001, "0.00001"), (1e-7, "0.0000001")),
    ],
)
def test_a_number_is_written_in_plain_digits(value: float, written: str) -> None:
    assert form_fields(a_job_order(options={"cfg_scale": value}))["cfg_scale"] == written


def test_each_attempt_has_a_seed_of_its_own_unless_the_user_gave_one() -> None:
    seeds = [int(form_fields(a_job_order(attempt=attempt))["seed"]) for attempt in (1, 2, 3)]
    assert len(set(seeds)) == 3
    assert all(1 <= seed <= MOST_SEED for seed in seeds)
    assert form_fields(a_job_order(attempt=2, seed_is_given=True))["seed"] == "7"


async def test_without_a_key_none_is_sent() -> None:
    script = answers(200, {"id": "job-1"})
    async with raw_server(script) as server, stability_at(server.url, key="") as stability:
        assert await submitted(stability) == Accepted(job_id="job-1")
        assert stability.output_headers == {"Accept": "video/*"}
    assert "authorization" not in headers_of(server)


async def test_a_base_url_may_have_a_path_and_a_slash_at_its_end() -> None:
    script = answers(200, {"id": "job-1"})
    async with raw_server(script) as server, stability_at(f"{server.url}/video/") as stability:
        await submitted(stability)
    assert server.head.startswith("POST /video/v2beta/image-to-video HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("width", "height", "seed"), [(1024, 576, 1), (576, 1024, MOST_SEED), (768, 768, 42)]
)
async def test_the_sandbox_takes_what_we_send_and_records_our_reference(
    sandbox: LiveSandbox, width: int, height: int, seed: int
) -> None:
    options = {"cfg_scale": 0.00001, "motion_bucket_id": 255}
    async with stability_at(sandbox.base_url) as stability:
        result = await submitted(stability, width=width, height=height, seed=seed, options=options)
    (job,) = sandbox.jobs()
    assert result == Accepted(job_id=job["job_id"])
    assert (job["provider"], job["client_reference"]) == ("stable-video", REFERENCE)
    asked = job["request"]
    assert (asked["seed"], asked["cfg_scale"], asked["motion_bucket_id"]) == (str(seed), "0.00001", "255")
    assert asked["image"].startswith(f"JPEG of {width}x{height} ")


@pytest.mark.parametrize(
    ("status", "name", "category"),
    [
        (400, "bad_request", Category.VALIDATION),
        (401, "unauthorized", Category.AUTH),
        (402, "payment_required", Category.QUOTA),
        (403, "content_moderation", Category.CONTENT_POLICY),
        (403, "flagged", Category.CONTENT_POLICY),
        (403, "unauthorized", Category.AUTH),
        (403, "permission_denied", Category.AUTH),
        (403, "invalid_api_key", Category.AUTH),
        (404, "not_found", Category.VALIDATION),
        (405, "method_not_allowed", Category.VALIDATION),
        (413, "payload_too_large", Category.VALIDATION),
        (422, "unprocessable_entity", Category.VALIDATION),
        (429, "rate_limit_exceeded", Category.RATE_LIMIT),
        (418, "teapot", Category.SERVER_ERROR),
    ],
)
async def test_a_clear_refusal_is_rejected_and_not_billed(status: int, name: str, category: Category) -> None:
    script = answers(status, an_error(name, "image: is too blue", "seed: is odd"), {"Retry-After": "8"})
    async with raw_server(script) as server, stability_at(server.url) as stability:
        result = await submitted(stability)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (category, name)
    assert result.failure.billed is False
    assert result.failure.detail.endswith(f"answered {status}: image: is too blue; seed: is odd")
    assert result.failure.retry_after_seconds == 8
    assert server.requests == 1


async def test_a_server_without_the_route_is_named_as_such() -> None:
    async with raw_server(answers(404, b"<html>Not here")) as server, stability_at(server.url) as stability:
        result = await submitted(stability)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (Category.VALIDATION, "http_404")
    assert "the server at this account's base url has no stable video" in result.failure.detail.lower()


@pytest.mark.parametrize("body", [b"", b"<html>Forbidden</html>", {"detail": "no"}, {"name": 5}])
async def test_a_403_that_is_not_of_this_wire_blames_the_key_and_not_the_picture(body: object) -> None:
    async with raw_server(answers(403, body)) as server, stability_at(server.url) as stability:
        result = await submitted(stability)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (Category.AUTH, "http_403")


@pytest.mark.parametrize("status", [*(500, 501, 502, 503, 504, 520, 599), *(408, 425, 499), *(302, 307, 308)])
async def test_an_unclear_answer_may_have_made_a_job(status: int) -> None:
    script = answers(status, an_error("internal_error", "Oops"), {"Location": PATH})
    async with raw_server(script) as server, stability_at(server.url) as stability:
        result = await submitted(stability)
    assert isinstance(result, Unknown)
    assert (result.client_reference, result.failure.category) == (REFERENCE, Category.SUBMISSION_UNKNOWN)
    assert result.failure.billed is None
    assert (server.connections, server.requests) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"id": None}, {"id": ""}, {"id": 5}, {"id": ["x"]}, {"ID": "x"}, [], "job-1", 5, None),
        *({"id": "a/b"}, {"id": "a b"}, {"id": "a?b"}, {"id": "a%2f"}, {"id": "é"}, {"id": "x" * 256}),
        *({"id": "."}, {"id": ".."}, {"id": "a\n"}),
        *(b"", b"{", b"<html>", b'{"id": "job', b"\xff\xfe\x00", b"NaN", b"[" * 100_000),
        *(b'{"id": ' + b"1" * 5000 + b"}", b'{"id": "\\ud83d"}'),
    ],
)
async def test_success_without_a_usable_id_may_have_made_a_job(body: object) -> None:
    async with raw_server(answers(200, body)) as server, stability_at(server.url) as stability:
        result = await submitted(stability)
    assert isinstance(result, Unknown)
    assert server.requests == 1


@pytest.mark.parametrize(("status", "job_id"), [(200, "a" * 64), (201, "x" * 255), (202, "A.b:c~d-e_9")])
async def test_any_success_with_an_id_is_accepted(status: int, job_id: str) -> None:
    script = answers(status, {"id": job_id, "new": [1]})
    async with raw_server(script) as server, stability_at(server.url) as stability:
        assert await submitted(stability) == Accepted(job_id=job_id)


@pytest.mark.parametrize(
    "body",
    [
        *([], None, "no", {"id": 1, "name": ["a"], "errors": "b"}, {"name": "", "errors": {"a": 1}}),
        *(an_error("a b"), an_error("x" * 101), an_error(None, None, 5, ["x"]), an_error("né")),
        *(b"", b"\xff", b'{"name": "\\ud83d\\u0000", "errors": ["\\ud83d\\u0000"]}'),
    ],
)
async def test_a_refusal_in_any_form_is_still_a_refusal(body: object) -> None:
    async with raw_server(answers(400, body)) as server, stability_at(server.url) as stability:
        result = await submitted(stability)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (Category.VALIDATION, "http_400")
    assert "\\u0000" not in result.failure.model_dump_json()


async def test_a_novel_in_an_error_is_cut() -> None:
    script = answers(400, an_error("bad_request", *("x" * 99 for _ in range(99))))
    async with raw_server(script) as server, stability_at(server.url) as stability:
        result = await submitted(stability)
    assert isinstance(result, Rejected)
    assert len(result.failure.detail) < 500


@pytest.mark.parametrize("key", ["sk-9f8e7d6c5b4a", "x" * 390 + "y"])
async def test_a_server_that_repeats_the_key_does_not_make_us_tell_it(key: str) -> None:
    script = answers(401, an_error(key, f"authorization: no such key: Bearer {key}", f"{key}{key}"))
    async with raw_server(script) as server, stability_at(server.url, key=key) as stability:
        result = await submitted(stability)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (Category.AUTH, "http_401")
    assert key[:12] not in result.failure.model_dump_json()


async def test_through_a_retired_door_nothing_goes() -> None:
    permission = Permission()
    script = answers(200, {"id": "never"})
    async with raw_server(script) as server, stability_at(server.url, is_retired=True) as stability:
        result = await submitted(stability, permission)
    assert isinstance(result, NotSent)
    assert (result.failure.category, result.failure.code) == (Category.RETIRED, "api_retired")
    assert result.failure.billed is False
    assert "2025-07-24" in result.failure.detail
    assert "VIDEOPLANET_STABILITY_BASE_URL" in result.failure.detail
    assert (permission.asked, server.connections) == (0, 0)


async def test_an_order_without_a_picture_is_not_sent() -> None:
    permission = Permission()
    async with raw_server(answers(200, {"id": "never"})) as server, stability_at(server.url) as stability:
        result = await stability.submit(JobOrder(a_plan(), REFERENCE), permission)
    assert isinstance(result, NotSent)
    assert (result.failure.category, result.failure.code) == (Category.VALIDATION, "image_required")
    assert (permission.asked, server.connections) == (0, 0)


async def test_a_wrong_key_and_a_wrong_size_are_told_as_such_by_the_sandbox(sandbox: LiveSandbox) -> None:
    async with stability_at(sandbox.base_url, key="invalid") as stranger:
        refused = await submitted(stranger)
    async with stability_at(sandbox.base_url) as stability:
        wrong = await submitted(stability, width=640, height=640)
    assert isinstance(refused, Rejected)
    assert refused.failure.category is Category.AUTH
    assert isinstance(wrong, Rejected)
    assert (wrong.failure.category, "not 640x640" in wrong.failure.detail) == (Category.VALIDATION, True)
    assert sandbox.jobs() == []
