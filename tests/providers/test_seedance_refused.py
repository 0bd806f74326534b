"""What each answer to a Seedance order means: refused by its code, accepted with an id, or unclear."""

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Accepted, Rejected, Unknown
from tests.providers.orders import REFERENCE
from tests.providers.raw import answers, raw_server
from tests.providers.seedance_orders import (
    KEY,
    PATH,
    error_body,
    seedance_at,
    sent,
)

POLICY, VALIDATION = Category.CONTENT_POLICY, Category.VALIDATION
REFUSALS = [
    *((400, "MissingParameter", VALIDATION), (400, "InvalidParameter", VALIDATION)),
    *(
        (400, "InvalidParameter.UnsupportedImageFormat", VALIDATION),
        (400, "InvalidParameter.A.B", VALIDATION),
    ),
    (400, "InvalidEndpoint.ClosedEndpoint", Category.CAPACITY),
    (400, "SensitiveContentDetected", POLICY),
    (400, "SensitiveContentDetected.SevereViolation", POLICY),
    (400, "SensitiveContentDetected.Violence", POLICY),
    *((400, f"Input{kind}SensitiveContentDetected", POLICY) for kind in ("Text", "Image", "Video", "Audio")),
    (400, "InputTextSensitiveContentDetected.PolicyViolation", POLICY),
    (400, "InputImageSensitiveContentDetected.PrivacyInformation", POLICY),
    (400, "InputVideoSensitiveContentDetected.PrivacyInformation", POLICY),
    (400, "InputAudioSensitiveContentDetected.PolicyViolation", POLICY),
    (401, "AuthenticationError", Category.AUTH),
    (403, "AccessDenied", Category.AUTH),
    (403, "AccountOverdueError", Category.QUOTA),
    (404, "InvalidEndpoint.NotFound", VALIDATION),
    (404, "ModelNotOpen", Category.AUTH),
    (404, "ResourceNotFound", VALIDATION),
    (409, "InvalidAction.RunningTaskDeletion", VALIDATION),
    (429, "RateLimitExceeded.EndpointRPMExceeded", Category.RATE_LIMIT),
    (429, "RateLimitExceeded.EndpointTPMExceeded", Category.RATE_LIMIT),
    (429, "ModelAccountRpmRateLimitExceeded", Category.RATE_LIMIT),
    (429, "ModelAccountTpmRateLimitExceeded", Category.RATE_LIMIT),
    (429, "QuotaExceeded", Category.QUOTA),
    (429, "ServerOverloaded", Category.CAPACITY),
    (429, "ModelLoadingError", Category.CAPACITY),
    # codes under a status that is not their own, and codes that nobody has heard of
    *((400, "QuotaExceeded", Category.QUOTA), (403, "ServerOverloaded", Category.CAPACITY)),
    *((429, "InvalidParameter", VALIDATION), (401, "InputTextSensitiveContentDetected", POLICY)),
    *((400, "BrandNew", VALIDATION), (401, "BrandNew", Category.AUTH), (403, "BrandNew", Category.AUTH)),
    *((404, "BrandNew", VALIDATION), (422, "BrandNew", VALIDATION), (429, "BrandNew", Category.RATE_LIMIT)),
    *((429, "QuotaExceededNot", Category.RATE_LIMIT), (400, "quotaexceeded", VALIDATION)),
]


@pytest.mark.parametrize(("status", "code", "category"), REFUSALS)
async def test_a_clear_refusal_is_rejected_by_its_code_and_not_billed(
    status: int, code: str, category: Category
) -> None:
    script = answers(status, error_body(code), {"Retry-After": "8"})
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Rejected)
    failure = result.failure
    assert (failure.category, failure.code, failure.billed) == (category, code, False)
    assert failure.detail == f"Seedance refused the request with {status}: It was not done."
    assert failure.retry_after_seconds == 8
    assert server.requests == 1


