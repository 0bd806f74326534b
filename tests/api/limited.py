"""A house with limits: API processes over one database, and what is ordered there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from domain.generation import Cost
from storage.database import Database
from storage.tables import spending
from tests.stack import Stack, free_port

Post = Callable[..., Awaitable[httpx.Response]]

PRICE = "0.24"
"""What two seconds of gen4.5 cost."""


@asynccontextmanager
async def house(
    folder: Path, tenants: str = "", *, apis: int = 1, database_url: str | None = None, **settings: str
) -> AsyncIterator[list[Stack]]:
    """API processes over one database, each as a stack of its own to talk to; nothing works on what they accept.

    Yields:
        One for each API process; the first one owns them.
    """
    first = Stack(folder, settings, database_url=database_url, tenants=tenants)
    others = []
    try:
        await first.migrate()
        await first.start_part("api")
        for number in range(1, apis):
            port = free_port()
            await first.start_part("api", name=f"api-{number}", VIDEOPLANET_API_PORT=str(port))
            others.append(another(first, port))
        yield [first, *others]
    finally:
        for other in others:
            await other.http.aclose()
        await first.close()


def another(first: Stack, port: int) -> Stack:
    """The same stack, seen through another API process of it."""
    other = object.__new__(Stack)
    other.__dict__.update(first.__dict__)
    other.api_url = f"http://127.0.0.1:{port}"
    other.http = httpx.AsyncClient(base_url=other.api_url, timeout=70, trust_env=False)
    return other


async def post(stack: Stack, prompt: str = "A red fox in the snow", **fields: Any) -> httpx.Response:
    """Order two seconds of a fox, whatever is answered."""
    body = {"prompt": prompt, "provider": "runway", "fallback_providers": [], **fields}
    body.setdefault("params", {"duration_seconds": 2})
    return await stack.http.post("/v1/generations", json=body)


async def spent(
    database: Database, day: str, cost: Cost, *, orders: int = 1, tenant: str = "default", **whose: str
) -> None:
    """Write in the books that something was spent on a day."""
    key = {"user_id": "", "project_id": "", "provider": "runway", "mode": "sandbox"} | whose
    async with database.write() as connection:
        await connection.execute(
            spending.insert().values(
                tenant_id=tenant,
                day=day,
                orders=orders,
                reserved_micros=cost.reserved,
                settled_micros=cost.settled,
                at_risk_micros=cost.at_risk,
                **key,
            )
        )
