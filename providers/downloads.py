"""Fetching what a provider has made."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx

from domain.failures import Category, Failure
from providers.answers import is_address
from providers.base import ProviderError
from providers.http import failure_of_transport, open_client

_PASSING: Final = frozenset({408, 425, 429})
"""Client errors that say nothing about the file."""


@asynccontextmanager
async def download(
    url: str, headers: Mapping[str, str] | None = None, *, timeout_seconds: float = 30.0
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Stream a finished output.

    Args:
        url: A URL that the provider handed out.
        headers: What the provider's own door asks for; never sent to another host than the provider's.
        timeout_seconds: The longest silence on the connection.

    Raises:
        ProviderError: `network` where the connection broke, `server_error` where the other side is in trouble, both
            worth another try; `bad_output` where the answer is not a file.
    """
    if not is_address(url):
        detail = "The provider's answer has no usable address of the video."
        raise ProviderError(Failure(category=Category.BAD_OUTPUT, code="output_url", detail=detail))
    try:
        async with (
            open_client("", headers or {}, timeout_seconds=timeout_seconds) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ProviderError(_no_file(response.status_code))
            yield response.aiter_bytes(1 << 20)
    except httpx.HTTPError as error:
        raise ProviderError(failure_of_transport(error, sent=False)) from None


def _no_file(status: int) -> Failure:
    passes = status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _PASSING
    return Failure(
        category=Category.SERVER_ERROR if passes else Category.BAD_OUTPUT,
        code=f"output_http_{status}",
        detail=f"The provider answered {status} instead of the video.",
    )
