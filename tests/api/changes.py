"""Changing a generation as a user does, and reading what came of it."""

from typing import Any

import httpx

from tests.stack import Stack


async def regenerate(stack: Stack, generation: dict[str, Any], **change: Any) -> httpx.Response:
    """Ask for the next take."""
    return await stack.http.post(f"/v1/generations/{generation['id']}/regenerate", json=change)


async def again(stack: Stack, generation: dict[str, Any], **change: Any) -> dict[str, Any]:
    """Ask for the next take, which must be granted, and return the generation."""
    answer = await regenerate(stack, generation, **change)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def cancel(stack: Stack, generation: dict[str, Any]) -> dict[str, Any]:
    """Cancel the current take, and return the generation as it stands then."""
    answer = await stack.http.post(f"/v1/generations/{generation['id']}/cancel")
    assert answer.status_code == 202, answer.text
    return await stack.look(generation["id"])


async def kinds(stack: Stack, generation_id: str) -> list[str]:
    """The types of a generation's events, in order."""
    return [event["type"] for event in await stack.events(generation_id)]
