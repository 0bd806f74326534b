"""What Seedance says when something goes wrong, in our words.

The code decides, never the status alone: 429 is used for three different things. A code that is not known here is
read by its status; a task that failed with one is the provider's fault.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from domain.attempts.failures import Category, Failure
from providers.answers import without_key
from providers.outgoing.http import json_of, retry_after_seconds

RUNNING_TASK = "InvalidAction.RunningTaskDeletion"
"""The code of a refused cancel: the task has left the queue."""

_MODERATED = "SensitiveContentDetected"
"""Part of every code of the moderation: of the prompt, of each kind of input, and of what was made."""

# What a code begins with; matched up to the end or a dot, the longest first.
_CATEGORIES = {
    "MissingParameter": Category.VALIDATION,
    "InvalidParameter": Category.VALIDATION,
    "InvalidEndpoint": Category.VALIDATION,
    "InvalidEndpoint.ClosedEndpoint": Category.CAPACITY,
    "ResourceNotFound": Category.VALIDATION,
    "AuthenticationError": Category.AUTH,
    "AccessDenied": Category.AUTH,
    "ModelNotOpen": Category.AUTH,
    "AccountOverdueError": Category.QUOTA,
    "QuotaExceeded": Category.QUOTA,
    "RateLimitExceeded": Category.RATE_LIMIT,
    "ModelAccountRpmRateLimitExceeded": Category.RATE_LIMIT,
    "ModelAccountTpmRateLimitExceeded": Category.RATE_LIMIT,
    "ServerOverloaded": Category.CAPACITY,
    "ModelLoadingError": Category.CAPACITY,
    "InternalServiceError": Category.SERVER_ERROR,
}
_LONGEST_FIRST = sorted(_CATEGORIES, key=len, reverse=True)

_STATUSES = {401: Category.AUTH, 403: Category.AUTH, 429: Category.RATE_LIMIT}

_CODE = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_MESSAGE_MAX = 400


@dataclass(frozen=True)
class Said:
    """The `error` of an answer or a task, as far as it is usable.

    Attributes:
        code: None where there is none that looks like one.
        message: Without the key; empty where there is none.
    """

    code: str | None = None
    message: str = ""


def said_in(told: Mapping[str, Any], key: str = "") -> Said:
    """Return what an answer or a task says under `error`.

    Args:
        told: Its JSON object.
        key: The account's, which an error may quote.
    """
    error = told.get("error")
    if not isinstance(error, dict):
        return Said()
    code, message = error.get("code"), error.get("message")
    # What is left of a code that quotes the key is none.
    if not isinstance(code, str) or _CODE.fullmatch(without_key(key, code)) is None:
        code = None
    if not isinstance(message, str):
        return Said(code)
    # Before it is cut: half a key is a key too.
    return Said(code, " ".join(without_key(key, message).split())[:_MESSAGE_MAX])


def category_of(code: str | None) -> Category | None:
    """Return what a code means; None where it is not known."""
    if code is None:
        return None
    if _MODERATED in code:
        return Category.CONTENT_POLICY
    known = (prefix for prefix in _LONGEST_FIRST if code == prefix or code.startswith(f"{prefix}."))
    prefix = next(known, None)
    return None if prefix is None else _CATEGORIES[prefix]


def failure_of_answer(answer: httpx.Response, key: str) -> Failure:
    """Translate an answer that is no success."""
    status = answer.status_code
    said = said_in(json_of(answer), key)
    did = f"refused the request with {status}" if answer.is_client_error else f"answered {status}"
    return Failure(
        category=category_of(said.code) or _category_of_status(answer),
        code=said.code or f"http_{status}",
        detail=_sentence(did, said),
        retry_after_seconds=retry_after_seconds(answer),
        billed=False,
    )


def _category_of_status(answer: httpx.Response) -> Category:
    usual = Category.VALIDATION if answer.is_client_error else Category.SERVER_ERROR
    return _STATUSES.get(answer.status_code, usual)


def failure_of_task(task: Mapping[str, Any], key: str) -> Failure:
    """Translate the error of a task that failed: nothing is billed for it."""
    said = said_in(task, key)
    category = category_of(said.code) or Category.SERVER_ERROR
    did = "refused the content" if category is Category.CONTENT_POLICY else "could not make the video"
    return Failure(
        category=category, code=said.code or "task_failed", detail=_sentence(did, said), billed=False
    )


def _sentence(did: str, said: Said) -> str:
    why = said.message or said.code
    return f"Seedance {did}: {why}" if why else f"Seedance {did}."
