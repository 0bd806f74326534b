"""Fetching what a provider has made.

Where its API is, the operator says; where an output is, the provider says, and its word is not taken for it: outputs
come through the guard (`providers.outgoing.guarded`), from https on the public internet or from the very door of the
account.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx

from domain.attempts.failures import Category, Failure
from providers.answers import is_address
from providers.base import ProviderError
from providers.outgoing.doors import Forbidden
from providers.outgoing.fetching import Outgoing, Patience
from providers.outgoing.http import failure_of_transport

_PASSING: Final = frozenset({408, 425, 429})
"""Client errors that say nothing about the file."""

_PATIENCE: Final = Patience(connect=10, silence=30, total=1800)


@asynccontextmanager
async def download(
    outgoing: Outgoing,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    patience: Patience = _PATIENCE,
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Stream a finished output.

    Args:
        outgoing: Through which door; see `Accounts.outgoing`.
        url: A URL that the provider handed out.
        headers: What the provider's own door asks for; never sent to another host than the provider's.
        patience: How long it may take.

    Raises:
        ProviderError: `network` where the connection broke, `server_error` where the other side is in trouble, both
            worth another try; `bad_output` where the answer is not a file, or nothing may be fetched from there.
    """
    if not is_address(url):
        raise ProviderError(_unusable("output_url", "'s answer has no usable address of the video."))
    try:
        async with outgoing.get(url, patience, credentials=headers) as response:
            if response.status_code != httpx.codes.OK:
                raise ProviderError(_no_file(response.status_code))
            yield response.aiter_raw(1 << 20)
    except Forbidden as forbidden:
        what = f"'s address of the video {forbidden.reason}."
        raise ProviderError(_unusable("output_refused", what)) from forbidden
    except httpx.HTTPError as error:
        raise ProviderError(failure_of_transport(error, sent=False)) from None


def _unusable(code: str, what: str) -> Failure:
    return Failure(category=Category.BAD_OUTPUT, code=code, detail=f"The provider{what}")


def _no_file(status: int) -> Failure:
    passes = status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _PASSING
    return Failure(
        category=Category.SERVER_ERROR if passes else Category.BAD_OUTPUT,
        code=f"output_http_{status}",
        detail=f"The provider answered {status} instead of the video.",
    )
