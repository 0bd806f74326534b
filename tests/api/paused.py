"""The queue as tests move it: pause and resume, and wait for what the gates say then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.eventually import eventually
from tests.stack import Stack, free_port


async def say(stack: Stack, path: str, **body: Any) -> dict[str, Any]:
    """POST something that must be done, and return the answer."""
    answer = await stack.http.post(path, json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return dict(answer.json())


async def pause_account(
    stack: Stack, account: str = "runway", reason: str = "They look into it"
) -> dict[str, Any]:
    """Pause an account as an operator."""
    return await say(stack, f"/v1/providers/{account}/pause", reason=reason)


async def resume_account(stack: Stack, account: str = "runway") -> dict[str, Any]:
    """Resume it."""
    return await say(stack, f"/v1/providers/{account}/resume")


async def queue_of(stack: Stack, **query: Any) -> dict[str, Any]:
    """GET the queue."""
    answer = await stack.http.get("/v1/queue", params=query)
    assert answer.status_code == httpx.codes.OK, answer.text
    return dict(answer.json())


async def account_of(stack: Stack, account: str = "runway") -> dict[str, Any]:
    """How an account stands, by the queue."""
    return next(one for one in (await queue_of(stack))["accounts"] if one["account"] == account)


async def waits(stack: Stack, generation_id: str, reason: str | None = None) -> dict[str, Any]:
    """Wait until a generation has a place in the queue, and return that; for this reason if one is given."""

    async def placed() -> dict[str, Any] | None:
        place = (await stack.look(generation_id))["queue"]
        return place if place and reason in {None, place["reason"]} else None

    return await eventually(placed, what=f"the place of {generation_id} ({reason or 'any reason'})")


@asynccontextmanager
async def occupied(stack: Stack) -> AsyncIterator[dict[str, Any]]:
    """Have the one place at Runway taken by a job that does not end; it is stopped afterwards."""
    running = await stack.order("[sandbox:stuck] one that stays", priority="urgent")
    await stack.reaches(running["id"], "generating")
    try:
        yield running
    finally:
        await stop(stack, running["id"])


async def stop(stack: Stack, *generation_ids: str) -> None:
    """Cancel generations, and wait for their ends."""
    for generation_id in generation_ids:
        await stack.http.post(f"/v1/generations/{generation_id}/cancel")
    for generation_id in generation_ids:
        await stack.end_of(generation_id)


async def stop_all(stack: Stack) -> None:
    """Cancel whatever is under way, and wait until no slot is in use: a failed test leaves nothing to the next."""
    for status in ("pending", "processing"):
        answer = await stack.http.get("/v1/generations", params={"status": status, "limit": 100})
        await stop(stack, *(one["id"] for one in answer.json()["data"]))

    async def is_empty() -> bool:
        accounts = (await queue_of(stack))["accounts"]
        return all((one["running"], one["waiting"]) == (0, 0) for one in accounts)

    await eventually(is_empty, what="the accounts have nothing to do")


@asynccontextmanager
async def paused_account(
    stack: Stack, account: str = "runway", reason: str = "They look into it"
) -> AsyncIterator[None]:
    """Have an account paused, and resumed afterwards."""
    await pause_account(stack, account, reason)
    try:
        yield
    finally:
        await resume_account(stack, account)


@asynccontextmanager
async def another_tenant(stack: Stack, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A second API over the same database, for somebody else."""
    port = free_port()
    await stack.start_part(
        "api", name=f"api-{name}", VIDEOPLANET_API_PORT=str(port), VIDEOPLANET_TENANT_ID=name
    )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=70, trust_env=False
        ) as http:
            yield http
    finally:
        await stack.kill(f"api-{name}")
