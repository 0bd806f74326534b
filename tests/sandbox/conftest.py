"""One sandbox for the tests that need no settings of their own; each finds it empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.live import LiveSandbox, live_sandbox


@pytest.fixture(scope="session")
def _shared_sandbox() -> Iterator[LiveSandbox]:
    with live_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_shared_sandbox: LiveSandbox) -> LiveSandbox:
    _shared_sandbox.reset()
    return _shared_sandbox
