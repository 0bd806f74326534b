"""What Stability's wire answers, in our words. Nothing here trusts an answer to be of the right form."""

import re
from dataclasses import dataclass
from typing import Final

import httpx

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import JobState, JobStatus
from providers.answers import unusable, without_key
from providers.base import ProviderError
from providers.outgoing.http import json_of, retry_after_seconds

_MAX_SEED: Final = 4_294_967_294
_SUCCESS: Final = "SUCCESS"
_FILTERED: Final = "CONTENT_FILTERED"
_PERMISSION: Final = re.compile(r"auth|api.?key|permission|forbidden|access|denied", re.IGNORECASE)
_CATEGORIES: Final = {
    400: Category.VALIDATION,
    401: Category.AUTH,
    402: Category.QUOTA,
    404: Category.VALIDATION,
    405: Category.VALIDATION,
    413: Category.VALIDATION,
    422: Category.VALIDATION,
    429: Category.RATE_LIMIT,
    502: Category.CAPACITY,
    503: Category.CAPACITY,
    504: Category.CAPACITY,
}


def read_result(answer: httpx.Response, url: str) -> JobStatus:
    """Translate an answer of 200 to a look at a job.

    Args:
        answer: With a video, of which only the headers count, or with the JSON of a server that ignores `Accept`.
        url: Where the video can be fetched.

    Raises:
        ProviderError: It is neither.
    """
    if answer.headers.get("content-type", "").lower().startswith("video/"):
        reason, seed = answer.headers.get("finish-reason") or _SUCCESS, _seed(answer.headers.get("seed"))
        if reason.strip().upper() == _SUCCESS:
            return JobStatus(state=JobState.SUCCEEDED, output_url=url, seed=seed)
        if reason.strip().upper() == _FILTERED:
            return _filtered(seed)
        raise _unreadable("unknown_finish_reason", "with a video, and a finish reason that is not known")
    body = json_of(answer)
    if body.get("finish_reason") == _FILTERED:
        return _filtered(_seed(body.get("seed")))
    if "video" in body:
        raise _unreadable("video_in_json", "with a video inside JSON, though a plain one was asked for")
    raise _unreadable("unknown_answer", "with neither a video nor a reason why there is none")


@dataclass(frozen=True)
class WireError:
    """What an answer says of an error.

    Attributes:
        is_whole: It has the wire's own form `{id, name, errors}`; else it is somebody else's, such as a proxy's.
    """

    name: str
    reasons: tuple[str, ...]
    is_whole: bool


def error_of(answer: httpx.Response) -> WireError:
    """Return what an answer says of an error, as far as it says anything."""
    body = json_of(answer)
    name, errors = body.get("name"), body.get("errors")
    reasons = errors if isinstance(errors, list) else []
    return WireError(
        name=name if isinstance(name, str) else "",
        reasons=tuple(reason for reason in reasons if isinstance(reason, str)),
        is_whole=isinstance(body.get("id"), str) and isinstance(name, str) and isinstance(errors, list),
    )


def failure_of(answer: httpx.Response, key: str, *, billed: bool | None) -> Failure:
    """Translate an HTTP error.

    Args:
        answer: What came.
        key: The account's, which is in no failure even where the server repeats it.
        billed: Whether what failed is billed.
    """
    status, error = answer.status_code, error_of(answer)
    name, text = without_key(key, error.name), without_key(key, "; ".join(error.reasons))[:400]
    return Failure(
        category=_category(status, error.name),
        code=name if re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name) else f"http_{status}",
        detail=f"Stable Video answered {status}: {text}" if text else f"Stable Video answered {status}.",
        retry_after_seconds=retry_after_seconds(answer),
        billed=billed,
    )


def _category(status: int, name: str) -> Category:
    """Return what an error status means. 403 is moderation, unless it speaks of permission or is not of this wire."""
    if status == httpx.codes.FORBIDDEN:
        is_moderation = name and not _PERMISSION.search(name)
        return Category.CONTENT_POLICY if is_moderation else Category.AUTH
    return _CATEGORIES.get(status, Category.SERVER_ERROR)


def _seed(seed: object) -> int | None:
    """Return the seed that was used; headers carry text, JSON a number."""
    if isinstance(seed, str) and re.fullmatch(r" *[0-9]{1,10} *", seed):
        seed = int(seed)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= _MAX_SEED:
        return None
    return seed


def _filtered(seed: int | None) -> JobStatus:
    detail = "Stable Video made the video, but its filter holds it back."
    failure = Failure(category=Category.CONTENT_POLICY, code=_FILTERED, detail=detail)
    return JobStatus(state=JobState.FAILED, failure=failure, seed=seed)


def _unreadable(code: str, how: str) -> ProviderError:
    return unusable(code, f"Stable Video answered 200 {how}.")
