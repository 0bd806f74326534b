"""Fixtures for everyone: a healthy stack that many tests share, and a way to make one's own to break."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.stack import Stack

MakeStack = Callable[..., Awaitable[Stack]]


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack that nobody breaks; shared by the tests of one process."""
    async with Stack(tmp_path_factory.mktemp("stack")) as shared:
        yield shared


@pytest.fixture
async def make_stack(tmp_path: Path) -> AsyncIterator[MakeStack]:
    """Make a stack of one's own, to kill parts of it."""
    async with AsyncExitStack() as open_stacks:

        async def make(**settings: str) -> Stack:
            folder = tmp_path / f"stack{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return await open_stacks.enter_async_context(Stack(folder, settings))

        yield make
