"""The browser tests run wherever there is a browser; in CI there must be one."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Page, Request

from tests.browser import chromium


@pytest.fixture(scope="session", autouse=True)
def _browser_is_installed() -> None:
    try:
        chromium.path()
    except FileNotFoundError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium.launched() as running:
        yield running


@pytest.fixture
def troubles() -> Iterator[list[str]]:
    """What the page did that it should not: errors of its scripts, requests that leave the house."""
    seen: list[str] = []
    yield seen
    assert not seen, seen


@pytest.fixture
async def page(browser: Browser, troubles: list[str]) -> AsyncIterator[Page]:
    context = await browser.new_context()
    page = await context.new_page()
    page.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: _stays_here(request, troubles))
    yield page
    await context.close()


def _stays_here(request: Request, troubles: list[str]) -> None:
    if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        troubles.append(f"request to {request.url}")
