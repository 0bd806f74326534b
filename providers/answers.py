"""What the adapters share in reading answers: which may be believed, what may be kept, and what is told of them."""

import re
from typing import Final, TypeGuard

import httpx

from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import Unknown
from providers.base import ProviderError

UNCLEAR: Final = frozenset({408, 425, 499})
"""Client errors that a proxy may answer after it has passed the order on."""

_MAX_PORT: Final = 65_535
_JOB_ID: Final = re.compile(r"(?!\.+$)[\w.:~-]{1,255}", re.ASCII)
_NO_SECRETS: Final = frozenset({"", "sandbox"})
"""Keys that are none: a server of one's own may ask for none, and the sandbox's is a word that its sentences use."""


def is_job_id(value: object) -> TypeGuard[str]:
    """Tell whether something can be a job's id: it must fit a path, without leading elsewhere, and a column."""
    return isinstance(value, str) and _JOB_ID.fullmatch(value) is not None


def is_address(value: object) -> TypeGuard[str]:
    """Tell whether something is a URL that a file can be fetched from."""
    if not isinstance(value, str):
        return False
    try:
        url = httpx.URL(value)
    except (httpx.InvalidURL, ValueError):
        return False
    return url.scheme in {"http", "https"} and bool(url.host) and (url.port or 0) <= _MAX_PORT


def without_key(key: str, text: str) -> str:
    """Return a text without the account's key. It has to be cut afterwards: half a key is a key too."""
    return text if key in _NO_SECRETS else text.replace(key, "[key]")


def unclear(client_reference: str, detail: str) -> Unknown:
    """Return the end of an order after whose answer a job may exist."""
    failure = Failure(category=Category.SUBMISSION_UNKNOWN, code="unclear_answer", detail=detail)
    return Unknown(client_reference=client_reference, failure=failure)


def gone(detail: str) -> Failure:
    """Return the failure of a job that the provider no longer knows; what was billed for it is not known."""
    return Failure(category=Category.SERVER_ERROR, code="job_gone", detail=detail)


def unusable(code: str, detail: str) -> ProviderError:
    """Return the error for an answer that cannot be used."""
    return ProviderError(Failure(category=Category.SERVER_ERROR, code=code, detail=detail))
