"""Fixtures for everyone: a healthy stack that many tests share, and a way to make one's own to break."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.api.paused import stop_all
from tests.postgres import PostgresServer
from tests.stack import Stack

MakeStack = Callable[..., Awaitable[Stack]]


_STACKS_OF_ONES_OWN = {"make_stack", "stack_with_a_meddling_worker"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the tests that start a stack of their own evenly: together they would keep one process busy to the end."""
    own = [item for item in items if _STACKS_OF_ONES_OWN & set(getattr(item, "fixturenames", ()))]
    others = [item for item in items if item not in set(own)]
    if not own or not others:
        return
    step = len(others) / len(own)
    places = {round(number * step): item for number, item in enumerate(own)} if step >= 1 else {}
    if len(places) == len(own):
        items[:] = [
            chosen
            for number, item in enumerate(others)
            for chosen in ((places[number], item) if number in places else (item,))
        ]


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL server that nobody breaks; started when the first test of a process asks for it."""
    async with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
async def sqlite_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack that nobody breaks; shared by the tests of one process."""
    async with Stack(tmp_path_factory.mktemp("stack")) as shared:
        yield shared


@pytest.fixture(scope="session")
async def narrow_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack whose accounts bear one job at once, so that others wait."""
    folder, settings = tmp_path_factory.mktemp("narrow"), {"VIDEO_QUEUE_MAX_CONCURRENT": "1"}
    async with Stack(folder, settings, breaker_seconds=60) as shared:
        yield shared


@pytest.fixture
async def narrow(narrow_stack: Stack) -> AsyncIterator[Stack]:
    """The same, left empty for the next test; who pauses something resumes it."""
    yield narrow_stack
    await stop_all(narrow_stack)


@pytest.fixture(scope="session")
def stack(sqlite_stack: Stack) -> Stack:
    """The stack of those who do not care for the database."""
    return sqlite_stack


@pytest.fixture(scope="session")
async def postgresql_stack(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """The same over PostgreSQL."""
    folder = tmp_path_factory.mktemp("postgresql-stack")
    async with Stack(folder, database_url=await postgres.fresh()) as shared:
        yield shared


@pytest.fixture(params=["sqlite", "postgresql"])
def any_stack(request: pytest.FixtureRequest) -> Stack:
    """A stack that nobody breaks, over each database in turn."""
    found: Stack = request.getfixturevalue(f"{request.param}_stack")
    return found


@pytest.fixture
async def make_stack(tmp_path: Path) -> AsyncIterator[MakeStack]:
    """Make a stack of one's own, to kill parts of it; over SQLite, unless a database is given by `database_url`."""
    async with AsyncExitStack() as open_stacks:

        async def make(*, database_url: str | None = None, tenants: str = "", **settings: str) -> Stack:
            folder = tmp_path / f"stack{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            stack = Stack(folder, settings, database_url=database_url, tenants=tenants)
            return await open_stacks.enter_async_context(stack)

        yield make
