"""One sandbox for these tests; each finds it empty."""

from collections.abc import Iterator

import pytest

from tests.sandbox.live import LiveSandbox, live_sandbox


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[LiveSandbox]:
    with live_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: LiveSandbox) -> LiveSandbox:
    _sandbox.reset()
    return _sandbox
