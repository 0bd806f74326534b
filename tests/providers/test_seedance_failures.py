"""Every failure of a Seedance task that the contract lists, as category and sentence; none is billed."""

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import JobState
from providers.seedance.tasks import read_task
from tests.providers.raw import answers, raw_server
from tests.providers.seedance_orders import KEY, a_task, error_body, seedance_at

POLICY, SERVER = Category.CONTENT_POLICY, Category.SERVER_ERROR
CODES = [
    *((f"Output{kind}SensitiveContentDetected", POLICY) for kind in ("Video", "Audio", "Text")),
    *(
        (f"Output{kind}SensitiveContentDetected.PolicyViolation", POLICY)
        for kind in ("Video", "Audio", "Text")
    ),
    *((f"Input{kind}SensitiveContentDetected", POLICY) for kind in ("Text", "Image", "Video", "Audio")),
    ("InputImageSensitiveContentDetected.PrivacyInformation", POLICY),
    ("OutputSomethingNewSensitiveContentDetected", POLICY),
    *(("SensitiveContentDetected", POLICY), ("SensitiveContentDetected.Violence", POLICY)),
    *(("MissingParameter", Category.VALIDATION), ("InvalidParameter.Image", Category.VALIDATION)),
    ("InvalidEndpoint.ClosedEndpoint", Category.CAPACITY),
    ("InvalidEndpoint.ClosedEndpoint.More", Category.CAPACITY),
    ("InvalidEndpoint.NotFound", Category.VALIDATION),
    *(
        ("AuthenticationError", Category.AUTH),
        ("AccessDenied", Category.AUTH),
        ("ModelNotOpen", Category.AUTH),
    ),
    *(("AccountOverdueError", Category.QUOTA), ("QuotaExceeded", Category.QUOTA)),
    ("RateLimitExceeded.EndpointRPMExceeded", Category.RATE_LIMIT),
    ("ModelAccountTpmRateLimitExceeded", Category.RATE_LIMIT),
    *(("ServerOverloaded", Category.CAPACITY), ("ModelLoadingError", Category.CAPACITY)),
    *(("InternalServiceError", SERVER), ("BrandNew.Code", SERVER), ("ServerOverloadedNot", SERVER)),
    ("internalserviceerror", SERVER),
]


@pytest.mark.parametrize(("code", "category"), CODES)
def test_each_failure_code(code: str, category: Category) -> None:
    look = read_task(a_task("failed", **error_body(code)))
    assert (look.state, look.cost) == (JobState.FAILED, 0)
    assert look.failure is not None
    assert (look.failure.category, look.failure.code, look.failure.billed) == (category, code, False)
    did = "refused the content" if category is POLICY else "could not make the video"
    assert look.failure.detail == f"Seedance {did}: It was not done."


@pytest.mark.parametrize(
    "error",
    [
        {},
        {"error": None},
        {"error": "x"},
        {"error": []},
        error_body(None, None),
        error_body(5),
        error_body(""),
    ],
)
def test_a_failure_without_a_code_is_the_providers_fault(error: dict[str, object]) -> None:
    failure = read_task(a_task("failed", **error)).failure
    assert failure is not None
    assert (failure.category, failure.code, failure.billed) == (SERVER, "task_failed", False)
    assert failure.detail.startswith("Seedance could not make the video")


def test_a_failure_without_a_sentence_is_told_by_its_code() -> None:
    failure = read_task(a_task("failed", **error_body("InternalServiceError", None))).failure
    assert failure is not None
    assert failure.detail == "Seedance could not make the video: InternalServiceError"


def test_a_task_that_outlived_its_time_is_timed_out() -> None:
    failure = read_task(a_task("expired", **error_body("InternalServiceError"))).failure
    assert failure is not None
    assert (failure.category, failure.code, failure.billed) == (Category.TIMEOUT, "expired", False)


def test_a_cancel_that_was_not_ours_says_so() -> None:
    look = read_task(a_task("cancelled"))
    assert look.failure is not None
    assert (look.state, look.failure.code) == (JobState.CANCELLED, "cancelled_at_provider")


async def test_a_failed_task_does_not_quote_the_key() -> None:
    task = a_task("failed", **error_body("InternalServiceError", f"with {KEY}"))
    async with raw_server(answers(200, task)) as server, seedance_at(server.url) as seedance:
        look = await seedance.status("t")
    assert look.failure is not None
    assert look.failure.detail == "Seedance could not make the video: with [key]"


async def test_the_sandboxes_key_is_a_word_that_stays() -> None:
    task = a_task("failed", **error_body("InternalServiceError", "in the sandbox"))
    async with raw_server(answers(200, task)) as server, seedance_at(server.url, key="sandbox") as seedance:
        look = await seedance.status("t")
    assert look.failure is not None
    assert look.failure.detail.endswith("in the sandbox")
