"""One sandbox for these tests, which each finds empty; and the internet outside."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.outside import Authority
from tests.providers.internet import World
from tests.sandbox.live import LiveSandbox, live_sandbox


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[LiveSandbox]:
    with live_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: LiveSandbox) -> LiveSandbox:
    _sandbox.reset()
    return _sandbox


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def world(authority: Authority) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(authority, stack)