@pytest.mark.parametrize(
    ("status", "category"),
    [
        *((400, VALIDATION), (401, Category.AUTH), (403, Category.AUTH), (404, VALIDATION)),
        *((413, VALIDATION), (429, Category.RATE_LIMIT)),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", [], "no", None, {"error": None}, {"error": "no"}, {"error": {}}),
        *(error_body(None, None), error_body(5, 5), error_body(""), error_body("two words")),
        *(error_body("x" * 101), error_body(["QuotaExceeded"]), {"error": [error_body("QuotaExceeded")]}),
    ],
)
async def test_a_refusal_without_a_usable_code_is_read_by_its_status(
    status: int, category: Category, body: object
) -> None:
    async with raw_server(answers(status, body)) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Rejected)
    assert (result.failure.category, result.failure.code) == (category, f"http_{status}")
    assert str(status) in result.failure.detail


@pytest.mark.parametrize("code", ["InternalServiceError", "ServerOverloaded", "InvalidParameter", None])
@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 599, 301, 302, 307, 308, 408, 425, 499])
async def test_an_unclear_answer_may_have_made_a_task(status: int, code: str | None) -> None:
    script = answers(status, error_body(code), {"Location": PATH})
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Unknown)
    assert (result.client_reference, result.failure.category) == (REFERENCE, Category.SUBMISSION_UNKNOWN)
    assert str(status) in result.failure.detail
    assert server.connections == 1


async def test_a_client_error_that_says_it_is_the_servers_is_unclear() -> None:
    script = answers(400, error_body("InternalServiceError"))
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Unknown)
    assert "InternalServiceError" in result.failure.detail


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"id": None}, {"id": ""}, {"id": 5}, {"id": ["x"]}, {"ID": "x"}, [], "cgt-1", 5, None),
        *({"id": ".."}, {"id": "."}, {"id": "a/b"}, {"id": "a b"}, {"id": "a?b"}, {"id": "x" * 256}),
        *({"id": "é"}, {"id": "x\n"}, {"data": {"id": "cgt-1"}}),
        *(b"", b"{", b"<html>", b'{"id": "cgt', b"\xff\xfe\x00", b"NaN", b"[" * 100_000),
        *(b'{"id": ' + b"1" * 5000 + b"}", b'{"id": "\\ud83d"}'),
    ],
)
async def test_success_without_a_task_id_may_have_made_a_task(body: object) -> None:
    async with raw_server(answers(200, body)) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Unknown)
    assert server.requests == 1


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("task_id", ["cgt-20261123120000-x7f2k", "a", "a.b:c~d_e", "x" * 255])
async def test_any_success_with_a_task_id_is_accepted(status: int, task_id: str) -> None:
    script = answers(status, {"id": task_id, "safety_identifier": REFERENCE, "new": [1]})
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        assert await sent(seedance) == Accepted(job_id=task_id)


@pytest.mark.parametrize(
    "message",
    [
        f"The key {KEY} is wrong.",
        "x" * 390 + KEY,
        f"{KEY}{KEY} " * 50,
    ],
)
async def test_no_failure_quotes_the_key_or_half_of_it(message: str) -> None:
    script = answers(401, error_body(f"Bad.{KEY}", message))
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Rejected)
    assert KEY[:8] not in result.failure.model_dump_json()


async def test_half_a_character_in_an_error_text_is_still_a_refusal() -> None:
    body = b'{"error": {"code": "InvalidParameter", "message": "Not \\ud83d\\u0000 allowed"}}'
    async with raw_server(answers(400, body)) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Rejected)
    assert result.failure.code == "InvalidParameter"
    assert "\0" not in result.failure.model_dump_json()


async def test_a_novel_in_an_error_is_cut() -> None:
    script = answers(400, error_body("InvalidParameter", "word\n " * 9999))
    async with raw_server(script) as server, seedance_at(server.url) as seedance:
        result = await sent(seedance)
    assert isinstance(result, Rejected)
    assert len(result.failure.detail) < 500
    assert "\n" not in result.failure.detail
