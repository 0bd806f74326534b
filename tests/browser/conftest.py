"""The browser tests run wherever there is a browser; in CI there must be one."""

import os

import pytest

from tests.browser import chromium


@pytest.fixture(scope="session", autouse=True)
def _browser_is_installed() -> None:
    try:
        chromium.path()
    except FileNotFoundError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
