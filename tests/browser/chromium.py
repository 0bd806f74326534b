"""The browser that the tests drive: the machine's own Chromium."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def path() -> str:
    """Return the path of the browser: `CHROMIUM` from the environment, else the first one that is installed.

    Raises:
        FileNotFoundError: There is none; says how to install one.
    """
    chosen = os.environ.get("CHROMIUM")
    found = shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        where = f"CHROMIUM={chosen} is no program" if chosen else f"none of {', '.join(_NAMES)} is installed"
        raise FileNotFoundError(
            f"the browser tests need Chromium, and {where}: `apt-get install chromium` (Debian, Ubuntu) or "
            "`brew install --cask chromium` (macOS), or set CHROMIUM to its path"
        )
    return found


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Run a browser for as long as the context lasts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path(), args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
