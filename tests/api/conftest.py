"""An API process without the rest of the house, and generations to look at."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.api.keyholders import new_key
from tests.stack import Part, Stack


@asynccontextmanager
async def only(folder: Path, *parts: Part, **settings: str) -> AsyncIterator[Stack]:
    """Some parts of a stack; the API works without the others, as nothing is awaited from them."""
    some = Stack(folder, settings)
    try:
        await some.migrate()
        for part in parts:
            await some.start_part(part)
        yield some
    finally:
        await some.close()


@pytest.fixture(scope="session")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """An API process alone: what is ordered there stays pending, so that nothing moves while one looks."""
    async with only(tmp_path_factory.mktemp("api"), "api") as alone:
        yield alone


@pytest.fixture(scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A whole stack in which there are keys; its own client has one with every scope, others come in with theirs."""
    async with Stack(tmp_path_factory.mktemp("house")) as closed:
        _, key = await new_key(closed)
        closed.http.headers["Authorization"] = f"Bearer {key}"
        yield closed


@pytest.fixture(scope="session")
async def made(house: Stack) -> dict[str, Any]:
    """A generation with a video in the house with keys; nobody changes it."""
    done = await house.end_of((await house.order("A heron behind a locked door"))["id"])
    assert done["status"] == "completed", done["error"]
    return done


@pytest.fixture
async def pending(api: Stack) -> dict[str, Any]:
    """A generation that waits."""
    return await api.order()


@pytest.fixture
async def cancelled(api: Stack) -> dict[str, Any]:
    """A generation that was cancelled before anything was sent."""
    ordered = await api.order()
    await api.http.post(f"/v1/generations/{ordered['id']}/cancel")
    return await api.look(ordered["id"])


@pytest.fixture(scope="session")
async def finished(stack: Stack) -> dict[str, Any]:
    """A generation with a stored video, made by the whole service; nobody changes it."""
    done = await stack.end_of((await stack.order("A red fox that many look at"))["id"])
    assert done["status"] == "completed", done["error"]
    return done


@pytest.fixture(scope="session")
async def standing(api: Stack) -> dict[str, Any]:
    """A generation that waits, and that nobody changes."""
    return await api.order("one that stands")


@pytest.fixture
def nothing_changes(api: Stack, standing: dict[str, Any]) -> Iterator[None]:
    """There are as many generations, and as many events of them, before and after the test."""
    with closing(sqlite3.connect(f"file:{api.data_dir / 'videoplanet.db'}?mode=ro", uri=True)) as database:

        def count() -> tuple[int, int]:
            generations, events = database.execute(
                "SELECT count(*), sum(last_seq) FROM generations"
            ).fetchone()
            return generations, events

        before = count()
        assert before >= (1, standing["last_seq"])
        yield
        assert count() == before
