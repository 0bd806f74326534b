"""Reading what Runway answers: tasks, their bills and failures, and errors of HTTP.

Promises: failure codes are matched by their prefix, and unknown ones are the provider's fault; what says anything
impossible is no bill; the key is in no failure, even where Runway repeats it.
"""

import math
from typing import Any

import httpx

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import JobState, JobStatus
from providers.answers import is_address, unusable, without_key
from providers.outgoing.http import json_of, retry_after_seconds

_CREDIT_MICROS = 10_000
_MAX_CODE = 100
_MAX_CREDITS = (
    10**9
)  # far above `domain.costs.billing.MOST`: whatever says more is no number to calculate with

_STATES = {
    "PENDING": JobState.QUEUED,
    "THROTTLED": JobState.QUEUED,
    "RUNNING": JobState.RUNNING,
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
    "CANCELLED": JobState.CANCELLED,
    "CANCELED": JobState.CANCELLED,
}

# Longest prefix first. The second value: whether Runway bills it (None: it does not say).
_FAILURE_CODES: tuple[tuple[str, Category, bool | None], ...] = (
    ("INPUT_PREPROCESSING.SAFETY", Category.CONTENT_POLICY, None),
    ("INPUT_PREPROCESSING.INTERNAL", Category.SERVER_ERROR, None),
    ("SAFETY.INPUT", Category.CONTENT_POLICY, True),
    ("SAFETY.OUTPUT", Category.CONTENT_POLICY, False),
    ("SAFETY", Category.CONTENT_POLICY, None),
    ("THIRD_PARTY.UNAVAILABLE", Category.CAPACITY, None),
    ("THIRD_PARTY.INPUT_VALIDATION", Category.VALIDATION, None),
    ("ASSET.INVALID", Category.VALIDATION, None),
    ("INTERNAL.BAD_OUTPUT", Category.SERVER_ERROR, False),
    ("INTERNAL", Category.SERVER_ERROR, None),
)

_STATUS_CATEGORIES = {
    400: Category.VALIDATION,
    401: Category.AUTH,
    403: Category.AUTH,
    404: Category.VALIDATION,
    405: Category.VALIDATION,
    422: Category.VALIDATION,
    429: Category.RATE_LIMIT,
    502: Category.CAPACITY,
    503: Category.CAPACITY,
    504: Category.CAPACITY,
}


def read_task(task: dict[str, Any], key: str = "") -> JobStatus:
    """Translate a task object.

    Args:
        task: Its JSON object.
        key: The account's, which no sentence of ours may hold.

    Raises:
        ProviderError: It has no status that is known; asking again is harmless.
    """
    state = _STATES.get(str(task.get("status")))
    if state is None:
        shown = without_key(key, str(task.get("status")))[:40]
        raise unusable("unknown_status", f"Runway answered with the unknown status {shown!r}.")
    output = task.get("output")
    urls = filter(is_address, output) if isinstance(output, list) else iter(())
    return JobStatus(
        state=state,
        progress_percent=_percent(task.get("progress")),
        output_url=next(urls, None),
        failure=_failure_of_task(task, key) if state in {JobState.FAILED, JobState.CANCELLED} else None,
        cost=_cost(task.get("cost")) if state.is_over else None,
    )


def _percent(progress: object) -> int | None:
    """Runway's examples count from 0 to 1; a number above 1 can only be a percentage."""
    if isinstance(progress, bool) or not isinstance(progress, int | float) or not 0 <= progress < math.inf:
        return None
    return round(min(100, progress * 100 if progress <= 1 else progress))


def _cost(cost: object) -> int | None:
    credits_used = cost.get("credits") if isinstance(cost, dict) else None
    if isinstance(credits_used, bool) or not isinstance(credits_used, int | float):
        return None
    if not 0 <= credits_used <= _MAX_CREDITS:
        return None
    return round(credits_used * _CREDIT_MICROS)


def _failure_of_task(task: dict[str, Any], key: str) -> Failure:
    if task.get("status") != "FAILED":
        return Failure(
            category=Category.SERVER_ERROR,
            code="cancelled_at_provider",
            detail="The task was cancelled at Runway, and not by us.",
        )
    code = without_key(key, str(task.get("failureCode") or "UNKNOWN"))
    category, is_billed = next(
        (
            (category, is_billed)
            for prefix, category, is_billed in _FAILURE_CODES
            if code == prefix or code.startswith(f"{prefix}.")
        ),
        (Category.SERVER_ERROR, None),
    )
    if category is Category.CONTENT_POLICY:
        # The last part of a safety code is a best guess, which Runway asks not to show to users.
        code = ".".join(code.split(".")[:2])
    told = without_key(key, str(task.get("failure") or ""))[:500]
    return Failure(
        category=category,
        code=code[:_MAX_CODE],
        detail=told or f"Runway failed with {code[:_MAX_CODE]}.",
        billed=is_billed,
    )


def failure_of_answer(answer: httpx.Response, key: str) -> Failure:
    """Translate an HTTP error, without the account's key."""
    status = answer.status_code
    text = without_key(key, str(json_of(answer).get("error") or "")).strip()
    category = _STATUS_CATEGORIES.get(status, Category.SERVER_ERROR)
    if status == httpx.codes.BAD_REQUEST and "credit" in text.lower():
        category = Category.QUOTA
    if status == httpx.codes.TOO_MANY_REQUESTS and "daily" in text.lower():
        category = Category.QUOTA
    return Failure(
        category=category,
        code=f"http_{status}",
        detail=f"Runway answered {status}: {text[:400]}" if text else f"Runway answered {status}.",
        retry_after_seconds=retry_after_seconds(answer),
        billed=False,
    )
